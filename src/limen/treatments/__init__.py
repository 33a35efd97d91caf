"""Repairs of a running training: each an edit with an undo."""

from limen.treatments.applied import Applied, Refused
from limen.treatments.apply import apply
from limen.treatments.clinic import Clinic
from limen.treatments.lower_learning_rate import lower_learning_rate
from limen.treatments.plan import Step, plan
from limen.treatments.revive_units import revive_units

__all__ = ["Applied", "Clinic", "Refused", "Step", "apply", "lower_learning_rate", "plan", "revive_units"]
