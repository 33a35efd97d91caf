# ruff: noqa: D102 - the interface says what each method is
"""A quotient of two learned polynomials. An entry describes one moment of training."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from limen.activations.base import register
from limen.activations.coefficients import settle_numbers
from limen.activations.interface import Entry
from limen.activations.rounding import exact
from limen.activations.sheet import Sheet
from limen.activations.turning import sheet_of

__all__ = ["PAU", "quotient"]

TOUCHES = 1e-9
"""Slopes and values below this at a root of a polynomial are those of a multiple root."""

Numbers = Sequence[Tensor] | Sequence[float]


def horner(x: Tensor, coefficients: Numbers) -> Tensor:
    """``sum_k coefficients[k] x^k``."""
    y = torch.zeros_like(x)
    for coefficient in reversed(coefficients):
        y = y * x + coefficient
    return y


def quotient(x: Tensor, numerator: Numbers, denominator: Numbers) -> Tensor:
    """``P(x) / (1 + |A(x)|)`` with ``P = sum_j a_j x^j`` and ``A = sum_k b_k x^k``, ``k`` from 1.

    Beyond ±1 both are divided by their highest powers, so that nothing overflows which is not infinite itself.

    Args:
        x: any shape, floating point.
        numerator: ``a_0 … a_m``, numbers or tensors that broadcast with ``x``.
        denominator: ``b_1 … b_n`` likewise.
    """
    near = x.clamp(-1.0, 1.0)
    inside = horner(near, numerator) / (1 + (near * horner(near, denominator)).abs())
    t = 1 / torch.where(x.abs() > 1, x, 1.0)
    below = t.abs() ** len(denominator) + horner(t, denominator[::-1]).abs()
    outside = horner(t, numerator[::-1]) / below
    return torch.where(x.abs() > 1, outside * _power(x, len(numerator) - 1, len(denominator)), inside)


def _power(x: Tensor, numerator: int, denominator: int) -> Tensor:
    """``x^m / |x|^n``, 1 where ``|x| <= 1``."""
    far = torch.where(x.abs() > 1, x, 1.0)
    sign = far.sign() if denominator % 2 else 1.0
    return sign * far ** (numerator - denominator)


@register("pau")
@dataclass(frozen=True)
class PAU(Entry):
    """``f(x) = P(x) / Q(x)``: ``P = sum_j numerator[j] x^j``, ``Q = 1 + |sum_k denominator[k - 1] x^k|``; all learned.

    Also called safe Padé activation unit; ``Q`` is never below 1. The entry describes one moment of training: the
    numbers then, or their means over the channels. By default it is the least-squares fit to a leaky ReLU of slope
    0.01 between -5 and 5, which is less than 0.06 away from it and turns at -3.63808, -2.7335, -1.03826 and -0.37552.

    Range: all reals for degrees 5 and 4, where far out it has the same slope on both sides, whatever it is near 0.
    Hazards: computed term by term it is NaN for large inputs. Kinks where the sum within the bars changes its sign.
    Slopes in the parameters: ``x^j / Q``, and ``-P x^k / Q²`` with the sign of the sum.
    """

    numerator: tuple[float, ...] = (0.05595350453, 0.505, 0.9916050518, 0.7229241845, 0.2010043064, 0.01971640596)
    denominator: tuple[float, ...] = (0.0, 1.431533039, 0.0, 0.03904238804)
    source = "Molina, Schramowski & Kersting 2020, arXiv:1907.06732"

    def __post_init__(self) -> None:
        settle_numbers(self, "numerator")
        settle_numbers(self, "denominator", least=0)

    @property
    def sheet(self) -> Sheet:
        return _sheet(self)

    @property
    def kinks(self) -> tuple[float, ...]:
        return _kinks(self)

    @exact
    def f(self, x: Tensor) -> Tensor:
        return quotient(x, *_stripped(self))

    @exact
    def df(self, x: Tensor) -> Tensor:
        return _derivatives(self, x)[0]

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return _derivatives(self, x)[1]


def _stripped(entry: PAU) -> tuple[list[float], list[float]]:
    """Both polynomials up to their last coefficient that is not 0."""
    rows = [list(entry.numerator), list(entry.denominator)]
    for row in rows:
        while row and row[-1] == 0:
            row.pop()
    return rows[0] or [0.0], rows[1]


def _slopes(coefficients: Sequence[float]) -> list[float]:
    """The coefficients of the slope of a polynomial."""
    return [k * coefficient for k, coefficient in enumerate(coefficients)][1:]


def _derivatives(entry: PAU, x: Tensor) -> tuple[Tensor, Tensor]:
    """Slope and curvature."""
    numerator, denominator = _stripped(entry)
    near = x.clamp(-1.0, 1.0)
    inner = [0.0, *denominator]
    side = _side(near, denominator)
    top = [horner(near, row) for row in _thrice(numerator)]
    bottom = [horner(near, row) * side for row in _thrice(inner)]
    _, slope, curvature = _ratio(top, [bottom[0] + 1, *bottom[1:]])

    # beyond ±1: f = s^m y^(m - n) r(t), y = |x|, t = 1 / y; r has all signs put in
    power, sign = len(numerator) - 1 - len(denominator), torch.where(x < 0, -1.0, 1.0).to(x.dtype)
    y = torch.where(x.abs() > 1, x.abs(), 1.0)
    t = 1 / y
    turned = [_mirrored(t, sign, row) for row in (numerator, inner)]
    side = turned[1][0].sign()
    below = [side * part for part in turned[1]]
    for order, factor in enumerate((1, len(denominator), len(denominator) * (len(denominator) - 1))):
        if factor:
            below[order] = below[order] + factor * t ** (len(denominator) - order)
    r, dr, d2r = _ratio(turned[0], below)
    far_slope = sign * y ** (power - 1) * (power * r - t * dr)
    far_curvature = y ** (power - 2) * (power * (power - 1) * r - 2 * (power - 1) * t * dr + t * t * d2r)
    far = x.abs() > 1
    slope, curvature = torch.where(far, far_slope, slope), torch.where(far, far_curvature, curvature)
    return torch.where(x.isnan(), x, slope), torch.where(x.isnan(), x, curvature)


def _side(x: Tensor, denominator: list[float]) -> Tensor:
    """The sign of ``sum_k b_k x^k`` at ``|x| <= 1``; that of both sides where it is 0 between two of the same sign."""
    zeros = next((k for k, one in enumerate(denominator) if one), len(denominator))
    rest = horner(x, denominator[zeros:]).sign()
    return rest if zeros % 2 else rest * x.sign()


def _thrice(row: Sequence[float]) -> tuple[Sequence[float], ...]:
    """A polynomial, its slope and its curvature."""
    return row, _slopes(row), _slopes(_slopes(row))


def _mirrored(t: Tensor, sign: Tensor, row: Sequence[float]) -> list[Tensor]:
    """``t^m P(sign / t)`` as a polynomial in ``t`` for each sign, with its slope and curvature."""
    right, left = list(row[::-1]), [(-1) ** k * one for k, one in enumerate(row)][::-1]
    pairs = zip(_thrice(right), _thrice(left), strict=True)
    return [torch.where(sign > 0, horner(t, plus), horner(t, minus)) for plus, minus in pairs]


def _ratio(top: list[Tensor], bottom: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """A quotient with its slope and curvature, from those of its parts."""
    r = top[0] / bottom[0]
    dr = (top[1] - r * bottom[1]) / bottom[0]
    return r, dr, (top[2] - r * bottom[2]) / bottom[0] - 2 * (bottom[1] / bottom[0]) * dr


@lru_cache(maxsize=1024)
def _kinks(entry: PAU) -> tuple[float, ...]:
    """Where the sum within the bars changes its sign, and the numerator is not 0 too."""
    return tuple(root for root in _changes(entry) if not _vanishes(entry, root))


@lru_cache(maxsize=1024)
def _sheet(entry: PAU) -> Sheet:
    bends = tuple(root for root in _changes(entry) if _vanishes(entry, root))
    return replace(sheet_of(entry, 2020, kinks=_kinks(entry)), bends=bends)


def _changes(entry: PAU) -> tuple[float, ...]:
    """Where the sum within the bars passes through 0 with a slope, ascending."""
    _, denominator = _stripped(entry)
    if not denominator:
        return ()
    inner = np.polynomial.Polynomial([0.0, *denominator])
    roots = [root for root in inner.roots() if abs(root.imag) < 1e-9 * max(1.0, abs(root))]
    real = {float(root.real) + 0.0 for root in roots}
    return tuple(sorted(root for root in real if abs(inner.deriv()(root)) > TOUCHES))


def _vanishes(entry: PAU, x: float) -> bool:
    """Whether the numerator is 0, so that the sign of the sum beside it does not show in the slope."""
    return bool(abs(np.polynomial.Polynomial(entry.numerator)(x)) < TOUCHES)
