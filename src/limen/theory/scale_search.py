"""The scale and shift of a function's argument at which the maps of its layer are as asked."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from limen.theory.crossing import crossing
from limen.theory.curve import Curve, Floats
from limen.theory.quadrature import means, rule

__all__ = ["Averages", "Place", "is_settled", "nearest_places"]

LEAST_SCALE, MOST_SCALE = 1e-4, 32.0
SHELLS = (0.0, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)
"""Input shifts, of both signs, between which a place is looked for: from the nearest to 0 outwards."""

FLAT = 1e-6
"""Root mean square slope below which a function is too flat to be scaled up."""

MET = 1e-8
"""How far the slope of the length map may be from 1; beyond, the search found a jump, not a place."""


@dataclass(frozen=True)
class Averages:
    """Over ``x = input_shift + input_scale · z`` with standard normal ``z``; slopes are those by ``z``.

    Attributes:
        mean: ``E[f]``.
        variance: ``Var f``.
        slope_square: ``E[f'²]``.
        growth: ``E[z (f - E f) f']``.
        tilt: ``E[z f']``.
        bend_square: ``E[f''²]``.
    """

    mean: float
    variance: float
    slope_square: float
    growth: float
    tilt: float
    bend_square: float


@dataclass(frozen=True)
class Place:
    """Where to apply a function, and what to add to its mean.

    Attributes:
        scale: of the argument.
        shift: of the argument, after scaling.
        offset: the mean that the value shall have once shifted.
        averages: there.
    """

    scale: float
    shift: float
    offset: float
    averages: Averages


Excess = Callable[[Averages], float]


def nearest_places(curve: Curve, excess: Excess, sides: Sequence[int]) -> Iterator[Place]:
    """Places at which the slope of the length map is 1, those of small input shifts first.

    Args:
        curve: the function.
        excess: what shall be 0 there; below 0 for small scales, at which every function is straight.
        sides: 0 for values of mean 0; 1 or -1 for values whose mean, of that sign, makes the slope of the correlation
            map 1.
    """
    roads = [_Road(curve, excess, side) for side in sides]
    for near, far in pairwise(SHELLS):
        found = [
            place
            for direction in (1, -1)
            for road in roads
            if (place := road.place_between(direction * near, direction * far))
        ]
        yield from sorted(found, key=lambda place: round(abs(place.shift), 9))  # of two alike, the one of shift > 0


class _Road:
    """The places, one for each shift, at which the excess is 0; followed to where the slope of the length map is 1."""

    def __init__(self, curve: Curve, excess: Excess, side: int) -> None:
        self.curve, self.excess, self.side = curve, excess, side
        self.at = lru_cache(maxsize=None)(self._at)

    def place_between(self, low: float, high: float) -> Place | None:
        ends = self.at(low), self.at(high)
        if None in ends or (self._missing(low) > 0) == (self._missing(high) > 0):
            return None
        shift = crossing(self._missing, low, high)
        place = None if math.isnan(shift) else self.at(shift)
        return place if place and abs(_chi_q(place) - 1) < MET else None

    def _missing(self, shift: float) -> float:
        place = self.at(shift)
        return math.nan if place is None else _chi_q(place) - 1

    def _at(self, shift: float) -> Place | None:
        def excess(log_scale: float) -> float:
            return self.excess(averages(self.curve, math.exp(log_scale), shift))

        low = math.log(LEAST_SCALE)
        if not averages(self.curve, LEAST_SCALE, shift).slope_square > (FLAT * LEAST_SCALE) ** 2 or excess(low) > 0:
            return None
        high = low + 1
        while not excess(high) > 0:
            low, high = high, high + 1
            if high > math.log(MOST_SCALE):
                return None
        scale = math.exp(crossing(excess, low, high))
        found = averages(self.curve, scale, shift)
        return Place(scale, shift, self.side * math.sqrt(max(found.slope_square - found.variance, 0.0)), found)


def _chi_q(place: Place) -> float:
    found = place.averages
    return (found.growth + place.offset * found.tilt) / (found.variance + place.offset**2)


def averages(curve: Curve, scale: float, shift: float) -> Averages:
    """The averages of a function at one scale and shift."""
    z, weight = rule(tuple(kink - shift for kink in curve.breaks), scale)
    x = shift + scale * z
    (rest,) = curve.value(np.array([shift]))
    value, slope, bend = curve.value(x) - rest, scale * curve.slope(x), scale**2 * curve.curvature(x)
    each = np.stack([value, value**2, slope**2, z * value * slope, z * slope, bend**2]) @ weight
    mean, square, slope_square, growth, tilt, bend_square = (float(one) for one in each)
    return Averages(float(rest) + mean, square - mean**2, slope_square, growth - mean * tilt, tilt, bend_square)


def is_settled(curve: Curve, place: Place) -> bool:
    """Whether panels that are halved until nothing changes find the same at a place: they do if all kinks are named."""

    def squares(z: Floats) -> Floats:
        x = place.shift + place.scale * z
        return np.stack([curve.value(x) ** 2, (place.scale * curve.slope(x)) ** 2])

    breaks = tuple((kink - place.shift) / place.scale for kink in curve.breaks)
    found = place.averages
    exact = means(squares, 1.0, breaks)
    return bool(np.allclose(exact, [found.variance + found.mean**2, found.slope_square], rtol=1e-10, atol=0))
