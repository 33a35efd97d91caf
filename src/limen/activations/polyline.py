"""Functions made of straight pieces, with any number of kinks."""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from limen.activations.pieces import keep_nan
from limen.activations.sheet import Saved, Sheet

__all__ = ["Polyline"]

ROUNDING = 2.0**-44
"""Two slopes that differ by less than this share of the steepest one are the same but for rounding: no kink."""


@dataclass(frozen=True)
class Polyline:
    """Straight pieces that meet at knots; the outer ones go on for ever.

    Each value is computed from the knot on that side of its piece which is nearer to 0, so that a function whose
    knots and values mirror each other is odd or even to the last bit.

    Attributes:
        knots: ascending; 0 is one of them.
        values: of the function at the knots.
        slopes: of the pieces from left to right, one more than there are knots.
        at_knots: the slope that counts at each knot.
    """

    knots: tuple[float, ...]
    values: tuple[float, ...]
    slopes: tuple[float, ...]
    at_knots: tuple[float, ...]

    def f(self, x: Tensor) -> Tensor:
        """Value."""
        middle = self.knots.index(0.0)
        y = torch.where(x > 0, self._piece(x, middle, 1), self._piece(x, middle, 0))
        for i, knot in enumerate(self.knots):
            if knot > 0:
                y = torch.where(x > knot, self._piece(x, i, 1), y)
        for i, knot in reversed(list(enumerate(self.knots))):
            if knot < 0:
                y = torch.where(x < knot, self._piece(x, i, 0), y)
        return keep_nan(x, y)

    def _piece(self, x: Tensor, knot: int, side: Literal[0, 1]) -> Tensor:
        """The straight line through a knot that is the piece left or right of it."""
        value, slope = self.values[knot], self.slopes[knot + side]
        if slope == 0:  # 0 · inf would be NaN
            return torch.full_like(x, value)
        way = slope * (x - self.knots[knot])
        return value + way if value else way  # 0 + -0 would lose the sign

    def df(self, x: Tensor) -> Tensor:
        """Slope."""
        y = torch.full_like(x, self.slopes[0])
        for knot, slope, at_knot in zip(self.knots, self.slopes[1:], self.at_knots, strict=True):
            y = torch.where(x > knot, slope, torch.where(x == knot, at_knot, y))
        return keep_nan(x, y)

    @cached_property
    def kinks(self) -> tuple[float, ...]:
        """The knots at which the slope changes by more than rounding."""
        steps = (right - left for left, right in pairwise(self.slopes))
        return tuple(knot for knot, step in zip(self.knots, steps, strict=True) if abs(step) > self._rounding)

    @property
    def _rounding(self) -> float:
        return ROUNDING * max(map(abs, self.slopes))

    def sheet(self, year: int) -> Sheet:
        """The properties of the function."""
        limits = (_end(self.values[0], -self.slopes[0]), _end(self.values[-1], self.slopes[-1]))
        steps = [right - left for left, right in pairwise(self.slopes)]
        least = self._rounding
        return Sheet(
            range=(min(*self.values, *limits), max(*self.values, *limits)),
            limits=limits,
            monotone=min(self.slopes) >= 0,
            lipschitz=max(map(abs, self.slopes)),
            saved=self._saved(),
            year=year,
            kinks=self.kinks,
            parity=self._parity(),
            convex=min(steps) >= -least,
            concave=max(steps) <= least,
            homogeneous=self._degree(),
        )

    def _saved(self) -> Saved:
        """By how many slopes there are."""
        different = len({*self.slopes, *self.at_knots})
        return {1: "nothing", 2: "mask", 3: "signs"}.get(different, "input")  # type: ignore[return-value]

    def _parity(self) -> Literal["odd", "even"] | None:
        mirrored = all(left == -right for left, right in zip(self.knots, reversed(self.knots), strict=True))
        pairs = list(zip(self.values, reversed(self.values), strict=True))
        turned = list(zip(self.slopes, reversed(self.slopes), strict=True))
        for parity, sign in (("odd", -1), ("even", 1)):
            same = all(left == sign * right for left, right in pairs)
            if mirrored and same and all(left == -sign * right for left, right in turned):
                return parity  # type: ignore[return-value]
        return None

    def _degree(self) -> int | None:
        """1 for two straight lines that meet at the origin, 0 for a constant."""
        if set(self.slopes) == {0.0}:
            return 0
        return 1 if set(self.kinks) <= {0.0} and self.values[self.knots.index(0.0)] == 0 else None


def _end(value: float, slope: float) -> float:
    """The limit of a piece that leaves from a value with a slope, seen outwards."""
    return value if slope == 0 else math.copysign(math.inf, slope)
