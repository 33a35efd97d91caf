# ruff: noqa: D102 - the interface says what each method is
"""Waves."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations.base import register
from limen.activations.interface import Entry, check_number
from limen.activations.rounding import fine
from limen.activations.sheet import Sheet
from limen.activations.twofold import Number, matched, near, single, where

__all__ = ["Sin", "Snake"]


FARTHEST = 1e290
"""Up to here a product is split without overflow."""


def phase(x: Number, frequency: float) -> Number:
    """``frequency * x``; an arbitrary angle where that overflows, but not at an infinity itself."""
    reach = FARTHEST / max(1.0, frequency)
    wide = near(x)
    angle = where((wide.abs() > reach) & wide.isfinite(), 0.0, x)
    if isinstance(angle, Tensor):
        return angle * frequency
    return where(wide.isfinite() & (wide != 0), angle * frequency, wide * frequency)  # zero with its sign


def sine(angle: Number) -> Number:
    """``sin(angle)``."""
    if isinstance(angle, Tensor):
        return torch.sin(angle)
    first, half = torch.sin(angle.near), torch.sin(angle.rest / 2)
    both = single(first).adjusted(torch.cos(angle.near) * torch.sin(angle.rest) - 2 * first * half * half)
    return where(angle.near == 0, angle.near, both)  # the sign of zero


def cosine(angle: Number) -> Tensor:
    """``cos(angle)``."""
    if isinstance(angle, Tensor):
        return torch.cos(angle)
    return torch.cos(angle.near) * torch.cos(angle.rest) - torch.sin(angle.near) * torch.sin(angle.rest)


@register("sin")
@dataclass(frozen=True)
class Sin(Entry):
    """``f(x) = sin(w0 x)``.

    Range: [-1, 1]; odd; rises and falls for ever; slope ``w0 cos(w0 x)``.
    Hazards: SIREN has ``w0 = 30`` in its first layer, and weights drawn from ``±sqrt(6 / n) / w0`` in the others; with
    ordinary weights it is noise. No limit at infinity: NaN there.
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

    @fine
    def f(self, x: Number) -> Number:
        return sine(phase(x, self.w0))

    @fine
    def df(self, x: Number) -> Number:
        return self.w0 * cosine(phase(x, self.w0))

    @fine
    def d2f(self, x: Number) -> Number:
        return -(self.w0**2) * sine(phase(x, self.w0))


QUARTER, QUARTER_REST = 0.7853981633974483, 3.061616997868383e-17
"""``pi / 4`` as two doubles."""


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

    @fine
    def f(self, x: Number) -> Number:
        angle = phase(where(near(x).isinf(), 0.0, x), self.alpha)
        wave = sine(angle)
        return near(x) + near(wave * wave) / self.alpha

    @fine
    def df(self, x: Number) -> Number:
        # a square, as 1 + sin(2 z) = (sin z + cos z)² = 2 sin²(z + pi/4): nothing is lost where 1 and the sine cancel
        angle = phase(x, self.alpha)
        if isinstance(angle, Tensor):
            return (torch.sin(angle) + torch.cos(angle)).square()
        root = sine(angle + matched(angle, QUARTER, QUARTER_REST))
        return 2 * root * root

    @fine
    def d2f(self, x: Number) -> Number:
        return 2 * self.alpha * cosine(phase(x, 2 * self.alpha))
