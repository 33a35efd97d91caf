# ruff: noqa: D102 - the interface says what each method is
"""Self-gated functions ``x g(x)`` whose gate is a composition: ``f' = g + x g'`` and ``f'' = 2 g' + x g''``."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations import gates, logistic, normal
from limen.activations.base import register
from limen.activations.gates import FAR
from limen.activations.interface import Entry
from limen.activations.rounding import above_a_half, below_a_square, exact, fine, leaning
from limen.activations.sheet import Sheet
from limen.activations.twofold import Number, clamp, exp, log1p, magnitude, matched, near, tanh, where

__all__ = ["LiSHT", "Logish", "Phish", "Serf", "Smish", "TanhExp"]

SPREAD, SPREAD_REST = 1.1283791670955126, 1.533545961316588e-17
"""``2 / sqrt(pi)`` as two doubles."""

Parts = Callable[[Number], tuple[Number, Number, Number]]
"""From the input to a gate, its slope and its curvature: what they share is computed once."""


def gated(x: Number, gate: Parts) -> Number:
    """``x g(x)``."""
    return gates.gated(x, lambda z: gate(z)[0])


def gated_slope(x: Number, gate: Parts) -> Number:
    """``g + x g'``."""
    inner = clamp(x, -FAR, FAR)
    g, slope, _ = gate(inner)
    return g + inner * slope


def gated_curvature(x: Number, gate: Parts) -> Number:
    """``2 g' + x g''``."""
    inner = clamp(x, -FAR, FAR)
    _, slope, curvature = gate(inner)
    return 2 * slope + inner * curvature


def gated_sheet(root: float, least: float, steepest: float, year: int, *, slope: float = 1.0) -> Sheet:
    """The sheet of a function that falls to ``least`` at ``root`` and rises from there."""
    return Sheet(
        range=(least, math.inf),
        limits=(0.0, math.inf),
        monotone=False,
        lipschitz=max(steepest, slope),
        year=year,
        roots=(root,),
    )


def serf_gate(x: Number) -> tuple[Number, Number, Number]:
    """``erf(log(1 + exp(x)))``."""
    above = log1p(exp(-magnitude(x)))
    soft = where(near(x) > 0, x + above, above)
    opening = logistic.value(x)
    height = normal.bell(soft) * matched(x, SPREAD, SPREAD_REST)
    return normal.erf(soft), height * opening, height * (logistic.slope(x) - 2 * soft * (opening * opening))


@register("serf")
@dataclass(frozen=True)
class Serf(Entry):
    """``f(x) = x erf(log(1 + exp(x)))``.

    Range: [-0.34844, inf); falls left of -1.19306, rises right of it; steepest at 1.09605 with slope 1.08613.
    Hazards: its gate opens sooner than that of ``mish``; otherwise much like it, at twice the cost.
    """

    source = "Nag & Bhattacharyya 2021, arXiv:2108.09598"

    @property
    def sheet(self) -> Sheet:
        return gated_sheet(-1.193059968928188, -0.3484374587596064, 1.086125444150997, 2021)

    @fine
    def f(self, x: Number) -> Number:
        return gated(x, serf_gate)

    @fine
    def df(self, x: Number) -> Number:
        return gated_slope(x, serf_gate)

    @fine
    def d2f(self, x: Number) -> Number:
        return gated_curvature(x, serf_gate)


def tanhexp_gate(x: Number) -> tuple[Number, Number, Number]:
    """``tanh(exp(x))``, which is 1 long before ``exp(x)`` overflows."""
    e = exp(clamp(x, -FAR, 10.0))
    g, slope = tanh(e), 4 * e * logistic.slope(2 * e)
    return g, slope, slope * (1 - 2 * e * g)


@register("tanhexp")
@dataclass(frozen=True)
class TanhExp(Entry):
    """``f(x) = x tanh(exp(x))``.

    Range: [-0.35329, inf); falls left of -1.07886, rises right of it; steepest at 0.69656 with slope 1.06198.
    Hazards: ``exp(x)`` overflows where it is not held back, and its slope is then not a number.
    """

    source = "Liu & Di 2020, arXiv:2003.09855"

    @property
    def sheet(self) -> Sheet:
        return gated_sheet(-1.078860058464624, -0.3532857778482113, 1.061975308717916, 2020)

    @fine
    def f(self, x: Number) -> Number:
        return gated(x, tanhexp_gate)

    @fine
    def df(self, x: Number) -> Number:
        return gated_slope(x, tanhexp_gate)

    @fine
    def d2f(self, x: Number) -> Number:
        return gated_curvature(x, tanhexp_gate)


def logish_gate(x: Number) -> tuple[Number, Number, Number]:
    """``log(1 + s(x))`` with the logistic function ``s``."""
    s = logistic.value(x)
    slope = logistic.slope(x) / (1 + s)
    return log1p(s), slope, slope * (1 - s * (2 + s)) / (1 + s)


@register("logish")
@dataclass(frozen=True)
class Logish(Entry):
    """``f(x) = x log(1 + s(x))`` with the logistic function ``s``.

    Range: [-0.25277, inf); falls left of -1.37245, rises right of it; slope log 2 far out.
    Hazards: written ``log(1 + s)`` and not ``log1p(s)`` it is 0 far on the left. Its outputs are smaller than the
    inputs: a stack of it needs a gain above 1.
    """

    source = "Zhu et al. 2021, Logish: A new nonlinear nonmonotonic activation function"

    @property
    def sheet(self) -> Sheet:
        return gated_sheet(-1.3724541370256921, -0.25276881678944035, 0.7463111804127397, 2021, slope=math.log(2))

    @fine
    def f(self, x: Number) -> Number:
        return gated(x, logish_gate)

    @fine
    def df(self, x: Number) -> Number:
        return gated_slope(x, logish_gate)

    @fine
    def d2f(self, x: Number) -> Number:
        return gated_curvature(x, logish_gate)


def smish_gate(x: Number) -> tuple[Number, Number, Number]:
    """``tanh(log(1 + s(x)))``, which is ``n / (n + 2)`` with ``n = s (s + 2)``."""
    s = logistic.value(x)
    n, rise, w = s * (s + 2), logistic.slope(x), 1 + s
    d = n + 2
    curvature = 4 * (w * logistic.curvature(x) * d + rise * rise * (1 - 3 * w * w)) / (d * d * d)
    return n / d, 4 * w * rise / (d * d), curvature


@register("smish")
@dataclass(frozen=True)
class Smish(Entry):
    """``f(x) = x tanh(log(1 + s(x)))`` with the logistic function ``s``.

    Range: [-0.24999, inf); falls left of -1.39452, rises right of it; slope 3/5 far out.
    Hazards: its outputs are smaller than the inputs: a stack of it needs a gain above 1.
    """

    source = "Wang, Ren & Wang 2022, Smish: A Novel Activation Function for Deep Learning Methods"

    @property
    def sheet(self) -> Sheet:
        return gated_sheet(-1.394519301924504, -0.2499936636601295, 0.6368842228812263, 2022, slope=0.6)

    @fine
    def f(self, x: Number) -> Number:
        return gated(x, smish_gate)

    @fine
    def df(self, x: Number) -> Number:
        return gated_slope(x, smish_gate)

    @fine
    def d2f(self, x: Number) -> Number:
        return gated_curvature(x, smish_gate)


def phish_gate(x: Number) -> tuple[Number, Number, Number]:
    """``tanh(gelu(x))``."""
    share, density = normal.share(x), normal.density(x)
    inner, rise, bend = x * share, share + x * density, density * (2 - x * x)
    g, height = tanh(inner), 4 * logistic.slope(2 * inner)
    return g, height * rise, height * (bend - 2 * g * rise * rise)


@register("phish")
@dataclass(frozen=True)
class Phish(Entry):
    """``f(x) = x tanh(gelu(x))``.

    Range: [0, inf); rises up to -1.19543, where it is 0.16466, falls to 0 at 0 and rises from there.
    Hazards: both factors are negative on the left, so it has a hump there; its slope is 0 at 0.
    """

    source = "Naveen 2021, Phish: A Novel Hyper-Optimizable Activation Function"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(0.0, math.inf),
            limits=(0.0, math.inf),
            monotone=False,
            lipschitz=1.2983066733058115,
            year=2021,
            roots=(-1.1954312013879125, 0.0),
        )

    @leaning(above_a_half, twofold=True)
    def f(self, x: Number) -> Number:
        return gated(x, phish_gate)

    @fine
    def df(self, x: Number) -> Number:
        return gated_slope(x, phish_gate)

    @fine
    def d2f(self, x: Number) -> Number:
        return gated_curvature(x, phish_gate)


@register("lisht")
@dataclass(frozen=True)
class LiSHT(Entry):
    """``f(x) = x tanh(x)``.

    Range: [0, inf); even; falls left of 0, rises right of it; steepest at ±1.19968 with slope ±1.19968.
    Hazards: opposite inputs give the same output, so the sign of a feature is lost.
    """

    source = "Roy et al. 2019, arXiv:1901.05894"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(0.0, math.inf),
            limits=(math.inf, math.inf),
            monotone=False,
            lipschitz=1.1996786402577339,
            year=2019,
            roots=(0.0,),
            parity="even",
        )

    @leaning(below_a_square)
    def f(self, x: Tensor) -> Tensor:
        return x * torch.tanh(x)

    @exact
    def df(self, x: Tensor) -> Number:
        return torch.tanh(x) + 4 * x.clamp(-FAR, FAR) * logistic.slope(2 * x)

    @exact
    def d2f(self, x: Tensor) -> Number:
        return 8 * logistic.slope(2 * x) * (1 - x.clamp(-FAR, FAR) * torch.tanh(x))
