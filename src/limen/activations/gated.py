# ruff: noqa: D102 - the interface says what each method is
"""Functions gated by the logistic function: the input times a gate that the input itself opens."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations import logistic
from limen.activations.base import register
from limen.activations.interface import Entry
from limen.activations.logistic import FAR
from limen.activations.rounding import above_a_half, exact, leaning
from limen.activations.sheet import Sheet
from limen.activations.twofold import product, total

__all__ = ["GELUTanh", "QuickGELU", "SiLU"]


def swish(x: Tensor, beta: float = 1.0) -> Tensor:
    """``x s(beta x)`` with the logistic function ``s``."""
    return x.clamp(min=-FAR) * logistic.value(beta * x)


def swish_slope(x: Tensor, beta: float = 1.0) -> Tensor:
    """``s + beta x s'``."""
    return logistic.value(beta * x) + beta * x.clamp(-FAR, FAR) * logistic.slope(beta * x)


def swish_curvature(x: Tensor, beta: float = 1.0) -> Tensor:
    """``beta s' (2 - beta x (s(beta x) - s(-beta x)))``."""
    bend = 2 - beta * x.clamp(-FAR, FAR) * torch.tanh(beta * x / 2)
    return beta * logistic.slope(beta * x) * bend


def swish_sheet(beta: float = 1.0) -> Sheet:
    """The sheet of ``x s(beta x)``, which is that of ``x s(x)`` with both axes divided by ``beta``."""
    return Sheet(
        range=(-0.2784645427610738 / beta, math.inf),
        limits=(0.0, math.inf),
        monotone=False,
        lipschitz=1.0998393201288669,
        year=2016,
        roots=(-1.2784645427610738 / beta,),
    )


@register("silu")
@dataclass(frozen=True)
class SiLU(Entry):
    """``f(x) = x / (1 + exp(-x))``; also called swish.

    Range: [-0.27846, inf); falls left of -1.27846, rises right of it; steepest at 2.39936 with slope 1.09984.
    Hazards: with the gain sqrt 2 of a ReLU its gradients shrink from layer to layer. torch gives NaN at -inf and 0
    below -88.7 in single precision.
    """

    source = "Hendrycks & Gimpel 2016, arXiv:1606.08415; Ramachandran et al. 2017, arXiv:1710.05941"

    @property
    def sheet(self) -> Sheet:
        return swish_sheet()

    @leaning(above_a_half)
    def f(self, x: Tensor) -> Tensor:
        return swish(x)

    @exact
    def df(self, x: Tensor) -> Tensor:
        return swish_slope(x)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return swish_curvature(x)


@register("quick_gelu")
@dataclass(frozen=True)
class QuickGELU(Entry):
    """``f(x) = x / (1 + exp(-1.702 x))``.

    Range: [-0.16361, inf); falls left of -0.75115, rises right of it.
    Hazards: differs from ``gelu`` by up to 0.02: a checkpoint trained with one should not be run with the other.
    """

    source = "Hendrycks & Gimpel 2016, arXiv:1606.08415, Sec. 2; used by CLIP"
    beta = 1.702

    @property
    def sheet(self) -> Sheet:
        return swish_sheet(self.beta)

    @leaning(above_a_half)
    def f(self, x: Tensor) -> Tensor:
        return swish(x, self.beta)

    @exact
    def df(self, x: Tensor) -> Tensor:
        return swish_slope(x, self.beta)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return swish_curvature(x, self.beta)


LINEAR, LINEAR_REST = 1.5957691216057308, -9.96930880911092e-17
CUBIC, CUBIC_REST = 0.07135481627260025, -6.175149918155315e-19
"""``2 sqrt(2 / pi)``, and 0.044715 times it, as two doubles each."""

OPEN = 30.0
"""Beyond ±OPEN the gate of ``gelu_tanh`` is 0 or 1 in every type."""


def opening(near: Tensor) -> tuple[Tensor, Tensor]:
    """The gate of ``gelu_tanh``, ``s(2 sqrt(2 / pi) (x + 0.044715 x³))``, and ``s'`` there.

    The rounding of the argument, which goes to -700, would be multiplied by it: as in ``normal.bell``.
    """
    square, rest = product(near, near)
    cubic, off = product(square, CUBIC, CUBIC_REST)
    factor, less = total(LINEAR, cubic)
    u, lost = product(near, factor)
    lost = lost + near * (less + off + CUBIC * rest + LINEAR_REST)
    slope = logistic.slope(u)
    return logistic.value(u) + lost * slope, slope + lost * logistic.curvature(u)


@register("gelu_tanh")
@dataclass(frozen=True)
class GELUTanh(Entry):
    """``f(x) = x (1 + tanh(sqrt(2/pi) (x + 0.044715 x³))) / 2``.

    Range: [-0.17004, inf); falls left of -0.75246, rises right of it.
    Hazards: differs from ``gelu`` by up to 0.0005. torch's slope is NaN from |x| = 1.8e19 in single precision, and
    ``1 + tanh`` loses all digits left of -5.1; here the gate is the logistic function of twice the argument.
    """

    source = "Hendrycks & Gimpel 2016, arXiv:1606.08415, Sec. 2"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(-0.17004075057125405, math.inf),
            limits=(0.0, math.inf),
            monotone=False,
            lipschitz=1.1289930686587718,
            year=2016,
            roots=(-0.7524614220710163,),
        )

    @leaning(above_a_half)
    def f(self, x: Tensor) -> Tensor:
        return x.clamp(min=-OPEN) * opening(x.clamp(-OPEN, OPEN))[0]

    @exact
    def df(self, x: Tensor) -> Tensor:
        near = x.clamp(-OPEN, OPEN)
        gate, slope = opening(near)
        return gate + near * (LINEAR + 3 * CUBIC * near.square()) * slope

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        near = x.clamp(-OPEN, OPEN)
        u = near * (LINEAR + CUBIC * near.square())
        du = LINEAR + 3 * CUBIC * near.square()
        d2u = 6 * CUBIC * near
        # (x s(u))'' = 2 u' s' + x u'' s' + x u'² s''
        return (2 * du + near * d2u) * opening(near)[1] + (near * du) * (du * logistic.curvature(u))
