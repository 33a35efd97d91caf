"""Repairs of a running training: each an edit with an undo."""

from limen.treatments.record import TreatmentRecord

__all__ = ["TreatmentRecord"]
