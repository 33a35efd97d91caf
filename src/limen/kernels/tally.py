"""Sums over the samples of a step and over windows of steps, unit by unit and of all units together, in numpy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from limen.kernels.rules import Rules
from limen.kernels.torch_pass import Floats, Integers, Sums

__all__ = ["Counts", "Kept", "Part", "Tally", "Whole", "forget", "no_counts"]

Counts = npt.NDArray[np.uint32]


class Part(NamedTuple):
    """Some samples of all units; arrays are ``[units]``. A unit with a value that is not finite has no mean."""

    samples: int
    nonfinite: int
    left: Integers
    right: Integers
    mean: Floats
    m2: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, sums: Sums) -> Part:
        """From the sums of one tensor. An infinite mean is none: it would depend on the order of the parts."""
        centre = sums.total / sums.samples
        mean = centre + sums.shift
        if sums.nonfinite:
            mean[~np.isfinite(mean)] = np.nan
        m2 = np.maximum(sums.squares - centre * sums.total, 0.0)
        return cls(sums.samples, sums.nonfinite, sums.left, sums.right, mean, m2, sums.low, sums.high)


@dataclass(frozen=True)
class Whole:
    """All units together.

    Attributes:
        count: numbers seen, of all units.
        flat: of them on a flat side.
        mean: of all of them; NaN where some were not finite, as is ``m2``.
        m2: sum of their squared deviations from ``mean``.
        low: the smallest; +inf without samples.
        high: the largest; -inf without samples.
    """

    count: int = 0
    flat: int = 0
    mean: float = 0.0
    m2: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    @classmethod
    def of(cls, part: Part) -> Whole:
        """What is known of each unit."""
        mean = float(part.mean.mean())
        m2 = float(part.m2.sum()) + part.samples * float(np.square(part.mean - mean).sum())
        flat = int(part.left.sum() + part.right.sum())
        return cls(part.samples * len(part.mean), flat, mean, m2, float(part.low.min()), float(part.high.max()))

    def __add__(self, other: Whole) -> Whole:
        """Both together (Chan, Golub & LeVeque 1983)."""
        if self.count == 0:
            return other
        count, gap = self.count + other.count, other.mean - self.mean
        return Whole(
            count,
            self.flat + other.flat,
            self.mean + gap * (other.count / count),
            self.m2 + other.m2 + gap * gap * (self.count * other.count / count),
            min(self.low, other.low),
            max(self.high, other.high),
        )


class Tally:
    """Sums over fewer than 2³² samples, added to in place.

    Attributes:
        whole: all units together.
        left: ``[units]``, samples on the flat left side.
        right: ``[units]``, samples on the flat right side; read only where there is none.
        mean: ``[panel]``, as are ``m2``, ``low`` and ``high``.
    """

    def __init__(self, rules: Rules) -> None:
        self.samples = self.nonfinite = 0
        self.left: Counts = np.zeros(rules.units, np.uint32)
        self.right: Counts = no_counts(rules.units) if rules.right is None else np.zeros(rules.units, np.uint32)
        self.mean, self.m2, self.low, self.high = np.zeros((4, rules.panel_size))
        self.clear()

    def clear(self) -> None:
        """Forget all samples."""
        self.samples = self.nonfinite = 0
        self.whole = Whole()
        forget(self)

    def add(self, part: Part | Tally) -> None:
        """Add other samples (Chan, Golub & LeVeque 1983); of a part, what the panel saw."""
        whole = self.samples + part.samples
        gap = part.mean - self.mean
        self.mean += gap * (part.samples / whole)
        self.m2 += part.m2 + gap * gap * (self.samples * part.samples / whole)
        np.add(self.left, part.left, out=self.left, casting="unsafe")
        if self.right.flags.writeable:
            np.add(self.right, part.right, out=self.right, casting="unsafe")
        np.fmin(self.low, part.low, out=self.low)
        np.fmax(self.high, part.high, out=self.high)
        self.samples = whole
        self.nonfinite += part.nonfinite


@dataclass(frozen=True, eq=False)
class Kept:
    """Sums over full windows, as a value; arrays as of ``Tally``."""

    samples: int
    nonfinite: int
    whole: Whole
    left: npt.NDArray[np.integer]
    right: npt.NDArray[np.integer]
    mean: Floats
    m2: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, window: Tally) -> Kept:
        """A copy of a window."""
        panel = (column.copy() for column in (window.mean, window.m2, window.low, window.high))
        return cls(window.samples, window.nonfinite, window.whole, fewest(window.left), fewest(window.right), *panel)

    def __add__(self, other: Kept) -> Kept:
        """Both together (Chan, Golub & LeVeque 1983)."""
        samples, gap = self.samples + other.samples, other.mean - self.mean
        with np.errstate(invalid="ignore", over="ignore"):
            share = other.samples / samples
            return Kept(
                samples,
                self.nonfinite + other.nonfinite,
                self.whole + other.whole,
                fewest(self.left.astype(np.int64) + other.left),
                fewest(self.right.astype(np.int64) + other.right),
                self.mean + gap * share,
                self.m2 + other.m2 + gap * gap * (self.samples * share),
                np.fmin(self.low, other.low),
                np.fmax(self.high, other.high),
            )


def fewest(counts: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """``[units]``, a copy in as few bytes as hold them."""
    return counts.astype(np.min_scalar_type(int(counts.max())))


def no_counts(units: int) -> Counts:
    """``[units]``, zeros that take no memory."""
    return np.broadcast_to(np.zeros((), np.uint32), units)


def forget(tally: Any) -> None:
    """Bring the arrays of a tally back to those of no samples."""
    for sums in (tally.left, tally.mean, tally.m2, *([tally.right] if tally.right.flags.writeable else [])):
        sums.fill(0)
    tally.low.fill(math.inf)
    tally.high.fill(-math.inf)
