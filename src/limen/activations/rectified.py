# ruff: noqa: D102 - the interface says what each method is
"""Straight pieces that meet at zero, and the square of one."""

from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations.base import Activation, check_number, register
from limen.activations.pieces import inside, keep_nan, zero

__all__ = ["Identity", "LeakyReLU", "PReLU", "ReLU", "ReLU6", "SquaredReLU"]


@register("identity")
@dataclass(frozen=True)
class Identity(Activation):
    """``f(x) = x``.

    Range: all reals; rises everywhere; slope 1.
    Hazards: two linear layers with nothing but this between them are one linear layer.
    """

    source = "definition"

    @property
    def kinks(self) -> tuple[float, ...]:
        return ()

    @property
    def monotone(self) -> bool:
        return True

    def f(self, x: Tensor) -> Tensor:
        return x.clone()

    def df(self, x: Tensor) -> Tensor:
        return keep_nan(x, torch.ones_like(x))

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("relu")
@dataclass(frozen=True)
class ReLU(Activation):
    """``f(x) = x`` for ``x > 0``, else 0.

    Range: [0, inf); never falls; slope 0 for ``x <= 0``, 1 for ``x > 0``.
    Hazards: a unit whose pre-activation is never positive gets no gradient (a dead unit). The slope at 0 is a choice:
    torch's ``relu`` has 0 there, its ``clamp(min=0)`` has 1.
    """

    source = "Fukushima 1969; Nair & Hinton 2010, ICML"

    @property
    def kinks(self) -> tuple[float, ...]:
        return (0.0,)

    @property
    def monotone(self) -> bool:
        return True

    def f(self, x: Tensor) -> Tensor:
        return torch.relu(x)

    def df(self, x: Tensor) -> Tensor:
        return keep_nan(x, (x > 0).to(x.dtype))

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


def leaky(x: Tensor, negative_slope: float) -> Tensor:
    """``x`` for ``x > 0``, else ``negative_slope * x``."""
    if negative_slope == 0:  # 0 · -inf would be NaN
        return torch.relu(x)
    return torch.where(x > 0, x, negative_slope * x)


def leaky_slope(x: Tensor, negative_slope: float) -> Tensor:
    """1 for ``x > 0``, else ``negative_slope``."""
    return keep_nan(x, torch.where(x > 0, 1.0, torch.full_like(x, negative_slope)))


@register("leaky_relu")
@dataclass(frozen=True)
class LeakyReLU(Activation):
    """``f(x) = x`` for ``x > 0``, else ``negative_slope * x``.

    Range: all reals for a positive ``negative_slope``; slope ``negative_slope`` for ``x <= 0``, 1 for ``x > 0``.
    Hazards: the default slope is 0.01 in torch, 0.2 in Keras 3. It is written ``max(a x, x)`` only for ``a <= 1``.
    """

    negative_slope: float = 0.01
    source = "Maas, Hannun & Ng 2013, ICML workshop"

    def __post_init__(self) -> None:
        check_number(self, "negative_slope")

    @property
    def kinks(self) -> tuple[float, ...]:
        return () if self.negative_slope == 1 else (0.0,)

    @property
    def monotone(self) -> bool:
        return self.negative_slope >= 0

    def f(self, x: Tensor) -> Tensor:
        return leaky(x, self.negative_slope)

    def df(self, x: Tensor) -> Tensor:
        return leaky_slope(x, self.negative_slope)

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("prelu")
@dataclass(frozen=True)
class PReLU(Activation):
    """``f(x) = x`` for ``x > 0``, else ``negative_slope * x``, with a slope that is learned.

    The entry describes one moment of training: ``negative_slope`` is the slope then, or its mean over the channels.

    Range: all reals for a positive slope; slope ``negative_slope`` for ``x <= 0``, 1 for ``x > 0``.
    Hazards: weight decay pulls the slope to 0, where it becomes a ReLU; a negative slope makes it fall.
    """

    negative_slope: float = 0.25
    source = "He et al. 2015, arXiv:1502.01852, Eq. 1"

    def __post_init__(self) -> None:
        check_number(self, "negative_slope")

    @property
    def kinks(self) -> tuple[float, ...]:
        return () if self.negative_slope == 1 else (0.0,)

    @property
    def monotone(self) -> bool:
        return self.negative_slope >= 0

    def f(self, x: Tensor) -> Tensor:
        return leaky(x, self.negative_slope)

    def df(self, x: Tensor) -> Tensor:
        return leaky_slope(x, self.negative_slope)

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("relu6")
@dataclass(frozen=True)
class ReLU6(Activation):
    """``f(x) = min(max(x, 0), 6)``.

    Range: [0, 6]; never falls; slope 1 strictly between 0 and 6, else 0.
    Hazards: flat on both sides: a unit can die on the left and saturate on the right.
    """

    source = "Krizhevsky 2010, Convolutional Deep Belief Networks on CIFAR-10"

    @property
    def kinks(self) -> tuple[float, ...]:
        return (0.0, 6.0)

    @property
    def monotone(self) -> bool:
        return True

    def f(self, x: Tensor) -> Tensor:
        return x.clamp(0.0, 6.0)

    def df(self, x: Tensor) -> Tensor:
        return inside(x, 0.0, 6.0)

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("squared_relu")
@dataclass(frozen=True)
class SquaredReLU(Activation):
    """``f(x) = x²`` for ``x > 0``, else 0.

    Range: [0, inf); never falls; slope ``2 max(x, 0)``, continuous and without bound.
    Hazards: overflows half precision for ``x > 256``; dead on the left as a ReLU is; gradients grow with the input.
    """

    source = "So et al. 2021 (Primer), arXiv:2109.08668"

    @property
    def kinks(self) -> tuple[float, ...]:
        return ()

    @property
    def monotone(self) -> bool:
        return True

    def f(self, x: Tensor) -> Tensor:
        return torch.relu(x).square()

    def df(self, x: Tensor) -> Tensor:
        return 2 * torch.relu(x)

    def d2f(self, x: Tensor) -> Tensor:
        return keep_nan(x, 2 * (x > 0).to(x.dtype))
