# ruff: noqa: D102 - the interface says what each method is
"""Smooth functions that learn how steep they are. An entry describes one moment of training."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from limen.activations import logistic, pieces
from limen.activations.base import register
from limen.activations.gated import swish_sheet
from limen.activations.gates import FAR
from limen.activations.interface import Entry, check_number
from limen.activations.rounding import above_a_half, below_a_square, exact, fine, leaning
from limen.activations.sheet import Sheet
from limen.activations.turning import sheet_of
from limen.activations.twofold import Number, alike, clamp, near, tanh, where

__all__ = ["ACONC", "DynamicTanh", "Swish"]


def gated(x: Tensor, steep: float) -> Tensor:
    """``x s(steep x)`` with the logistic function ``s``, for any ``steep``."""
    if steep == 0:
        return x / 2
    last = -FAR / steep  # from where on the gate is 0
    inner = x.clamp(min=last) if steep > 0 else x.clamp(max=last)
    return inner * logistic.value(steep * x)


def gated_slope(x: Number, steep: float) -> Number:
    """``s + t s'`` at ``t = steep x``."""
    if steep == 0:
        return alike(x, pieces.zero(near(x)) + 0.5)
    last = FAR / abs(steep)
    t = clamp(x, -last, last) * steep
    return logistic.value(t) + t * logistic.slope(t)


def gated_curvature(x: Tensor, steep: float) -> Tensor:
    """``steep s' (2 - t (s(t) - s(-t)))`` at ``t = steep x``."""
    t = _scaled(x, steep)
    return steep * logistic.slope(t) * (2 - t.clamp(-FAR, FAR) * torch.tanh(t / 2))


def rounded_once(function: Callable[[Tensor], Tensor], x: Tensor, *, lean: Callable[[Tensor], Tensor]) -> Tensor:
    """A function of doubles, rounded once, that leans as its parameters say; ``leaning`` is for those without any."""

    def compute(_: object, z: Tensor) -> Tensor:
        return function(z)

    return leaning(lean)(compute)(None, x)


def half_line(bend: float) -> Callable[[Tensor], Tensor]:
    """The lean of a line through 0 with a bend of that sign, which rounding does not see at tiny inputs."""
    lean = math.copysign(1.0, bend) if bend else 0.0
    return lambda x: lean * above_a_half(x)


def _scaled(x: Tensor, steep: float) -> Tensor:
    """``steep x``, without 0 · inf."""
    return steep * x if steep else pieces.zero(x)


@register("swish")
@dataclass(frozen=True)
class Swish(Entry):
    """``f(x) = x / (1 + exp(-beta x))``, with a ``beta`` that is learned.

    The entry describes one moment of training: ``beta`` is the number then, or its mean over the channels.

    Range: [-0.27846 / beta, inf); falls left of -1.27846 / beta, rises right of it; steepest slope 1.09984.
    Hazards: TensorFlow and others call ``silu`` swish, which it is only for ``beta = 1``. At ``beta = 0`` it is
    ``x / 2``, below it is upside down; a large one makes it a ReLU. Slope in ``beta``: ``x² s(beta x) s(-beta x)``.
    """

    beta: float = 1.0
    source = "Ramachandran, Zoph & Le 2017, arXiv:1710.05941, Sec. 4"

    def __post_init__(self) -> None:
        check_number(self, "beta")

    @property
    def sheet(self) -> Sheet:
        if self.beta > 0:
            return replace(swish_sheet(self.beta), year=2017)
        if self.beta == 0:
            return Sheet(
                monotone=True, lipschitz=0.5, saved="nothing", year=2017, parity="odd", convex=True, concave=True,
                homogeneous=1,
            )  # fmt: skip
        (least, _), (root,) = swish_sheet(-self.beta).range, swish_sheet(-self.beta).roots
        return Sheet(
            range=(-math.inf, -least),
            limits=(-math.inf, 0.0),
            monotone=False,
            lipschitz=swish_sheet().lipschitz,
            year=2017,
            roots=(-root,),
        )

    def f(self, x: Tensor) -> Tensor:
        return rounded_once(lambda z: gated(z, self.beta), x, lean=half_line(self.beta))

    @fine
    def df(self, x: Number) -> Number:
        return gated_slope(x, self.beta)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return gated_curvature(x, self.beta)


@register("acon_c")
@dataclass(frozen=True)
class ACONC(Entry):
    """``f(x) = (p1 - p2) x s(beta (p1 - p2) x) + p2 x`` with the logistic function ``s``; all three are learned.

    A smooth maximum of ``p1 x`` and ``p2 x``. The entry describes one moment of training: the numbers then, or their
    means over the channels. By default it is ``silu``, whose least value is -0.27846, at -1.27846.

    Range: all reals where ``p2`` is not 0; slopes between ``p2 - 0.09984 d`` and ``p2 + 1.09984 d`` for
    ``d = p1 - p2``, which are also its lower and upper bound of the paper.
    Hazards: the paper draws ``p1`` and ``p2`` at random; where they agree it is linear, whatever ``beta`` is.
    """

    p1: float = 1.0
    p2: float = 0.0
    beta: float = 1.0
    source = "Ma et al. 2021, arXiv:2009.04759"

    def __post_init__(self) -> None:
        for parameter in ("p1", "p2", "beta"):
            check_number(self, parameter)

    @property
    def sheet(self) -> Sheet:
        return _sheet_of_acon(self)

    @property
    def kinks(self) -> tuple[float, ...]:
        return ()

    def f(self, x: Tensor) -> Tensor:
        return rounded_once(self._between, x, lean=half_line(self.beta * (self.p1 + self.p2)))

    @fine
    def df(self, x: Number) -> Number:
        steep, mean = self.beta * (self.p1 - self.p2), (self.p1 + self.p2) / 2
        if steep == 0:
            return alike(x, pieces.zero(near(x)) + mean)
        t = clamp(x, -1 / abs(steep), 1 / abs(steep)) * steep
        around = (self.p1 - self.p2) / 2 * (tanh(0.5 * t) + 2 * t * logistic.slope(t)) + mean
        beyond = self.p1 * gated_slope(x, steep) + self.p2 * gated_slope(x, -steep)
        return where((near(x) * steep).abs() < 1, around, beyond)

    def _between(self, x: Tensor) -> Tensor:
        """``p1 x s(t) + p2 x s(-t)`` at ``t = beta (p1 - p2) x``; around 0, where these may cancel, by ``s - 1/2``."""
        steep, mean = self.beta * (self.p1 - self.p2), (self.p1 + self.p2) / 2
        if not steep:
            return mean * x
        lines = [slope * gated(x, side * steep) for slope, side in ((self.p1, 1), (self.p2, -1)) if slope]
        far = sum(lines, start=lines.pop())  # where a slope is 0, 0 · inf would be NaN
        inner = x.clamp(-1 / abs(steep), 1 / abs(steep))
        gate = torch.tanh(steep * inner / 2)
        return torch.where((steep * x).abs() < 1, mean * inner + (self.p1 - self.p2) / 2 * inner * gate, far)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        wide = self.p1 - self.p2
        return wide * gated_curvature(x, self.beta * wide)


@lru_cache(maxsize=1024)
def _sheet_of_acon(entry: ACONC) -> Sheet:
    if not (entry.p1 - entry.p2) * entry.beta:
        return sheet_of(entry, 2021)
    left, right = (entry.p2, entry.p1) if entry.beta * (entry.p1 - entry.p2) > 0 else (entry.p1, entry.p2)
    return sheet_of(entry, 2021, limits=(_far(-left), _far(right)))


def _far(slope: float) -> float:
    """The limit of a line through 0."""
    return math.copysign(math.inf, slope) if slope else 0.0


@register("dynamic_tanh")
@dataclass(frozen=True)
class DynamicTanh(Entry):
    """``f(x) = weight tanh(alpha x) + bias``, all learned, in the place of a normalisation.

    The entry describes one moment of training: the numbers then, or their means over the channels.

    Range: ``bias ± weight``; steepest at 0 with slope ``alpha weight``.
    Hazards: flat on both sides, and nothing pulls its input back as a normalisation would. The paper begins with
    ``alpha = 0.5``, one number for a layer, and a weight and a bias for each channel.
    """

    alpha: float = 0.5
    weight: float = 1.0
    bias: float = 0.0
    source = "Zhu et al. 2025, arXiv:2503.10622, Sec. 4"

    def __post_init__(self) -> None:
        for parameter in ("alpha", "weight", "bias"):
            check_number(self, parameter)

    @property
    def sheet(self) -> Sheet:
        steep, reach = self.alpha * self.weight, abs(self.weight) if self.alpha else 0.0
        end = math.copysign(reach, steep)
        return Sheet(
            range=(self.bias - reach, self.bias + reach),
            limits=(self.bias - end, self.bias + end),
            monotone=steep >= 0,
            lipschitz=abs(steep),
            saved="input" if steep else "nothing",
            year=2025,
            parity=("even" if not steep else None) if self.bias else "odd",
            convex=not steep,
            concave=not steep,
            homogeneous=None if steep else 0,
        )

    def f(self, x: Tensor) -> Tensor:
        if self.bias:
            return rounded_once(lambda z: self._swing(z) + self.bias, x, lean=half_line(0.0))
        return rounded_once(self._swing, x, lean=lambda z: below_a_square(self.alpha * z))  # less than a line

    def _swing(self, x: Tensor) -> Tensor:
        return self.weight * torch.tanh(self.alpha * x)

    @exact
    def df(self, x: Tensor) -> Tensor:
        return 4 * self.weight * self.alpha * logistic.slope(2 * self.alpha * x)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        bend = -8 * self.weight * self.alpha**2 * torch.tanh(self.alpha * x)
        return bend * logistic.slope(2 * self.alpha * x)
