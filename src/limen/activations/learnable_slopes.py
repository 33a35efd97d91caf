# ruff: noqa: D102 - the interface says what each method is
"""Straight pieces whose slopes are learned or drawn. An entry describes one moment of training."""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from torch import Tensor

from limen.activations.base import register
from limen.activations.coefficients import settle_numbers
from limen.activations.interface import Entry, check_number
from limen.activations.pieces import zero
from limen.activations.polyline import Polyline
from limen.activations.rectified import leaky, leaky_sheet, leaky_slope
from limen.activations.rounding import exact
from limen.activations.sheet import Sheet
from limen.errors import InvalidValue

__all__ = ["APL", "RReLU"]


@register("rrelu")
@dataclass(frozen=True)
class RReLU(Entry):
    """``f(x) = x`` for ``x > 0``, else ``a x`` with ``a = (lower + upper) / 2``: what it is in evaluation.

    In training ``a`` is drawn for each element, evenly between ``lower`` and ``upper``.

    Range: all reals for positive slopes; slope ``a`` (11/48 by default) for ``x <= 0``, 1 for ``x > 0``.
    Hazards: a forward pass in training takes random numbers, so it cannot be repeated without its seed.
    """

    lower: float = 1 / 8
    upper: float = 1 / 3
    source = "Xu et al. 2015, arXiv:1505.00853, Sec. 2.4"

    def __post_init__(self) -> None:
        check_number(self, "lower")
        check_number(self, "upper")
        if self.lower > self.upper:
            raise InvalidValue(
                f"rrelu(lower={self.lower!r}, upper={self.upper!r}): expected lower <= upper. Exchange them."
            )

    @property
    def negative_slope(self) -> float:
        """The mean of the slopes that are drawn."""
        return (self.lower + self.upper) / 2

    @property
    def sheet(self) -> Sheet:
        return leaky_sheet(self.negative_slope, 2015)

    @exact
    def f(self, x: Tensor) -> Tensor:
        return leaky(x, self.negative_slope)

    def df(self, x: Tensor) -> Tensor:
        return leaky_slope(x, self.negative_slope)

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("apl")
@dataclass(frozen=True)
class APL(Entry):
    """``f(x) = max(x, 0) + sum_s slopes[s] * max(hinges[s] - x, 0)``, with slopes and hinges that are learned.

    The entry describes one moment of training: the numbers then, or their means over the channels. By default it is a
    leaky ReLU of slope 1/4 up to -1, where it levels off.

    Range: depends on the slopes; ``x`` right of 0 and of all hinges, slope ``-sum(slopes)`` left of them.
    Hazards: at least one more kink for each hinge; nothing keeps the slopes small but a penalty. Slope in
    ``slopes[s]``: ``max(hinges[s] - x, 0)``; in ``hinges[s]``: ``slopes[s]`` left of it, else 0.
    """

    slopes: tuple[float, ...] = (-0.25, 0.25)
    hinges: tuple[float, ...] = (0.0, -1.0)
    source = "Agostinelli et al. 2014, arXiv:1412.6830, Eq. 1"

    def __post_init__(self) -> None:
        found = len(settle_numbers(self, "slopes")), len(settle_numbers(self, "hinges"))
        if found[0] != found[1]:
            raise InvalidValue(f"apl: {found[0]} slopes and {found[1]} hinges. Expected one slope for each hinge.")

    @property
    def sheet(self) -> Sheet:
        return _pieces(self).sheet(2014)

    @property
    def kinks(self) -> tuple[float, ...]:
        return _pieces(self).kinks

    @exact
    def f(self, x: Tensor) -> Tensor:
        return _pieces(self).f(x)

    @exact
    def df(self, x: Tensor) -> Tensor:
        return _pieces(self).df(x)

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@lru_cache(maxsize=1024)
def _pieces(entry: APL) -> Polyline:
    """The pieces between the kinks; the slope at a kink is that of the formula with ``max(0, 0)`` flat."""
    knots = tuple(sorted({0.0, *entry.hinges}))
    hinged = list(zip(entry.slopes, entry.hinges, strict=True))

    def value(x: float) -> float:
        return max(x, 0.0) + sum(slope * max(hinge - x, 0.0) for slope, hinge in hinged)

    def slope(x: float) -> float:
        return float(x > 0) - sum(slope for slope, hinge in hinged if x < hinge)

    between = [(left + right) / 2 for left, right in pairwise(knots)]
    ends = math.nextafter(knots[0], -math.inf), math.nextafter(knots[-1], math.inf)
    slopes = [slope(place) for place in (ends[0], *between, ends[1])]
    # left of a kink that is 0 a slope of -0.0 would be a second zero
    return Polyline(knots, tuple(map(value, knots)), tuple(one + 0.0 for one in slopes), tuple(map(slope, knots)))
