# ruff: noqa: D102 - the interface says what each method is
"""Waves."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations.base import register
from limen.activations.interface import Entry, check_number
from limen.activations.rounding import exact
from limen.activations.sheet import Sheet

__all__ = ["Sin", "Snake"]


def phase(x: Tensor, frequency: float) -> Tensor:
    """``frequency * x``; an arbitrary angle where that overflows, but not at an infinity itself."""
    angle = frequency * x
    return torch.where(angle.isinf() & x.isfinite(), 0.0, angle)


@register("sin")
@dataclass(frozen=True)
class Sin(Entry):
    """``f(x) = sin(w0 x)``.

    Range: [-1, 1]; odd; rises and falls for ever; slope ``w0 cos(w0 x)``.
    Hazards: SIREN has ``w0 = 30`` in its first layer, and weights drawn from ``±sqrt(6 / n) / w0`` in the others; with
    ordinary weights it is noise. No limit at infinity: NaN there. For a ``w0`` with many digits, far out, the rounding
    of ``w0 x`` shows.
    """

    w0: float = 1.0
    source = "Sitzmann et al. 2020 (SIREN), arXiv:2006.09661"

    def __post_init__(self) -> None:
        check_number(self, "w0", above=0)

    @property
    def sheet(self) -> Sheet:
        quarter = math.pi / 2 / self.w0
        return Sheet(
            range=(-1.0, 1.0),
            limits=(None, None),
            monotone=False,
            lipschitz=float(self.w0),
            year=2020,
            roots=(-quarter, quarter),
            period=4 * quarter,
            parity="odd",
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        return torch.sin(phase(x, self.w0))

    @exact
    def df(self, x: Tensor) -> Tensor:
        return self.w0 * torch.cos(phase(x, self.w0))

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return -(self.w0**2) * torch.sin(phase(x, self.w0))


@register("snake")
@dataclass(frozen=True)
class Snake(Entry):
    """``f(x) = x + sin(alpha x)² / alpha``.

    Range: all reals; never falls; slope ``1 + sin(2 alpha x)``, between 0 and 2.
    Hazards: the slope is about 0 near ``-pi / (4 alpha)`` and every ``pi / alpha`` from there. BigVGAN learns
    ``alpha``, one for each channel. The slope has no limit at infinity: NaN there.
    """

    alpha: float = 1.0
    source = "Ziyin, Hartwig & Ueda 2020, arXiv:2006.08195, Eq. 3"

    def __post_init__(self) -> None:
        check_number(self, "alpha", above=0)

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            monotone=True,
            lipschitz=2.0,
            year=2020,
            roots=(-math.pi / 4 / self.alpha,),
            period=math.pi / self.alpha,
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        angle = torch.where(x.isinf(), 0.0, phase(x, self.alpha))
        return x + torch.sin(angle).square() / self.alpha

    @exact
    def df(self, x: Tensor) -> Tensor:
        # a square: nothing is lost where 1 and the sine cancel
        angle = phase(x, self.alpha)
        return (torch.sin(angle) + torch.cos(angle)).square()

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return 2 * self.alpha * torch.cos(phase(x, 2 * self.alpha))
