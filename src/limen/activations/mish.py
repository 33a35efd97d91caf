# ruff: noqa: D102 - the interface says what each method is
"""The self-gated function whose gate is ``tanh(softplus(x))``.

With ``e = exp(x)`` the gate is ``(e² + 2e) / (e² + 2e + 2)``. Right of 0 everything is written in ``q = exp(-x)``
instead, so that no exponential grows.
"""

import math
from dataclasses import dataclass

from torch import Tensor

from limen.activations.base import register
from limen.activations.gates import gated, gated_curvature, gated_slope
from limen.activations.interface import Entry
from limen.activations.rounding import fine
from limen.activations.sheet import Sheet
from limen.activations.twofold import Number, exp, magnitude, near, where

__all__ = ["Mish"]


def terms(x: Number) -> tuple[Tensor, Number, Number]:
    """Where ``x > 0``; ``exp(-|x|)``; and the denominator there, as it is on each side."""
    right, q = near(x) > 0, exp(-magnitude(x))
    return right, q, where(right, 1 + 2 * (q + q * q), 2 + q * (q + 2))


def gate(x: Number) -> Number:
    """``tanh(log(1 + exp(x)))``."""
    right, q, below = terms(x)
    return where(right, 1 + 2 * q, q * (q + 2)) / below


def gate_slope(x: Number) -> Number:
    """``4 e (1 + e) / (e² + 2e + 2)²``."""
    right, q, below = terms(x)
    return 4 * where(right, q * q, q) * (1 + q) / (below * below)


def gate_curvature(x: Number) -> Number:
    """``4 e (2 + 2e - 3e² - 2e³) / (e² + 2e + 2)³``."""
    right, q, below = terms(x)
    left = q * (2 + q * (2 - q * (3 + 2 * q)))
    return 4 * where(right, q * q * (q * (q * (2 * q + 2) - 3) - 2), left) / (below * below * below)


@register("mish")
@dataclass(frozen=True)
class Mish(Entry):
    """``f(x) = x tanh(log(1 + exp(x)))``.

    Range: [-0.30884, inf); falls left of -1.19243, rises right of it.
    Hazards: the slope torch returns has the wrong sign between -91.8 and -88.7 in single precision, and it gives NaN
    at -inf. About ten times the cost of a ReLU on a CPU.
    """

    source = "Misra 2019, arXiv:1908.08681"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(-0.30884341301725041, math.inf),
            limits=(0.0, math.inf),
            monotone=False,
            lipschitz=1.0884981612517279,
            year=2019,
            roots=(-1.1924312145154952,),
        )

    @fine
    def f(self, x: Number) -> Number:
        return gated(x, gate)

    @fine
    def df(self, x: Number) -> Number:
        return gated_slope(x, gate, gate_slope)

    @fine
    def d2f(self, x: Number) -> Number:
        return gated_curvature(x, gate_slope, gate_curvature)
