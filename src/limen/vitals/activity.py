"""What the units of one site did over some steps, as a value that adds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from limen.vitals.histogram import Histogram
from limen.vitals.moments import Moments

__all__ = ["Activity"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Activity:
    """Counts and moments of the pre-activations ``z`` of one site.

    Attributes:
        steps: training steps seen.
        first_step: the earliest of them; 0 where none was seen.
        last_step: the latest of them; 0 where none was seen.
        left: ``[units]``, samples on the flat left side.
        right: ``[units]``, samples on the flat right side.
        moments: count of samples, mean and variance per unit.
        low: ``[units]``, smallest ``z``; +inf without samples.
        high: ``[units]``, largest ``z``; -inf without samples.
        nonfinite: number of values that were NaN or infinite, all units.
        histogram: of all units; only of the steps at which one was taken.
    """

    steps: int
    first_step: int
    last_step: int
    left: Integers
    right: Integers
    moments: Moments
    low: Floats
    high: Floats
    nonfinite: int
    histogram: Histogram

    @classmethod
    def none(cls, units: int) -> Activity:
        """The activity of no steps: the neutral element of ``+``."""
        zeros = np.zeros(units, dtype=np.int64)
        empty = np.full(units, np.inf)
        return cls(0, 0, 0, zeros, zeros, Moments.none(units), empty, -empty, 0, Histogram.none())

    def __add__(self, other: Activity) -> Activity:
        """The activity over the steps of both, which must not overlap."""
        return replace(self.alongside(other), steps=self.steps + other.steps)

    def alongside(self, other: Activity) -> Activity:
        """The activity of both on different samples of the same steps; of fewer of these, those that either saw."""
        if self.steps == 0 or other.steps == 0:
            return other if self.steps == 0 else self
        return Activity(
            steps=max(self.steps, other.steps),
            first_step=min(self.first_step, other.first_step),
            last_step=max(self.last_step, other.last_step),
            left=self.left + other.left,
            right=self.right + other.right,
            moments=self.moments + other.moments,
            low=np.fmin(self.low, other.low),
            high=np.fmax(self.high, other.high),
            nonfinite=self.nonfinite + other.nonfinite,
            histogram=self.histogram + other.histogram,
        )

    @property
    def units(self) -> int:
        """Number of units."""
        return len(self.left)

    @property
    def samples(self) -> int:
        """Samples each unit was evaluated on (batch x time x pixels)."""
        return self.moments.count

    @property
    def active(self) -> Integers:
        """``[units]``, samples on which the unit was not flat."""
        return self.samples - self.left - self.right

    @property
    def inactive_share(self) -> float:
        """Share of flat samples over all units; NaN without samples."""
        seen = self.samples * self.units
        return float((self.left.sum() + self.right.sum()) / seen) if seen else float("nan")

    @property
    def activity_bound(self) -> float:
        """95 % upper bound on the activity of a unit that was never active here: ``3 / samples``.

        Source: the "rule of three", Hanley & Lippman-Hand 1983, JAMA 249(13).
        """
        return min(1.0, 3.0 / self.samples) if self.samples else 1.0
