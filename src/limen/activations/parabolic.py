# ruff: noqa: D102 - the interface says what each method is
"""Pieces of parabolas."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations.base import register
from limen.activations.interface import Entry, check_number
from limen.activations.pieces import inside, keep_nan
from limen.activations.rounding import above_a_half, exact, fine, leaning
from limen.activations.sheet import Sheet
from limen.activations.twofold import Number, clamp, near, where

__all__ = ["SQNL", "HardMish", "Hardswish", "SparsePlus", "SquaredReLU", "StarReLU"]

HUGE = 2.0**100
"""Beyond it the bias does not show, and what is twofold would soon overflow."""


@register("squared_relu")
@dataclass(frozen=True)
class SquaredReLU(Entry):
    """``f(x) = x²`` for ``x > 0``, else 0.

    Range: [0, inf); never falls; slope ``2 max(x, 0)``, continuous and without bound.
    Hazards: overflows half precision for ``x > 256``; dead on the left as a ReLU is; gradients grow with the input.
    """

    source = "So et al. 2021 (Primer), arXiv:2109.08668"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(0.0, math.inf),
            limits=(0.0, math.inf),
            monotone=True,
            lipschitz=math.inf,
            year=2021,
            bends=(0.0,),
            convex=True,
            homogeneous=2,
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        return torch.relu(x).square()

    def df(self, x: Tensor) -> Tensor:
        return 2 * torch.relu(x)

    def d2f(self, x: Tensor) -> Tensor:
        return keep_nan(x, 2 * (x > 0).to(x.dtype))


@register("star_relu")
@dataclass(frozen=True)
class StarReLU(Entry):
    """``f(x) = scale * max(x, 0)² + bias``.

    Range: [bias, inf); never falls; slope ``2 scale max(x, 0)``, continuous and without bound.
    Hazards: scale and bias are ``2 / sqrt 5`` and ``-1 / sqrt 5`` (0.8944 and -0.4472 in print), which give mean 0 and
    variance 1 for standard normal inputs only; MetaFormer learns both. Not about 0 but at ``bias`` where it is flat.
    """

    scale: float = 2 / math.sqrt(5)
    bias: float = -1 / math.sqrt(5)
    source = "Yu et al. 2022 (MetaFormer baselines), arXiv:2210.13452, Eq. 3"

    def __post_init__(self) -> None:
        check_number(self, "scale", above=0)
        check_number(self, "bias")

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(self.bias, math.inf),
            limits=(self.bias, math.inf),
            monotone=True,
            lipschitz=math.inf,
            year=2022,
            bends=(0.0,),
            convex=True,
            homogeneous=None if self.bias else 2,
        )

    @fine
    def f(self, x: Number) -> Number:
        size = torch.relu(near(x))
        inner = clamp(x, 0.0, HUGE)
        return where(size > HUGE, self.scale * size.square(), inner * inner * self.scale + self.bias)

    @exact
    def df(self, x: Tensor) -> Tensor:
        return 2 * self.scale * torch.relu(x)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return keep_nan(x, 2 * self.scale * (x > 0).to(x.dtype))


@register("sparse_plus")
@dataclass(frozen=True)
class SparsePlus(Entry):
    """``f(x) = 0`` for ``x <= -1``, ``(x + 1)² / 4`` up to 1, ``x`` beyond.

    Range: [0, inf); never falls; convex; slope ``(x + 1) / 2`` between -1 and 1, continuous.
    Hazards: exactly flat left of -1: a unit there is dead, as with a ReLU.
    """

    source = "JAX, jax.nn.sparse_plus; integral of Martins & Astudillo 2016, arXiv:1602.02068, Sec. 2.3"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(0.0, math.inf),
            limits=(0.0, math.inf),
            monotone=True,
            lipschitz=1.0,
            year=2016,
            bends=(-1.0, 1.0),
            convex=True,
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        return torch.where(x >= 1, x, (x.clamp(-1.0, 1.0) + 1).square() / 4)

    @exact
    def df(self, x: Tensor) -> Tensor:
        return (x.clamp(-1.0, 1.0) + 1) / 2

    def d2f(self, x: Tensor) -> Tensor:
        return inside(x, -1.0, 1.0) / 2


@register("sqnl")
@dataclass(frozen=True)
class SQNL(Entry):
    """``f(x) = x - sign(x) x² / 4`` for ``|x| <= 2``, else ``sign(x)``.

    Range: [-1, 1]; odd; never falls; slope ``1 - |x| / 2``, 0 from ``|x| = 2`` on, continuous.
    Hazards: exactly flat on both sides, where a tanh still has a slope.
    """

    source = "Wuraola & Patel 2018, SQNL: A New Computationally Efficient Activation Function, IJCNN"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(-1.0, 1.0),
            limits=(-1.0, 1.0),
            monotone=True,
            lipschitz=1.0,
            year=2018,
            bends=(-2.0, 0.0, 2.0),
            parity="odd",
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        near = x.clamp(-2.0, 2.0)
        return near * (1 - near.abs() / 4)

    @exact
    def df(self, x: Tensor) -> Tensor:
        return 1 - x.abs().clamp(max=2.0) / 2

    def d2f(self, x: Tensor) -> Tensor:
        return -torch.sign(x) * inside(x, -2.0, 2.0) / 2


@register("hardswish")
@dataclass(frozen=True)
class Hardswish(Entry):
    """``f(x) = x min(max(x + 3, 0), 6) / 6``.

    Range: [-0.375, inf); falls between -3 and -1.5; slope 0 up to -3, ``(2x + 3) / 6`` in between, 1 from 3 on.
    Hazards: the slope jumps at both ends (from 0 to -1/2 and from 3/2 to 1). torch overflows to inf from x = 5.7e37 in
    single precision and gives NaN at -inf.
    """

    source = "Howard et al. 2019 (MobileNetV3), arXiv:1905.02244, Sec. 5.2"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(-0.375, math.inf),
            limits=(0.0, math.inf),
            monotone=False,
            lipschitz=1.5,
            year=2019,
            kinks=(-3.0, 3.0),
            roots=(-1.5,),
        )

    @leaning(above_a_half)
    def f(self, x: Tensor) -> Tensor:
        near = x.clamp(-3.0, 3.0)
        return torch.where(x >= 3, x, near * (near + 3) / 6)

    @exact
    def df(self, x: Tensor) -> Tensor:
        near = x.clamp(-3.0, 3.0)
        return torch.where(x >= 3, 1.0, torch.where(x <= -3, 0.0, (2 * near + 3) / 6))

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return inside(x, -3.0, 3.0) / 3


@register("hard_mish")
@dataclass(frozen=True)
class HardMish(Entry):
    """``f(x) = x min(max(x + 2, 0), 2) / 2``.

    Range: [-0.5, inf); falls between -2 and -1; slope 0 up to -2, ``x + 1`` up to 0, 1 beyond.
    Hazards: the slope jumps at -2, from 0 to -1, and a unit left of that is dead.
    """

    source = "timm, hard_mish, after a note of Misra"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(-0.5, math.inf),
            limits=(0.0, math.inf),
            monotone=False,
            lipschitz=1.0,
            year=2020,
            kinks=(-2.0,),
            bends=(0.0,),
            roots=(-1.0,),
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        near = x.clamp(-2.0, 0.0)
        return torch.where(x > 0, x, near * (near + 2) / 2)

    @exact
    def df(self, x: Tensor) -> Tensor:
        return torch.where(x <= -2, 0.0, x.clamp(-2.0, 0.0) + 1)

    def d2f(self, x: Tensor) -> Tensor:
        return inside(x, -2.0, 0.0)
