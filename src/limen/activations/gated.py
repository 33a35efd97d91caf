# ruff: noqa: D102 - the interface says what each method is
"""Self-gated functions: the input times a gate that the input itself opens."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations import logistic
from limen.activations.base import Activation, register
from limen.activations.logistic import FAR
from limen.activations.pieces import inside

__all__ = ["GELU", "GELUTanh", "Hardswish", "QuickGELU", "SiLU"]


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


@register("silu")
@dataclass(frozen=True)
class SiLU(Activation):
    """``f(x) = x / (1 + exp(-x))``; also called swish.

    Range: [-0.27846, inf); falls left of -1.27846, rises right of it; steepest at 2.39936 with slope 1.09984.
    Hazards: with the gain sqrt 2 of a ReLU its gradients shrink from layer to layer. torch gives NaN at -inf and 0
    below -88.7 in single precision.
    """

    source = "Hendrycks & Gimpel 2016, arXiv:1606.08415; Ramachandran et al. 2017, arXiv:1710.05941"

    @property
    def kinks(self) -> tuple[float, ...]:
        return ()

    @property
    def monotone(self) -> bool:
        return False

    def f(self, x: Tensor) -> Tensor:
        return swish(x)

    def df(self, x: Tensor) -> Tensor:
        return swish_slope(x)

    def d2f(self, x: Tensor) -> Tensor:
        return swish_curvature(x)


@register("quick_gelu")
@dataclass(frozen=True)
class QuickGELU(Activation):
    """``f(x) = x / (1 + exp(-1.702 x))``.

    Range: [-0.16361, inf); falls left of -0.75115, rises right of it.
    Hazards: differs from ``gelu`` by up to 0.02: a checkpoint trained with one should not be run with the other.
    """

    source = "Hendrycks & Gimpel 2016, arXiv:1606.08415, Sec. 2; used by CLIP"
    beta = 1.702

    @property
    def kinks(self) -> tuple[float, ...]:
        return ()

    @property
    def monotone(self) -> bool:
        return False

    def f(self, x: Tensor) -> Tensor:
        return swish(x, self.beta)

    def df(self, x: Tensor) -> Tensor:
        return swish_slope(x, self.beta)

    def d2f(self, x: Tensor) -> Tensor:
        return swish_curvature(x, self.beta)


def normal_density(x: Tensor) -> Tensor:
    """Density of the standard normal distribution."""
    return torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def normal_share(x: Tensor) -> Tensor:
    """Distribution function of the standard normal, without loss in the left tail."""
    return 0.5 * torch.special.erfc(-x / math.sqrt(2))


@register("gelu")
@dataclass(frozen=True)
class GELU(Activation):
    """``f(x) = x Phi(x)`` with the distribution function ``Phi`` of the standard normal.

    Range: [-0.16997, inf); falls left of -0.75179, rises right of it; steepest at sqrt 2 with slope 1.12890.
    Hazards: torch writes ``1 + erf``, which loses all digits left of -5.5 in single and -8.3 in double precision, and
    gives NaN at both infinities. In JAX the same name means ``gelu_tanh``.
    """

    source = "Hendrycks & Gimpel 2016, arXiv:1606.08415, Sec. 2"

    @property
    def kinks(self) -> tuple[float, ...]:
        return ()

    @property
    def monotone(self) -> bool:
        return False

    def f(self, x: Tensor) -> Tensor:
        return x.clamp(min=-FAR) * normal_share(x)

    def df(self, x: Tensor) -> Tensor:
        return normal_share(x) + x.clamp(-FAR, FAR) * normal_density(x)

    def d2f(self, x: Tensor) -> Tensor:
        # beyond 100 the density is 0 in every type, and 100² is still finite in half precision
        return normal_density(x) * (2 - x.clamp(-100.0, 100.0).square())


CUBIC = 0.044715
INNER = 2 * math.sqrt(2 / math.pi)
OPEN = 30.0
"""Beyond ±OPEN the gate of ``gelu_tanh`` is 0 or 1 in every type, and OPEN³ is finite in half precision."""


@register("gelu_tanh")
@dataclass(frozen=True)
class GELUTanh(Activation):
    """``f(x) = x (1 + tanh(sqrt(2/pi) (x + 0.044715 x³))) / 2``.

    Range: [-0.17004, inf); falls left of -0.75246, rises right of it.
    Hazards: differs from ``gelu`` by up to 0.0005. torch's slope is NaN from |x| = 1.8e19 in single precision, and
    ``1 + tanh`` loses all digits left of -5.1; here the gate is the logistic function of twice the argument.
    """

    source = "Hendrycks & Gimpel 2016, arXiv:1606.08415, Sec. 2"

    @property
    def kinks(self) -> tuple[float, ...]:
        return ()

    @property
    def monotone(self) -> bool:
        return False

    def f(self, x: Tensor) -> Tensor:
        near = x.clamp(-OPEN, OPEN)
        return x.clamp(min=-OPEN) * logistic.value(INNER * (near + CUBIC * near.pow(3)))

    def df(self, x: Tensor) -> Tensor:
        near = x.clamp(-OPEN, OPEN)
        u = INNER * (near + CUBIC * near.pow(3))
        du = INNER * (1 + 3 * CUBIC * near.square())
        return logistic.value(u) + near * du * logistic.slope(u)

    def d2f(self, x: Tensor) -> Tensor:
        near = x.clamp(-OPEN, OPEN)
        u = INNER * (near + CUBIC * near.pow(3))
        du = INNER * (1 + 3 * CUBIC * near.square())
        d2u = INNER * 6 * CUBIC * near
        # (x s(u))'' = 2 u' s' + x u'' s' + x u'² s'', the last in an order that cannot overflow half precision
        return (2 * du + near * d2u) * logistic.slope(u) + (near * du) * (du * logistic.curvature(u))


@register("hardswish")
@dataclass(frozen=True)
class Hardswish(Activation):
    """``f(x) = x min(max(x + 3, 0), 6) / 6``.

    Range: [-0.375, inf); falls between -3 and -1.5; slope 0 up to -3, ``(2x + 3) / 6`` in between, 1 from 3 on.
    Hazards: the slope jumps at both ends (from 0 to -1/2 and from 3/2 to 1). torch overflows to inf from x = 5.7e37 in
    single precision and gives NaN at -inf.
    """

    source = "Howard et al. 2019 (MobileNetV3), arXiv:1905.02244, Sec. 5.2"

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-3.0, 3.0)

    @property
    def monotone(self) -> bool:
        return False

    def f(self, x: Tensor) -> Tensor:
        return x.clamp(min=-3) * ((x + 3).clamp(0.0, 6.0) / 6)

    def df(self, x: Tensor) -> Tensor:
        near = x.clamp(-3.0, 3.0)
        return torch.where(x >= 3, 1.0, torch.where(x <= -3, 0.0, (2 * near + 3) / 6))

    def d2f(self, x: Tensor) -> Tensor:
        return inside(x, -3.0, 3.0) / 3
