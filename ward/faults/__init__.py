"""The faults of the ward: what each changes in a sound recipe, and what a tool should then say."""

from __future__ import annotations

from ward.faults import heads, shape, steps, weights
from ward.faults.fault import Fault

__all__ = ["FAULTS", "Fault"]

FAULTS: tuple[Fault, ...] = (*steps.FAULTS, *weights.FAULTS, *shape.FAULTS, *heads.FAULTS)
