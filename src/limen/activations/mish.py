# ruff: noqa: D102 - the interface says what each method is
"""The self-gated function whose gate is ``tanh(softplus(x))``.

With ``e = exp(x)`` the gate is ``(e² + 2e) / (e² + 2e + 2)``. Right of 0 everything is written in ``q = exp(-x)``
instead, so that no exponential grows.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations.base import register
from limen.activations.interface import Entry
from limen.activations.logistic import FAR
from limen.activations.rounding import exact
from limen.activations.sheet import Sheet

__all__ = ["Mish"]


def gate(x: Tensor) -> Tensor:
    """``tanh(log(1 + exp(x)))``."""
    e, q = torch.exp(x.clamp(max=0)), torch.exp(-x.clamp(min=0))
    left, right = e * (e + 2), 1 + 2 * q
    return torch.where(x > 0, right / (right + 2 * q * q), left / (left + 2))


def gate_slope(x: Tensor) -> Tensor:
    """``4 e (1 + e) / (e² + 2e + 2)²``."""
    e, q = torch.exp(x.clamp(max=0)), torch.exp(-x.clamp(min=0))
    left = 4 * e * (1 + e) / (e * (e + 2) + 2).square()
    right = 4 * q.square() * (1 + q) / (1 + 2 * q + 2 * q * q).square()
    return torch.where(x > 0, right, left)


def gate_curvature(x: Tensor) -> Tensor:
    """``4 e (2 + 2e - 3e² - 2e³) / (e² + 2e + 2)³``."""
    e, q = torch.exp(x.clamp(max=0)), torch.exp(-x.clamp(min=0))
    left = 4 * e * (2 + 2 * e - 3 * e**2 - 2 * e**3) / (e * (e + 2) + 2) ** 3
    right = 4 * q**2 * (2 * q**3 + 2 * q**2 - 3 * q - 2) / (1 + 2 * q + 2 * q * q) ** 3
    return torch.where(x > 0, right, left)


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

    @exact
    def f(self, x: Tensor) -> Tensor:
        return x.clamp(min=-FAR) * gate(x)

    @exact
    def df(self, x: Tensor) -> Tensor:
        return gate(x) + x.clamp(-FAR, FAR) * gate_slope(x)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return 2 * gate_slope(x) + x.clamp(-FAR, FAR) * gate_curvature(x)
