# ruff: noqa: D102 - the interface says what each method is
"""Straight pieces that meet at zero."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations.base import register
from limen.activations.interface import Entry, check_number
from limen.activations.pieces import inside, keep_nan, zero
from limen.activations.rounding import exact
from limen.activations.sheet import Sheet

__all__ = ["Abs", "Identity", "LeakyReLU", "PReLU", "ReLU", "ReLU6"]


@register("identity")
@dataclass(frozen=True)
class Identity(Entry):
    """``f(x) = x``.

    Range: all reals; rises everywhere; slope 1.
    Hazards: two linear layers with nothing but this between them are one linear layer.
    """

    source = "definition"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            monotone=True, lipschitz=1.0, saved="nothing", parity="odd", convex=True, concave=True, homogeneous=1
        )

    def f(self, x: Tensor) -> Tensor:
        return x.clone()

    def df(self, x: Tensor) -> Tensor:
        return keep_nan(x, torch.ones_like(x))

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("relu")
@dataclass(frozen=True)
class ReLU(Entry):
    """``f(x) = x`` for ``x > 0``, else 0.

    Range: [0, inf); never falls; slope 0 for ``x <= 0``, 1 for ``x > 0``.
    Hazards: a unit whose pre-activation is never positive gets no gradient (a dead unit). The slope at 0 is a choice:
    torch's ``relu`` has 0 there, its ``clamp(min=0)`` has 1.
    """

    source = "Fukushima 1969; Nair & Hinton 2010, ICML"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(0.0, math.inf),
            limits=(0.0, math.inf),
            monotone=True,
            lipschitz=1.0,
            saved="mask",
            year=1969,
            kinks=(0.0,),
            convex=True,
            homogeneous=1,
        )

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


def leaky_sheet(negative_slope: float, year: int) -> Sheet:
    """The sheet of either function with a slope on the left."""
    a = negative_slope
    left = math.copysign(math.inf, -a) if a else 0.0
    return Sheet(
        range=(min(left, 0.0), math.inf),
        limits=(left, math.inf),
        monotone=a >= 0,
        lipschitz=max(1.0, abs(a)),
        saved="nothing" if a == 1 else "mask",
        year=year,
        kinks=() if a == 1 else (0.0,),
        parity="odd" if a == 1 else "even" if a == -1 else None,
        convex=a <= 1,
        concave=a >= 1,
        homogeneous=1,
    )


@register("leaky_relu")
@dataclass(frozen=True)
class LeakyReLU(Entry):
    """``f(x) = x`` for ``x > 0``, else ``negative_slope * x``.

    Range: all reals for a positive ``negative_slope``; slope ``negative_slope`` for ``x <= 0``, 1 for ``x > 0``.
    Hazards: the default slope is 0.01 in torch and JAX, 0.2 in TensorFlow and in the function of Keras 3, 0.3 in the
    layers of Keras 2 and 3. It is written ``max(a x, x)`` only for ``a <= 1``.
    """

    negative_slope: float = 0.01
    source = "Maas, Hannun & Ng 2013, ICML workshop"

    def __post_init__(self) -> None:
        check_number(self, "negative_slope")

    @property
    def sheet(self) -> Sheet:
        return leaky_sheet(self.negative_slope, 2013)

    @exact
    def f(self, x: Tensor) -> Tensor:
        return leaky(x, self.negative_slope)

    def df(self, x: Tensor) -> Tensor:
        return leaky_slope(x, self.negative_slope)

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("prelu")
@dataclass(frozen=True)
class PReLU(Entry):
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
    def sheet(self) -> Sheet:
        return leaky_sheet(self.negative_slope, 2015)

    @exact
    def f(self, x: Tensor) -> Tensor:
        return leaky(x, self.negative_slope)

    def df(self, x: Tensor) -> Tensor:
        return leaky_slope(x, self.negative_slope)

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("relu6")
@dataclass(frozen=True)
class ReLU6(Entry):
    """``f(x) = min(max(x, 0), 6)``.

    Range: [0, 6]; never falls; slope 1 strictly between 0 and 6, else 0.
    Hazards: flat on both sides: a unit can die on the left and saturate on the right.
    """

    source = "Krizhevsky 2010, Convolutional Deep Belief Networks on CIFAR-10"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(0.0, 6.0),
            limits=(0.0, 6.0),
            monotone=True,
            lipschitz=1.0,
            saved="mask",
            year=2010,
            kinks=(0.0, 6.0),
        )

    def f(self, x: Tensor) -> Tensor:
        return x.clamp(0.0, 6.0)

    def df(self, x: Tensor) -> Tensor:
        return inside(x, 0.0, 6.0)

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("abs")
@dataclass(frozen=True)
class Abs(Entry):
    """``f(x) = |x|``.

    Range: [0, inf); even; slope -1 left of 0, 1 right of it, 0 at 0.
    Hazards: opposite inputs give the same output, so the sign of a feature is lost.
    """

    source = "Karnewar 2018, AANN: Absolute Artificial Neural Network"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(0.0, math.inf),
            limits=(math.inf, math.inf),
            monotone=False,
            lipschitz=1.0,
            saved="signs",
            year=2018,
            kinks=(0.0,),
            parity="even",
            convex=True,
            homogeneous=1,
        )

    def f(self, x: Tensor) -> Tensor:
        return x.abs()

    def df(self, x: Tensor) -> Tensor:
        return keep_nan(x, torch.sign(x))

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)
