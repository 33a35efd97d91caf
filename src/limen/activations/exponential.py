# ruff: noqa: D102 - the interface says what each method is
"""One side straight, the other levelling off exponentially."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations import logistic
from limen.activations.base import register
from limen.activations.interface import Entry, check_number
from limen.activations.rounding import exact
from limen.activations.sheet import Sheet
from limen.activations.twofold import Number

__all__ = ["CELU", "ELU", "SELU", "LogSigmoid", "Softplus"]

SELU_SCALE = 1.0507009873554805
SELU_FLOOR, SELU_FLOOR_REST = 1.7580993408473768, 1.415351938008446e-17
"""With these, mean 0 and variance 1 are kept. The second, as two doubles, is the first times
``-sqrt(2/pi) / (erfc(1/sqrt 2) sqrt(e) - 1)``, the ``alpha`` of the paper."""


def decay(x: Tensor, height: float, width: float = 1.0) -> Tensor:
    """``height * exp(x / width)`` for ``x <= 0``, 0 for ``x > 0``."""
    return torch.where(x > 0, 0.0, height * torch.exp(x.clamp(max=0) / width))


@register("elu")
@dataclass(frozen=True)
class ELU(Entry):
    """``f(x) = x`` for ``x > 0``, else ``alpha * (exp(x) - 1)``.

    Range: (-alpha, inf); rises everywhere for ``alpha > 0``; slope ``alpha * exp(x)`` on the left, 1 on the right.
    Hazards: the slope jumps at 0 unless ``alpha == 1``; the left side must be taken by ``expm1``.
    """

    alpha: float = 1.0
    source = "Clevert, Unterthiner & Hochreiter 2016, arXiv:1511.07289, Sec. 3"

    def __post_init__(self) -> None:
        check_number(self, "alpha")

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(min(-self.alpha, 0.0), math.inf),
            limits=(-self.alpha, math.inf),
            monotone=self.alpha >= 0,
            lipschitz=max(1.0, abs(self.alpha)),
            year=2015,
            kinks=() if self.alpha == 1 else (0.0,),
            bends=(0.0,) if self.alpha == 1 else (),
            convex=0 <= self.alpha <= 1,
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, self.alpha * torch.expm1(x.clamp(max=0)))

    @exact
    def df(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, 1.0, decay(x, self.alpha))

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return decay(x, self.alpha)


@register("celu")
@dataclass(frozen=True)
class CELU(Entry):
    """``f(x) = x`` for ``x > 0``, else ``alpha * (exp(x / alpha) - 1)``.

    Range: (-alpha, inf); rises everywhere; slope ``exp(x / alpha)`` on the left, 1 on the right, continuous.
    Hazards: a small ``alpha`` makes it a ReLU, flat and about zero on the left.
    """

    alpha: float = 1.0
    source = "Barron 2017, arXiv:1704.07483"

    def __post_init__(self) -> None:
        check_number(self, "alpha", above=0)

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(-self.alpha, math.inf),
            limits=(-self.alpha, math.inf),
            monotone=True,
            lipschitz=1.0,
            year=2017,
            bends=(0.0,),
            convex=True,
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, self.alpha * torch.expm1(x.clamp(max=0) / self.alpha))

    @exact
    def df(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, 1.0, decay(x, 1.0, self.alpha))

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return decay(x, 1 / self.alpha, self.alpha)


@register("selu")
@dataclass(frozen=True)
class SELU(Entry):
    """``f(x) = 1.0507 x`` for ``x > 0``, else ``1.0507 * 1.6733 * (exp(x) - 1)``.

    Range: (-1.7581, inf); rises everywhere; slope 1.7581 just left of 0, 1.0507 right of it.
    Hazards: self-normalising only with LeCun-normal weights, zero biases and no dropout but alpha dropout;
    ``torch.nn.init.calculate_gain("selu")`` is 3/4, not the 1 of the paper.
    """

    source = "Klambauer et al. 2017, arXiv:1706.02515, Eq. 2"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(-SELU_FLOOR, math.inf),
            limits=(-SELU_FLOOR, math.inf),
            monotone=True,
            lipschitz=SELU_FLOOR,
            year=2017,
            kinks=(0.0,),
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        fall = torch.expm1(x.clamp(max=0))
        return torch.where(x > 0, SELU_SCALE * x, fall * SELU_FLOOR + fall * SELU_FLOOR_REST)

    @exact
    def df(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, SELU_SCALE, decay(x, SELU_FLOOR))

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return decay(x, SELU_FLOOR)


@register("softplus")
@dataclass(frozen=True)
class Softplus(Entry):
    """``f(x) = log(1 + exp(beta x)) / beta``.

    Range: (0, inf); rises everywhere; convex; slope ``s(beta x)`` with the logistic function ``s``.
    Hazards: torch switches to ``x`` at ``beta x > 20``, which makes it fall by 2e-9 / beta there in double precision;
    this entry does not. Its outputs are positive: their mean grows from layer to layer.
    """

    beta: float = 1.0
    source = "Dugas et al. 2001, NIPS 13"

    def __post_init__(self) -> None:
        check_number(self, "beta", above=0)

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(0.0, math.inf),
            limits=(0.0, math.inf),
            monotone=True,
            lipschitz=1.0,
            year=2001,
            convex=True,
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        right = x + torch.log1p(torch.exp(-self.beta * x.clamp(min=0))) / self.beta
        return torch.where(x > 0, right, torch.log1p(torch.exp(self.beta * x.clamp(max=0))) / self.beta)

    @exact
    def df(self, x: Tensor) -> Number:
        return logistic.value(self.beta * x)

    @exact
    def d2f(self, x: Tensor) -> Number:
        return self.beta * logistic.slope(self.beta * x)


@register("logsigmoid")
@dataclass(frozen=True)
class LogSigmoid(Entry):
    """``f(x) = -log(1 + exp(-x))``.

    Range: (-inf, 0); rises everywhere; concave; slope ``s(-x)`` with the logistic function ``s``.
    Hazards: flat on the right, where the output is about zero; usually part of a loss, not an activation.
    """

    source = "definition: log of the logistic function"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(-math.inf, 0.0),
            limits=(-math.inf, 0.0),
            monotone=True,
            lipschitz=1.0,
            concave=True,
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        left = x - torch.log1p(torch.exp(x.clamp(max=0)))
        return torch.where(x < 0, left, -torch.log1p(torch.exp(-x.clamp(min=0))))

    @exact
    def df(self, x: Tensor) -> Number:
        return logistic.value(-x)

    @exact
    def d2f(self, x: Tensor) -> Number:
        return -logistic.slope(x)
