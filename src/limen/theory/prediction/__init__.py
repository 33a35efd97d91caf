"""What theory says of a real model, operation by operation, beside what one pass measures."""

from limen.theory.prediction import rules as rules  # enters them
from limen.theory.prediction.predict import predict
from limen.theory.prediction.result import MapFigures, MapPrediction, Prediction, SiteFigures, SitePrediction

__all__ = ["MapFigures", "MapPrediction", "Prediction", "SiteFigures", "SitePrediction", "predict"]
