"""Numbers as an unevaluated sum of two doubles, for what would lose digits in one.

A formula that is written with these operators and functions works on tensors of doubles as well, so an entry has one
formula, which is computed in doubles where the result is rounded to a narrower type, and in twofold where it is itself
a double. There, gates and slopes are then off by hardly more than the one rounding at the end, also where their terms
cancel.

Source: Dekker 1971, "A floating-point technique for extending the available precision"; Knuth, TAOCP 2, 4.2.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = [
    "Number",
    "Twofold",
    "alike",
    "clamp",
    "collapse",
    "exp",
    "log1p",
    "magnitude",
    "matched",
    "near",
    "product",
    "single",
    "sqrt",
    "tanh",
    "total",
    "where",
]

SPLITTER = 134217729.0
"""``2²⁷ + 1``: splits a double into two halves whose products are exact. Overflows from 1e300."""


def halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """The upper and the lower 26 bits."""
    large = SPLITTER * x
    high = large - (large - x)
    return high, x - high


def product(x: Tensor, y: Tensor | float) -> Twofold:
    """``x y``, exactly."""
    (a, b), (c, d) = halves(x), halves(y if isinstance(y, Tensor) else x.new_full((), y))
    first = x * y
    return Twofold(first, ((a * c - first) + a * d + b * c) + b * d)


def total(x: Tensor | float, y: Tensor) -> Twofold:
    """``x + y``, exactly."""
    first = x + y
    part = first - x
    return Twofold(first, (x - (first - part)) + (y - part))


def single(x: Tensor) -> Twofold:
    """A double."""
    return Twofold(x, torch.zeros_like(x))


@dataclass(frozen=True, eq=False, slots=True)
class Twofold:
    """A number as the double next to it and what is missing.

    Sums, products and quotients are good to about 2⁻¹⁰⁰ of their terms, if nothing overflows or is subnormal. A tensor
    may stand on the other side, but not where ``torch.compile`` should follow: it takes that for its own operation.
    """

    near: Tensor
    rest: Tensor

    def __neg__(self) -> Twofold:
        return Twofold(-self.near, -self.rest)

    def __add__(self, other: Number | float) -> Twofold:
        if isinstance(other, Twofold):
            return total(self.near, other.near).adjusted(self.rest + other.rest)
        return total(other, self.near).adjusted(self.rest)

    __radd__ = __add__

    def __sub__(self, other: Number | float) -> Twofold:
        return self + -other

    def __rsub__(self, other: Tensor | float) -> Twofold:
        return -self + other

    def __mul__(self, other: Number | float) -> Twofold:
        if isinstance(other, Twofold):
            return product(self.near, other.near).adjusted(self.near * other.rest + self.rest * other.near)
        return product(self.near, other).adjusted(self.rest * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Number | float) -> Twofold:
        divisor = other.near if isinstance(other, Twofold) else other
        first = self.near / divisor
        left = self - (other * single(first) if isinstance(other, Twofold) else product(first, other))
        return single(first).adjusted(left.near / divisor)

    def __rtruediv__(self, other: Tensor | float) -> Twofold:
        return single(torch.zeros_like(self.near) + other) / self

    def adjusted(self, more: Tensor) -> Twofold:
        """With something small added, and ``near`` the double next to it again."""
        small = self.rest + more
        first = self.near + small
        return Twofold(first, small - (first - self.near))


Number = Tensor | Twofold


def near(x: Number) -> Tensor:
    """The double next to a number."""
    return x.near if isinstance(x, Twofold) else x


def collapse(x: Number) -> Tensor:
    """A number as one double; the sign of a zero is kept."""
    return torch.where(x.rest == 0, x.near, x.near + x.rest) if isinstance(x, Twofold) else x


def where(condition: Tensor, x: Number | float, y: Number | float) -> Number:
    """``x`` where the condition holds, ``y`` elsewhere."""
    if not isinstance(x, Twofold) and not isinstance(y, Twofold):
        return torch.where(condition, x, y)
    (a, b), (c, d) = _parts(x), _parts(y)
    return Twofold(torch.where(condition, a, c), torch.where(condition, b, d))


def _parts(x: Number | float) -> tuple[Tensor | float, Tensor | float]:
    return (x.near, x.rest) if isinstance(x, Twofold) else (x, 0.0)


def alike(x: Number, y: Tensor) -> Number:
    """The tensor ``y`` as a number of the kind of ``x``."""
    return single(y) if isinstance(x, Twofold) else y


def magnitude(x: Number) -> Number:
    """``|x|``."""
    return where(x.near < 0, -x, x) if isinstance(x, Twofold) else x.abs()


def matched(x: Number, near: float, rest: float) -> Number | float:
    """A constant with as many digits as ``x`` has."""
    return Twofold(x.near.new_full((), near), x.near.new_full((), rest)) if isinstance(x, Twofold) else near


def clamp(x: Number, low: float, high: float) -> Number:
    """``x`` no less than ``low`` and no more than ``high``; NaN stays."""
    if not isinstance(x, Twofold):
        return x.clamp(low, high)
    inside = (x.near >= low) & (x.near <= high)
    return Twofold(x.near.clamp(low, high), torch.where(inside, x.rest, 0.0))


# --- functions ------------------------------------------------------------------------------------------------

LOG_2, LOG_2_REST = 0.6931471803691238, 1.9082149292705877e-10
"""``log 2`` in two parts: the first has 33 bits, so that a whole number of up to 2²⁰ times it is exact."""

TERMS = tuple(1 / math.factorial(n) for n in range(15, 2, -1))
"""Of the series of ``exp``, from the 15th power down to the third: enough for 2⁻⁶⁰ at ``log(2) / 2``."""


def power_of_two(exponent: Tensor) -> Tensor:
    """``2^exponent`` for whole numbers between -1022 and 1023, exactly."""
    return ((exponent.long() + 1023) << 52).view(torch.float64)


def exp(x: Number) -> Number:
    """Relative error of a twofold one 2⁻⁵⁹, for ``x`` from -745 to 700; what is below is 0 or about so."""
    if not isinstance(x, Twofold):
        return torch.exp(x)
    at = x.near.clamp(-760.0, 700.0)
    whole = torch.round(at.detach() / math.log(2)).nan_to_num(0.0)
    r = total(at - whole * LOG_2, -whole * LOG_2_REST).adjusted(x.rest)
    series = torch.zeros_like(at)
    for term in TERMS:
        series = series * r.near + term
    square = product(r.near, r.near)
    small = r.rest + (0.5 * square.rest + r.near * r.rest + r.near * square.near * series)
    first = total(1.0, r.near)
    second = total(first.near, 0.5 * square.near)
    mantissa = Twofold(second.near, first.rest + second.rest).adjusted(small)
    half = torch.floor(whole / 2)  # 2^whole itself may be too small for a double
    low, high = power_of_two(half), power_of_two(whole - half)
    return Twofold(mantissa.near * low * high, mantissa.rest * low * high)


def sqrt(x: Number) -> Number:
    """Square root of numbers above 0."""
    if not isinstance(x, Twofold):
        return torch.sqrt(x)
    guess = torch.sqrt(x.near)
    return single(guess).adjusted(collapse(x - product(guess, guess)) / (2 * guess))


def log1p(x: Number) -> Number:
    """``log(1 + x)`` for ``x >= 0``: of a twofold one the logarithm of the double, and a step of Newton's."""
    if not isinstance(x, Twofold):
        return torch.log1p(x)
    guess = torch.log1p(x.near)
    return single(guess).adjusted(collapse((x + 1) * exp(single(-guess)) - 1))


def tanh(x: Number) -> Number:
    """``tanh(x)`` from an exponential; near 0, where that cancels, from the series."""
    if not isinstance(x, Twofold):
        return torch.tanh(x)
    falling = exp(magnitude(x) * -2.0)
    size = (1 - falling) / (1 + falling)
    square = x.near * x.near
    series = square * (-1 / 3 + square * (2 / 15 + square * (-17 / 315 + square * (62 / 2835))))
    return where(square < 2.0**-12, x.adjusted(x.near * series), where(x.near < 0, -size, size))
