# ruff: noqa: D102 - the interface says what each method is
"""Smooth functions that level off on both sides."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations import logistic
from limen.activations.base import register
from limen.activations.interface import Entry
from limen.activations.rounding import exact
from limen.activations.sheet import Sheet

__all__ = ["Arctan", "LeCunTanh", "Sigmoid", "Tanh"]


@register("sigmoid")
@dataclass(frozen=True)
class Sigmoid(Entry):
    """``f(x) = 1 / (1 + exp(-x))``.

    Range: (0, 1); rises everywhere; steepest at 0 with slope 1/4.
    Hazards: flat on both sides, and every layer at least quarters the gradient. The slope as ``y (1 - y)`` is 0 from
    x = 16.7 in single precision and 6.3 in bfloat16; here it is ``s(x) s(-x)``.
    """

    source = "Verhulst 1838; Rumelhart, Hinton & Williams 1986, Nature 323"

    @property
    def sheet(self) -> Sheet:
        return Sheet(range=(0.0, 1.0), limits=(0.0, 1.0), monotone=True, lipschitz=0.25, year=1838)

    @exact
    def f(self, x: Tensor) -> Tensor:
        return logistic.value(x)

    @exact
    def df(self, x: Tensor) -> Tensor:
        return logistic.slope(x)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return logistic.curvature(x)


@register("tanh")
@dataclass(frozen=True)
class Tanh(Entry):
    """``f(x) = tanh(x)``.

    Range: (-1, 1); odd; rises everywhere; steepest at 0 with slope 1.
    Hazards: flat on both sides. The slope as ``1 - y²`` is 0 from |x| = 9.1 in single precision and 3.5 in bfloat16;
    here it is ``4 s(2x) s(-2x)``.
    """

    source = "LeCun et al. 1998, Efficient BackProp, Sec. 4.4"

    @property
    def sheet(self) -> Sheet:
        return Sheet(range=(-1.0, 1.0), limits=(-1.0, 1.0), monotone=True, lipschitz=1.0, year=1998, parity="odd")

    @exact
    def f(self, x: Tensor) -> Tensor:
        return torch.tanh(x)

    @exact
    def df(self, x: Tensor) -> Tensor:
        return 4 * logistic.slope(2 * x)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return -8 * torch.tanh(x) * logistic.slope(2 * x)


HEIGHT, STRETCH = 1.7159, 2 / 3


@register("lecun_tanh")
@dataclass(frozen=True)
class LeCunTanh(Entry):
    """``f(x) = 1.7159 tanh(2x / 3)``.

    Range: (-1.7159, 1.7159); odd; rises everywhere; 1 at 1 (to five digits); steepest at 0 with slope 1.14393.
    Hazards: flat on both sides. Made for inputs of variance 1, which it keeps about so; not for the gain of tanh.
    """

    source = "LeCun et al. 1998, Efficient BackProp, Sec. 4.4"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(-HEIGHT, HEIGHT),
            limits=(-HEIGHT, HEIGHT),
            monotone=True,
            lipschitz=HEIGHT * STRETCH,
            year=1998,
            parity="odd",
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        return HEIGHT * torch.tanh(STRETCH * x)

    @exact
    def df(self, x: Tensor) -> Tensor:
        return 4 * HEIGHT * STRETCH * logistic.slope(2 * STRETCH * x)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return -8 * HEIGHT * STRETCH**2 * torch.tanh(STRETCH * x) * logistic.slope(2 * STRETCH * x)


@register("arctan")
@dataclass(frozen=True)
class Arctan(Entry):
    """``f(x) = atan(x)``.

    Range: (-pi/2, pi/2); odd; rises everywhere; slope ``1 / (1 + x²)``, falling much slower than that of tanh.
    Hazards: flat on both sides; ``x²`` overflows where it is not held back.
    """

    source = "definition: inverse of the tangent"

    @property
    def sheet(self) -> Sheet:
        end = math.pi / 2
        return Sheet(range=(-end, end), limits=(-end, end), monotone=True, lipschitz=1.0, parity="odd")

    @exact
    def f(self, x: Tensor) -> Tensor:
        return torch.atan(x)

    @exact
    def df(self, x: Tensor) -> Tensor:
        inverse = 1 / x.abs().clamp(1.0, 1e200)
        return inverse.square() / (inverse.square() + (x.clamp(-1e200, 1e200) * inverse).square())

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        slope = self.df(x)
        return -2 * (x.clamp(-1e200, 1e200) * slope) * slope
