# ruff: noqa: D102 - the interface says what each method is
"""Splines on an even grid, with learned coefficients. An entry describes one moment of training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor

from limen.activations.base import register
from limen.activations.coefficients import settle_numbers
from limen.activations.interface import Entry, check_number
from limen.activations.learnable_gates import gated, gated_curvature, gated_slope, half_line, rounded_once
from limen.activations.pieces import zero
from limen.activations.polyline import Polyline
from limen.activations.rounding import exact, fine
from limen.activations.sheet import Sheet
from limen.activations.turning import sheet_of
from limen.activations.twofold import Number, near
from limen.errors import InvalidValue

__all__ = ["KANSpline", "LinearSpline", "bell", "bell_curvature", "bell_slope", "centres", "check_grid", "even"]


def check_grid(name: str, low: float, high: float) -> None:
    """Refuse ends of a grid that are not finite numbers in ascending order.

    Raises:
        InvalidValue: says what was given.
    """
    if not -1e300 < low < high < 1e300:
        raise InvalidValue(f"{name}(low={low!r}, high={high!r}): expected finite numbers with low < high.")


def even(low: float, high: float, count: int) -> list[float]:
    """``count`` numbers from ``low`` to ``high`` that mirror each other exactly where ``low == -high``."""
    middle, step = (low + high) / 2, (high - low) / (count - 1)
    return [middle + (k - (count - 1) / 2) * step for k in range(count)]


@register("linear_spline")
@dataclass(frozen=True)
class LinearSpline(Entry):
    """``f(x) = sum_k coefficients[k] max(0, 1 - |x - x_k| / step)`` on an even grid ``x_k`` from ``low`` to ``high``.

    The coefficients are learned; they are the values at the grid, with straight lines between them. The entry describes
    one moment of training: the numbers then, or their means over the channels. By default they are those of a leaky
    ReLU of slope 1/4, as a PReLU begins.

    Range: beyond the grid the first and the last line go on, so all reals unless one of them is level.
    Hazards: a kink at each knot, so a unit can be dead between any two. A coefficient is learned only from inputs
    beside its knot, for which its slope is the hat ``max(0, 1 - |x - knot| / step)``.
    """

    coefficients: tuple[float, ...] = tuple(k / 2 if k > 0 else k / 8 for k in range(-6, 7))
    low: float = -3.0
    high: float = 3.0
    source = "Bohra et al. 2020, IEEE Open Journal of Signal Processing 1 (deep splines)"

    def __post_init__(self) -> None:
        settle_numbers(self, "coefficients", least=2)
        check_number(self, "low")
        check_number(self, "high")
        check_grid(self.name, self.low, self.high)

    @property
    def sheet(self) -> Sheet:
        return _pieces(self).sheet(2020)

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
def _pieces(entry: LinearSpline) -> Polyline:
    """The lines, with a knot at 0 put in where there is none; at a knot the slope on its right counts."""
    values = list(entry.coefficients)
    knots = even(entry.low, entry.high, len(values))
    step = (entry.high - entry.low) / (len(values) - 1)
    slopes = [(right - left) / step for left, right in pairwise(values)]
    slopes = [slopes[0], *slopes, slopes[-1]]
    if 0.0 not in knots:
        at = sum(knot < 0 for knot in knots)
        left = min(max(at - 1, 0), len(knots) - 2)
        a, b = knots[left], knots[left + 1]
        knots.insert(at, 0.0)
        values.insert(at, (values[left] * b - values[left + 1] * a) / (b - a))
        slopes.insert(at, slopes[at])
    return Polyline(tuple(knots), tuple(values), tuple(slopes), tuple(slopes[1:]))


def bell(u: Tensor) -> Tensor:
    """The cubic B-spline around 0 with knots at whole numbers: 2/3 at 0, 0 from ±2 on."""
    a, inner = u.abs().clamp(max=2.0), u.clamp(-1.0, 1.0)
    return torch.where(a < 1, 2 / 3 - inner * inner * (1 - inner.abs() / 2), (2 - a) ** 3 / 6)


def bell_slope(u: Tensor) -> Tensor:
    """Its slope."""
    a, inner = u.abs().clamp(max=2.0), u.clamp(-1.0, 1.0)
    return torch.where(a < 1, inner * (1.5 * inner.abs() - 2), -u.sign() * (2 - a) ** 2 / 2)


def bell_curvature(u: Tensor) -> Tensor:
    """Its curvature, which is continuous."""
    a = u.abs().clamp(max=2.0)
    return torch.where(a < 1, 3 * a - 2, 2 - a)


@register("kan_spline")
@dataclass(frozen=True)
class KANSpline(Entry):
    """``f(x) = base_weight silu(x) + spline_weight sum_k coefficients[k] B_k(x)``, all learned, with cubic B-splines.

    The entry describes one moment of training: the numbers then, or their means over the channels. By default the
    coefficients are 0, so it is ``silu``, whose least value is -0.27846, at -1.27846. ``n`` coefficients make ``n - 3``
    even intervals from ``low`` to ``high``.

    Range: all numbers right of some number if ``base_weight`` is positive. Beyond the grid the spline falls to 0 within
    three intervals, twice smoothly, and ``base_weight silu(x)`` is left.
    Hazards: inputs that have left the grid learn nothing from the spline: move the grid now and then, as
    ``limen.nn.KANSpline.update_grid`` does. Slope in ``coefficients[k]``: ``spline_weight B_k(x)``.
    """

    coefficients: tuple[float, ...] = (0.0,) * 8
    low: float = -1.0
    high: float = 1.0
    base_weight: float = 1.0
    spline_weight: float = 1.0
    source = "Liu et al. 2024, arXiv:2404.19756, Sec. 2.2"

    def __post_init__(self) -> None:
        settle_numbers(self, "coefficients", least=4)
        for parameter in ("low", "high", "base_weight", "spline_weight"):
            check_number(self, parameter)
        check_grid(self.name, self.low, self.high)

    @property
    def sheet(self) -> Sheet:
        return _sheet(self)

    @property
    def kinks(self) -> tuple[float, ...]:
        return ()

    @property
    def _heights(self) -> list[float]:
        return [self.spline_weight * coefficient for coefficient in self.coefficients]

    def f(self, x: Tensor) -> Tensor:
        return rounded_once(self._value, x, lean=half_line(0.0 if any(self._heights) else 1.0))

    def _value(self, x: Tensor) -> Tensor:
        base = self.base_weight * gated(x, 1.0) if self.base_weight else 0 * zero(x)
        return near(self._added(base, x, bell, 0))

    @fine
    def df(self, x: Number) -> Number:
        return self._added(self.base_weight * gated_slope(x, 1.0), near(x), bell_slope, 1)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return near(self._added(self.base_weight * gated_curvature(x, 1.0), x, bell_curvature, 2))

    def _added(self, base: Number, x: Tensor, part: Callable[[Tensor], Tensor], order: int) -> Number:
        """The base with the spline, or its derivative of some order."""
        step = (self.high - self.low) / (len(self.coefficients) - 3)
        for height, centre in zip(self._heights, centres(self.low, self.high, len(self.coefficients)), strict=True):
            if height:
                base = base + height / step**order * part((x - centre) / step)
        return base


def centres(low: float, high: float, count: int) -> Sequence[float]:
    """Where ``count`` cubic B-splines on a grid are highest: one interval beyond both of its ends."""
    step = (high - low) / (count - 3)
    return even(low - step, high + step, count)


@lru_cache(maxsize=1024)
def _sheet(entry: KANSpline) -> Sheet:
    end = entry.base_weight
    return sheet_of(entry, 2024, limits=(0.0, float("inf") * end if end else 0.0))
