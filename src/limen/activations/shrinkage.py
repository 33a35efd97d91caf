# ruff: noqa: D102 - the interface says what each method is
"""Functions that take small inputs to zero."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations import logistic
from limen.activations.base import register
from limen.activations.gates import FAR
from limen.activations.interface import Entry, check_number
from limen.activations.pieces import keep_nan, zero
from limen.activations.rounding import below_a_square, exact, leaning
from limen.activations.sheet import Sheet
from limen.activations.twofold import Number, alike, clamp, near, tanh, where

__all__ = ["Hardshrink", "Softshrink", "Tanhshrink", "Threshold"]


def outside(x: Tensor, limit: float) -> Tensor:
    """1 where ``|x| > limit``, 0 elsewhere, NaN where ``x`` is NaN."""
    return keep_nan(x, (x.abs() > limit).to(x.dtype))


@register("hardshrink")
@dataclass(frozen=True)
class Hardshrink(Entry):
    """``f(x) = x`` for ``|x| > lambd``, else 0.

    Range: all reals but what is nearer to 0 than ``lambd``; odd; never falls; slope 1 outside, 0 inside.
    Hazards: jumps at ``±lambd``, which no slope tells: a gradient can push no input over the edge.
    """

    lambd: float = 0.5
    source = "Donoho & Johnstone 1994, Ideal spatial adaptation by wavelet shrinkage"

    def __post_init__(self) -> None:
        check_number(self, "lambd", least=0)

    @property
    def sheet(self) -> Sheet:
        edges = (-float(self.lambd), float(self.lambd)) if self.lambd else ()
        return Sheet(
            monotone=True,
            lipschitz=math.inf if edges else 1.0,
            saved="mask",
            year=1994,
            kinks=edges,
            jumps=edges,
            parity="odd",
        )

    def f(self, x: Tensor) -> Tensor:
        return torch.where(x.abs() > self.lambd, x, 0 * x)

    def df(self, x: Tensor) -> Tensor:
        return outside(x, self.lambd)

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("softshrink")
@dataclass(frozen=True)
class Softshrink(Entry):
    """``f(x) = sign(x) max(|x| - lambd, 0)``.

    Range: all reals; odd; never falls; slope 1 for ``|x| > lambd``, else 0.
    Hazards: exactly flat around 0, where a fresh network has most of its pre-activations.
    """

    lambd: float = 0.5
    source = "Donoho 1995, De-noising by soft-thresholding"

    def __post_init__(self) -> None:
        check_number(self, "lambd", least=0)

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            monotone=True,
            lipschitz=1.0,
            saved="mask",
            year=1995,
            kinks=(-float(self.lambd), float(self.lambd)) if self.lambd else (),
            parity="odd",
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        return torch.where(x.abs() > self.lambd, x - torch.sign(x) * self.lambd, 0 * x)

    def df(self, x: Tensor) -> Tensor:
        return outside(x, self.lambd)

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("threshold")
@dataclass(frozen=True)
class Threshold(Entry):
    """``f(x) = x`` for ``x > threshold``, else ``value``.

    Range: ``value`` and all above ``threshold``; never falls for ``value <= threshold``; slope 1 right of it, else 0.
    Hazards: jumps at ``threshold`` unless it is ``value``, which no slope tells; dead left of it, as a ReLU is.
    """

    threshold: float = 1.0
    value: float = 0.0
    source = "Konda, Memisevic & Krueger 2015, arXiv:1402.3337"

    def __post_init__(self) -> None:
        check_number(self, "threshold")
        check_number(self, "value")

    @property
    def sheet(self) -> Sheet:
        edge, value = float(self.threshold), float(self.value)
        return Sheet(
            range=(min(edge, value), math.inf),
            limits=(value, math.inf),
            monotone=value <= edge,
            lipschitz=1.0 if value == edge else math.inf,
            saved="mask",
            year=2015,
            kinks=(edge,),
            jumps=() if value == edge else (edge,),
            convex=value == edge,
            homogeneous=1 if value == edge == 0 else None,
        )

    def f(self, x: Tensor) -> Tensor:
        return torch.where(x <= self.threshold, self.value, x)

    def df(self, x: Tensor) -> Tensor:
        return keep_nan(x, (x > self.threshold).to(x.dtype))

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


TERMS = (17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0)
"""Of the continued fraction ``tanh x = x / (1 + x² / (3 + x² / (5 + ...)))``: enough for a double at ``|x| <= 1``."""


def near_one(x: Tensor) -> Tensor:
    """``f(x) = x ∓ 1`` is a middle, and nearer to ``x`` by less than a double shows."""
    return (x.abs() > 15).to(x.dtype)


@register("tanhshrink")
@dataclass(frozen=True)
class Tanhshrink(Entry):
    """``f(x) = x - tanh(x)``.

    Range: all reals; odd; rises everywhere; slope ``tanh(x)²``, 0 at 0.
    Hazards: about ``x³ / 3`` near 0, where it passes hardly any gradient. torch subtracts, which leaves nothing of it
    for ``|x| < 3.5e-4`` in single precision; here it is a continued fraction.
    """

    source = "torch, nn.Tanhshrink; definition"

    @property
    def sheet(self) -> Sheet:
        return Sheet(monotone=True, lipschitz=1.0, roots=(0.0,), parity="odd")

    @leaning(near_one, twofold=True)
    def f(self, x: Number) -> Number:
        inner = clamp(x, -1.0, 1.0)
        small, rest = near(inner).square(), torch.zeros_like(near(x))
        for term in TERMS:
            rest = small / (term + rest)
        square = inner * inner
        close = inner * square / (square + alike(x, 3 + rest))  # x - x / (1 + x² / (3 + rest))
        wide = near(x)
        far = where(wide.abs() > FAR, wide, clamp(x, -FAR, FAR) - tanh(clamp(x, -FAR, FAR)))
        return where(wide == 0, 0.0 * wide, where(wide.abs() < 1, close, far))  # 0 with its sign

    @leaning(below_a_square)
    def df(self, x: Tensor) -> Tensor:
        return torch.tanh(x).square()

    @exact
    def d2f(self, x: Tensor) -> Number:
        return 8 * torch.tanh(x) * logistic.slope(2 * x)
