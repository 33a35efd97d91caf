"""A model checked before its training: one pass over a sample, and what is wrong by then."""

from limen.preflight.fixes import Change, Fix
from limen.preflight.limits import Limits
from limen.preflight.losses import LOSSES
from limen.preflight.preflight import preflight
from limen.preflight.verdict import Preflight

__all__ = ["LOSSES", "Change", "Fix", "Limits", "Preflight", "preflight"]
