"""What wide layers do to variance, correlation and gradients, for any activation function, before any training.

Every function here takes a catalogue entry or its name, a module, a ``Curve`` (a function with its slope and kinks) or
just a function of a tensor, and gives numbers; only ``predict`` looks at a model.
"""

from limen.theory.chain import chain_gradient
from limen.theory.critical import CriticalPoint, edge_of_chaos, half_stable_points
from limen.theory.curve import Curve
from limen.theory.fixed_points import CorrelationPoint, FixedPoint, correlation_point, fixed_points
from limen.theory.gain import backward_gain, centred_gain, forward_gain
from limen.theory.kernel import kernel, slope_kernel
from limen.theory.moments import Moments, closed_moments, moments, quadrature_moments
from limen.theory.normalise import SelfNormalising, kumar_gain, self_normalising
from limen.theory.prediction import MapFigures, MapPrediction, Prediction, SiteFigures, SitePrediction, predict
from limen.theory.stack import Stack, chi_1, chi_c, chi_q, depth_scale, next_correlation, next_variance

__all__ = [
    "CorrelationPoint",
    "CriticalPoint",
    "Curve",
    "FixedPoint",
    "MapFigures",
    "MapPrediction",
    "Moments",
    "Prediction",
    "SelfNormalising",
    "SiteFigures",
    "SitePrediction",
    "Stack",
    "backward_gain",
    "centred_gain",
    "chain_gradient",
    "chi_1",
    "chi_c",
    "chi_q",
    "closed_moments",
    "correlation_point",
    "depth_scale",
    "edge_of_chaos",
    "fixed_points",
    "forward_gain",
    "half_stable_points",
    "kernel",
    "kumar_gain",
    "moments",
    "next_correlation",
    "next_variance",
    "predict",
    "quadrature_moments",
    "self_normalising",
    "slope_kernel",
]
