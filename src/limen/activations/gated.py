# ruff: noqa: D102 - the interface says what each method is
"""Functions gated by the logistic function: the input times a gate that the input itself opens."""

import math
from dataclasses import dataclass

from limen.activations import logistic
from limen.activations.base import register
from limen.activations.gates import FAR, gated, gated_curvature, gated_slope
from limen.activations.interface import Entry
from limen.activations.rounding import above_a_half, fine, leaning
from limen.activations.sheet import Sheet
from limen.activations.twofold import Number, clamp, matched

__all__ = ["GELUTanh", "QuickGELU", "SiLU"]


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

    @leaning(above_a_half, twofold=True)
    def f(self, x: Number) -> Number:
        return gated(x, logistic.value)

    @fine
    def df(self, x: Number) -> Number:
        return gated_slope(x, logistic.value, logistic.slope)

    @fine
    def d2f(self, x: Number) -> Number:
        return gated_curvature(x, logistic.slope, logistic.curvature)


BETA, BETA_REST = 1.702, 4.263256414560601e-17
"""The decimal 1.702, as two doubles."""


@register("quick_gelu")
@dataclass(frozen=True)
class QuickGELU(Entry):
    """``f(x) = x / (1 + exp(-1.702 x))``.

    Range: [-0.16361, inf); falls left of -0.75115, rises right of it.
    Hazards: differs from ``gelu`` by up to 0.02: a checkpoint trained with one should not be run with the other.
    """

    source = "Hendrycks & Gimpel 2016, arXiv:1606.08415, Sec. 2; used by CLIP"

    @property
    def sheet(self) -> Sheet:
        return swish_sheet(BETA)

    @leaning(above_a_half, twofold=True)
    def f(self, x: Number) -> Number:
        return gated(x, lambda z: logistic.value(z * matched(z, BETA, BETA_REST)))

    @fine
    def df(self, x: Number) -> Number:
        inner = clamp(x, -FAR, FAR)
        z = inner * matched(x, BETA, BETA_REST)
        return logistic.value(z) + z * logistic.slope(z)

    @fine
    def d2f(self, x: Number) -> Number:
        z = clamp(x, -FAR, FAR) * matched(x, BETA, BETA_REST)
        return (2 * logistic.slope(z) + z * logistic.curvature(z)) * matched(x, BETA, BETA_REST)


LINEAR, LINEAR_REST = 1.5957691216057308, -9.96930880911092e-17
CUBIC, CUBIC_REST = 0.07135481627260025, -6.175149918155315e-19
"""``2 sqrt(2 / pi)``, and 0.044715 times it, as two doubles each."""

OPEN = 30.0
"""Beyond ±OPEN the gate of ``gelu_tanh`` is 0 or 1 in every type."""


def argument(x: Number) -> tuple[Number, Number, Number]:
    """``2 sqrt(2 / pi) (x + 0.044715 x³)``, of which the gate is the logistic function, and its derivatives.

    It goes to -700, and an exponential multiplies its rounding by as much.
    """
    linear, cubic = matched(x, LINEAR, LINEAR_REST), x * matched(x, CUBIC, CUBIC_REST)
    square = x * cubic
    return x * (square + linear), 3 * square + linear, 6 * cubic


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

    @leaning(above_a_half, twofold=True)
    def f(self, x: Number) -> Number:
        return gated(x, lambda z: logistic.value(argument(clamp(z, -OPEN, OPEN))[0]))

    @fine
    def df(self, x: Number) -> Number:
        inner = clamp(x, -OPEN, OPEN)
        u, du, _ = argument(inner)
        return logistic.value(u) + inner * du * logistic.slope(u)

    @fine
    def d2f(self, x: Number) -> Number:
        inner = clamp(x, -OPEN, OPEN)
        u, du, d2u = argument(inner)
        # (x s(u))'' = 2 u' s' + x u'' s' + x u'² s''
        return (2 * du + inner * d2u) * logistic.slope(u) + inner * du * (du * logistic.curvature(u))
