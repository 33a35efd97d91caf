"""Curves over one horizontal axis, before they are drawn in any way."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Line", "Panel", "label", "ticks"]

Floats = npt.NDArray[np.float64]

ROUND = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, eq=False)
class Line:
    """One curve.

    Attributes:
        name: what it is called where there are several.
        segments: its unbroken parts, ``x`` and ``y`` of each, ``[points]``; between two of them it jumps.
        dots: single places to mark: what the curve is at a jump.
    """

    name: str
    segments: tuple[tuple[Floats, Floats], ...]
    dots: tuple[tuple[float, float], ...] = ()

    def values(self) -> Floats:
        """All finite ``y``."""
        every = np.concatenate([np.zeros(0), *(y for _, y in self.segments), np.array([y for _, y in self.dots])])
        return every[np.isfinite(every)]


@dataclass(frozen=True, eq=False)
class Panel:
    """One drawing: curves that share both axes.

    Attributes:
        title: what the vertical axis is.
        lines: at least one; the same in every panel of a drawing, in the same order.
        x: first and last place.
    """

    title: str
    lines: tuple[Line, ...]
    x: tuple[float, float]

    @property
    def y(self) -> tuple[float, float]:
        """From the smallest to the largest value, 0 included, with some room; 1 each way around a constant 0."""
        every = np.concatenate([line.values() for line in self.lines])
        low, high = float(every.min(initial=0.0)), float(every.max(initial=0.0))
        if low == high:
            return -1.0, 1.0
        room = 0.06 * (high - low)
        return low - room, high + room


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from low to high, at most so many, evenly spaced.

    >>> ticks(-0.3, 4.2, 5)
    [0.0, 1.0, 2.0, 3.0, 4.0]
    >>> ticks(-4, 4, 5)
    [-4.0, -2.0, 0.0, 2.0, 4.0]
    """
    for spacing in _spacings((high - low) / max(most, 1)):
        first, last = math.ceil(low / spacing - 1e-9), math.floor(high / spacing + 1e-9)
        if last - first + 1 <= most:
            return [round(k * spacing, 12) + 0.0 for k in range(first, last + 1)]
    return []


def _spacings(least: float) -> Iterable[float]:
    power = math.floor(math.log10(least)) if least > 0 else 0
    return (step * 10.0**exponent for exponent in (power, power + 1, power + 2) for step in ROUND[:3])


def label(tick: float) -> str:
    """A round number in as few letters as it takes.

    >>> [label(t) for t in (0.0, -0.5, 2000.0, 1e7)]
    ['0', '-0.5', '2000', '1e7']
    """
    text = f"{tick:.6g}"
    if "e" not in text:
        return text
    digits, power = text.split("e")
    return f"{digits}e{int(power)}"
