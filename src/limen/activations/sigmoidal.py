# ruff: noqa: D102 - the interface says what each method is
"""Smooth functions that level off on both sides."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations import logistic
from limen.activations.algebraic import held_back
from limen.activations.base import register
from limen.activations.gates import FAR
from limen.activations.interface import Entry
from limen.activations.rounding import exact, fine
from limen.activations.sheet import Sheet
from limen.activations.twofold import Number, clamp, matched, near, tanh, where

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
    def f(self, x: Tensor) -> Number:
        return logistic.value(x)

    @exact
    def df(self, x: Tensor) -> Number:
        return logistic.slope(x)

    @exact
    def d2f(self, x: Tensor) -> Number:
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
    def df(self, x: Tensor) -> Number:
        return 4 * logistic.slope(2 * x)

    @exact
    def d2f(self, x: Tensor) -> Number:
        return -8 * torch.tanh(x) * logistic.slope(2 * x)


HEIGHT, HEIGHT_REST = 1.7159, 1.9184653865522706e-17
STRETCH, STRETCH_REST = 0.6666666666666666, 3.700743415417188e-17
"""The decimal 1.7159, and 2/3, as two doubles each."""


def stretched(x: Number) -> tuple[Number, Number | float, Number | float]:
    """``2x / 3``, held back where tanh has long levelled off; the stretch itself and the height."""
    stretch = matched(x, STRETCH, STRETCH_REST)
    return clamp(x, -FAR, FAR) * stretch, stretch, matched(x, HEIGHT, HEIGHT_REST)


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

    @fine
    def f(self, x: Number) -> Number:
        z, _, height = stretched(x)
        return where(near(x) == 0, HEIGHT * STRETCH * near(x), height * tanh(z))  # the sign of zero

    @fine
    def df(self, x: Number) -> Number:
        z, stretch, height = stretched(x)
        return 4 * height * stretch * logistic.slope(2 * z)

    @fine
    def d2f(self, x: Number) -> Number:
        z, stretch, height = stretched(x)
        return -8 * height * stretch * stretch * tanh(z) * logistic.slope(2 * z)


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

    @fine
    def df(self, x: Number) -> Number:
        inner, beyond = held_back(x)
        return 1 / (1 + inner * inner) * (beyond * beyond)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        slope = self.df(x)
        return -2 * (x.clamp(-1e200, 1e200) * slope) * slope
