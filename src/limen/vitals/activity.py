"""What the units of one site did over some steps, as a value that adds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from limen.lasting import LastingArray
from limen.vitals.fields import lasting, made_when_read, shortest
from limen.vitals.histogram import Histogram
from limen.vitals.moments import Moments
from limen.vitals.narrow import kept_narrow, narrow_in
from limen.vitals.panel import panel_of

__all__ = ["Activity", "Whole"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Whole:
    """The pre-activations of all units together.

    Attributes:
        count: numbers seen.
        mean: of all of them; NaN where some were not finite.
        m2: sum of their squared deviations from ``mean``.
        low: the smallest; +inf without samples.
        high: the largest; -inf without samples.
    """

    count: int = 0
    mean: float = 0.0
    m2: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    @classmethod
    def of(cls, moments: Moments, low: Floats, high: Floats) -> Whole:
        """From what is known of each unit."""
        pooled = moments.pooled()
        least, most = float(low.min(initial=math.inf)), float(high.max(initial=-math.inf))
        return cls(pooled.count, float(pooled.mean[0]), float(pooled.m2[0]), least, most)

    def __add__(self, other: Whole) -> Whole:
        """Both together (Chan, Golub & LeVeque 1983)."""
        if self.count == 0 or other.count == 0:
            return other if self.count == 0 else self
        count, gap = self.count + other.count, other.mean - self.mean
        m2 = self.m2 + other.m2 + gap * gap * (self.count * other.count / count)
        low, high = min(self.low, other.low), max(self.high, other.high)
        return Whole(count, self.mean + gap * (other.count / count), m2, low, high)

    @property
    def std(self) -> float:
        """Standard deviation of all of them, in activation units; NaN without samples."""
        return math.sqrt(self.m2 / self.count) if self.count and self.m2 >= 0 else math.nan


@made_when_read("low", "high")
@kept_narrow("left", "right")
@dataclass(frozen=True, eq=False)
class Activity:
    """Counts and moments of the pre-activations ``z`` of one site.

    The counts are of all units; mean, variance and extremes are of a panel of them (``panel_of``): all units up to
    256, 251 evenly spaced ones of a wider site.

    Attributes:
        steps: training steps seen.
        first_step: the earliest of them; 0 where none was seen.
        last_step: the latest of them; 0 where none was seen.
        left: ``[units]``, samples on the flat left side.
        right: ``[units]``, samples on the flat right side.
        moments: count of samples of each unit, mean and variance per unit of the panel.
        low: ``[panel]``, smallest ``z``; +inf without samples.
        high: ``[panel]``, largest ``z``; -inf without samples.
        nonfinite: number of values that were NaN or infinite, all units.
        histogram: of all units; only of the steps at which one was taken.
        beyond: what all units did together, where the panel is not all of them; None where it is.
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
    beyond: Whole | None = None

    @classmethod
    def none(cls, units: int) -> Activity:
        """The activity of no steps: the neutral element of ``+``."""
        zeros = np.zeros(units, dtype=np.int64)
        panel = len(panel_of(units))
        empty = np.full(panel, np.inf)
        return cls(0, 0, 0, zeros, zeros, Moments.none(panel), empty, -empty, 0, Histogram.none())

    def __add__(self, other: Activity) -> Activity:
        """The activity over the steps of both, which must not overlap."""
        if self.steps == 0 or other.steps == 0:
            return other if self.steps == 0 else self
        return self._together(other, self.steps + other.steps)

    def alongside(self, other: Activity) -> Activity:
        """The activity of both on different samples of the same steps; of fewer of these, those that either saw."""
        if self.steps == 0 or other.steps == 0:
            return other if self.steps == 0 else self
        return self._together(other, max(self.steps, other.steps))

    def _together(self, other: Activity, steps: int) -> Activity:
        return Activity(
            steps=steps,
            first_step=min(self.first_step, other.first_step),
            last_step=max(self.last_step, other.last_step),
            left=cast("Integers", narrow_in(self, "left") + narrow_in(other, "left")),
            right=cast("Integers", narrow_in(self, "right") + narrow_in(other, "right")),
            moments=self.moments + other.moments,
            low=np.fmin(self.low, other.low),
            high=np.fmax(self.high, other.high),
            nonfinite=self.nonfinite + other.nonfinite,
            histogram=self.histogram + other.histogram,
            beyond=None if self.beyond is None and other.beyond is None else self.whole + other.whole,
        )

    def lasting(self) -> Activity:
        """The same, in memory of its own; itself where it is that already."""
        if isinstance(vars(self)["low"], LastingArray):
            return self
        return Activity(
            steps=self.steps,
            first_step=self.first_step,
            last_step=self.last_step,
            left=cast("Integers", narrow_in(self, "left").lasting()),
            right=cast("Integers", narrow_in(self, "right").lasting()),
            moments=self.moments.lasting(),
            low=cast("Floats", lasting(shortest(self.low))),
            high=cast("Floats", lasting(shortest(self.high))),
            nonfinite=self.nonfinite,
            histogram=self.histogram.lasting(),
            beyond=self.beyond,
        )

    @property
    def units(self) -> int:
        """Number of units."""
        return narrow_in(self, "left").length

    @property
    def whole(self) -> Whole:
        """What all units did together."""
        return Whole.of(self.moments, self.low, self.high) if self.beyond is None else self.beyond

    def in_panel(self, units: npt.ArrayLike) -> Integers:
        """Where these units stand in ``moments``, ``low`` and ``high``; those outside of the panel are left out."""
        chosen = np.asarray(units, dtype=np.int64)
        if len(self.low) == self.units:
            return chosen
        panel = panel_of(self.units)
        place = np.searchsorted(panel, chosen)
        return place[(place < len(panel)) & (panel[np.minimum(place, len(panel) - 1)] == chosen)]

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
