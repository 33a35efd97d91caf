"""How much must be seen before a unit may be called dead or saturated, and which units are."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.vitals.snapshot import SiteVitals

__all__ = ["EVIDENCE", "Evidence", "dead_units", "saturated_units"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Evidence:
    """Limits of the definitions of *dead* and *saturated*.

    Attributes:
        samples: samples on which a unit must have been silent before it counts as dead (bounds its activity to
            below 3 / samples with 95 % confidence).
        steps: training steps over which it must have been silent, so that one odd batch cannot do it.
        saturated: share of samples on a bounded, non-zero side from which a unit counts as saturated.
    """

    samples: int = 1_000
    steps: int = 20
    saturated: float = 0.95


EVIDENCE = Evidence()
"""The definitions of the documentation: 1,000 samples, 20 steps, 95 %."""


def dead_units(vitals: SiteVitals, evidence: Evidence = EVIDENCE) -> Integers:
    """Indices of units that were flat, on a side where the output is about zero, for long enough to be called dead."""
    if not vitals.site.dead_left:
        return np.array([], dtype=np.int64)
    silent = (vitals.silent_samples >= evidence.samples) & (vitals.silent_steps >= evidence.steps)
    return np.flatnonzero(silent).astype(np.int64)


def saturated_units(vitals: SiteVitals, evidence: Evidence = EVIDENCE) -> Integers:
    """Indices of units flat on at least 95 % of the recent samples on bounded sides with an output not about zero."""
    recent = vitals.recent
    if recent.samples < evidence.samples or recent.steps < evidence.steps:
        return np.array([], dtype=np.int64)
    flat = recent.right if vitals.site.dead_left else recent.left + recent.right
    return np.flatnonzero(flat >= evidence.saturated * recent.samples).astype(np.int64)
