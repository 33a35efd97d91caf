"""Mean and variance of each unit, as a value that adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from limen.vitals.fields import lasting, made_when_read

__all__ = ["Moments"]

Floats = npt.NDArray[np.float64]


@made_when_read("mean", "m2")
@dataclass(frozen=True, eq=False)
class Moments:
    """Count, mean and sum of squared deviations per unit, mergeable without loss.

    Attributes:
        count: samples seen.
        mean: ``[units]``, in activation units; NaN for a unit that met a non-finite value.
        m2: ``[units]``, sum of squared deviations from ``mean``.

    Source: Chan, Golub & LeVeque 1983, "Algorithms for Computing the Sample Variance".
    """

    count: int
    mean: Floats
    m2: Floats

    @classmethod
    def none(cls, units: int) -> Moments:
        """The moments of no samples: the neutral element of ``+``."""
        return cls(0, np.zeros(units), np.zeros(units))

    @classmethod
    def of_sums(cls, count: int, total: Floats, squares: Floats, shift: Floats | float = 0.0) -> Moments:
        """From ``total = sum(x - shift)`` and ``squares = sum((x - shift)²)``, both ``[units]``.

        A ``shift`` near the mean keeps the difference of the two large sums accurate.
        """
        if count == 0:
            return cls.none(len(total))
        with np.errstate(invalid="ignore", over="ignore"):
            centre = total / count
            mean = centre + shift
            finite = np.isfinite(mean)
            return cls(
                count,
                np.where(finite, mean, np.nan),
                np.where(finite, np.maximum(squares - total * centre, 0.0), np.nan),
            )

    def __add__(self, other: Moments) -> Moments:
        """The moments of both sets of samples together."""
        if self.count == 0 or other.count == 0:
            return other if self.count == 0 else self
        count = self.count + other.count
        with np.errstate(invalid="ignore", over="ignore"):
            gap = other.mean - self.mean
            mean = self.mean + gap * (other.count / count)
            m2 = self.m2 + other.m2 + gap**2 * (self.count * other.count / count)
        return Moments(count, mean, m2)

    def lasting(self) -> Moments:
        """The same, in memory of its own."""
        return Moments(self.count, cast("Floats", lasting(self.mean)), cast("Floats", lasting(self.m2)))

    @property
    def variance(self) -> Floats:
        """``[units]``, population variance, in squared activation units; NaN without samples."""
        if self.count == 0:
            return np.full(len(self.mean), np.nan)
        return self.m2 / self.count

    @property
    def std(self) -> Floats:
        """``[units]``, population standard deviation, in activation units."""
        return np.sqrt(self.variance)

    def pooled(self) -> Moments:
        """The moments of all units taken together, as if they were one unit."""
        whole = Moments.none(1)
        if self.count == 0 or len(self.mean) == 0:
            return whole
        units = len(self.mean)
        with np.errstate(invalid="ignore", over="ignore"):
            mean = self.mean.mean()
            m2 = self.m2.sum() + self.count * ((self.mean - mean) ** 2).sum()
        return Moments(self.count * units, np.array([mean]), np.array([m2]))
