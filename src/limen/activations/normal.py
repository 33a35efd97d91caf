# ruff: noqa: D102 - the interface says what each method is
"""Functions made of the normal distribution: its bell, its integral, and the input gated by it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations.base import register
from limen.activations.gates import FAR, gated, gated_slope
from limen.activations.interface import Entry
from limen.activations.rounding import above_a_half, exact, fine, leaning
from limen.activations.sheet import Sheet
from limen.activations.twofold import Number, Twofold, clamp, exp, matched, near, product, single

__all__ = ["GELU", "Erf", "Gaussian", "bell", "density", "erf", "share"]

ROOT_HALF, ROOT_HALF_REST = 0.7071067811865476, -4.833646656726457e-17
"""``sqrt(1/2)`` as two doubles."""

DENSITY, DENSITY_REST = 0.3989422804014327, -2.49232720227773e-17
"""``1 / sqrt(2 pi)`` likewise."""

BEYOND = 40.0
"""``exp(-BEYOND² / 2)`` is less than half of the smallest double."""


def bell(x: Number, scale: float = 1.0) -> Number:
    """``exp(-scale x²)``; ``scale`` must be a power of two.

    The rounding of ``x²`` would be multiplied by the exponent, which goes up to 745: it is found and put back.
    """
    inner = clamp(x, -BEYOND, BEYOND)
    if isinstance(inner, Twofold):
        return exp(inner * inner * -scale)
    square = product(inner, inner)
    value = torch.exp(-scale * square.near)
    return value - value * (scale * square.rest)


def density(x: Number) -> Number:
    """Density of the standard normal distribution."""
    return bell(x, 0.5) * matched(x, DENSITY, DENSITY_REST)


def erf(x: Number) -> Number:
    """``erf(x)``; what ``x`` has beyond a double is put back with the slope."""
    if not isinstance(x, Twofold):
        return torch.erf(x)
    return single(torch.erf(x.near)).adjusted(2 / math.sqrt(math.pi) * torch.exp(-x.near * x.near) * x.rest)


def share(x: Number) -> Number:
    """Distribution function of the standard normal, without loss in the left tail: ``erfc(-x / sqrt 2) / 2``.

    The argument is rounded, which the function's slope multiplies: as in ``bell``.
    """
    at = single(-near(x).clamp(-BEYOND, BEYOND))
    at = at * matched(at, ROOT_HALF, ROOT_HALF_REST)
    value, off = 0.5 * torch.special.erfc(at.near), torch.exp(-at.near * at.near) / -math.sqrt(math.pi) * at.rest
    return single(value).adjusted(off) if isinstance(x, Twofold) else value + off


@register("gaussian")
@dataclass(frozen=True)
class Gaussian(Entry):
    """``f(x) = exp(-x²)``.

    Range: (0, 1]; even; rises left of 0, falls right of it; steepest at ``±sqrt(1/2)`` with slope 0.85776.
    Hazards: flat on both sides and at 0; a unit answers to one place of its input only.
    """

    source = "Broomhead & Lowe 1988, Multivariable functional interpolation and adaptive networks"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(0.0, 1.0),
            limits=(0.0, 0.0),
            monotone=False,
            lipschitz=math.sqrt(2 / math.e),
            year=1988,
            roots=(0.0,),
            parity="even",
        )

    @exact
    def f(self, x: Tensor) -> Number:
        return bell(x)

    @exact
    def df(self, x: Tensor) -> Number:
        return -2 * x.clamp(-FAR, FAR) * bell(x)

    @exact
    def d2f(self, x: Tensor) -> Number:
        return (4 * x.clamp(-FAR, FAR).square() - 2) * bell(x)


@register("erf")
@dataclass(frozen=True)
class Erf(Entry):
    """``f(x) = 2 / sqrt(pi)`` times the integral of ``exp(-t²)`` from 0 to ``x``.

    Range: (-1, 1); odd; rises everywhere; steepest at 0 with slope ``2 / sqrt(pi)``.
    Hazards: flat on both sides, and sooner than tanh.
    """

    source = "definition; Williams 1998, Computation with infinite neural networks"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(-1.0, 1.0),
            limits=(-1.0, 1.0),
            monotone=True,
            lipschitz=2 / math.sqrt(math.pi),
            year=1998,
            parity="odd",
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        return torch.erf(x)

    @exact
    def df(self, x: Tensor) -> Number:
        return 2 / math.sqrt(math.pi) * bell(x)

    @exact
    def d2f(self, x: Tensor) -> Number:
        return -4 / math.sqrt(math.pi) * x.clamp(-FAR, FAR) * bell(x)


@register("gelu")
@dataclass(frozen=True)
class GELU(Entry):
    """``f(x) = x Phi(x)`` with the distribution function ``Phi`` of the standard normal.

    Range: [-0.16997, inf); falls left of -0.75179, rises right of it; steepest at sqrt 2 with slope 1.12890.
    Hazards: torch writes ``1 + erf``, which loses all digits left of -5.5 in single and -8.3 in double precision, and
    gives NaN at both infinities. In JAX the same name means ``gelu_tanh``.
    """

    source = "Hendrycks & Gimpel 2016, arXiv:1606.08415, Sec. 2"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(-0.16997120747990366, math.inf),
            limits=(0.0, math.inf),
            monotone=False,
            lipschitz=0.5 * math.erfc(-1.0) + math.exp(-1.0) / math.sqrt(math.pi),  # at sqrt 2
            year=2016,
            roots=(-0.7517915246935645,),
        )

    @leaning(above_a_half, twofold=True)
    def f(self, x: Number) -> Number:
        return gated(x, share)

    @fine
    def df(self, x: Number) -> Number:
        return gated_slope(x, share, density)

    @fine
    def d2f(self, x: Number) -> Number:
        inner = clamp(x, -FAR, FAR)
        return density(x) * (2 - inner * inner)
