"""The variance at which a function wants its pre-activations, and the biases that keep them there."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace

from limen.activations import Activation
from limen.init.choices import Choices
from limen.theory import CriticalPoint, Curve, Moments, edge_of_chaos, half_stable_points, moments
from limen.theory.fixed_points import NEUTRAL, roots

__all__ = ["PLAIN", "Target", "growth", "target_of"]

USUAL_BIAS_VARIANCE = 0.05
"""Where the edge of chaos leaves it open: Schoenholz et al. 2017, arXiv:1611.01232, Fig. 1, for tanh."""

STEEPEST = 10.0
"""Critical points with a larger weight variance are not used: small changes of such weights change everything."""

DOUBLED = 2.0
"""A repelling variance is left where an error in it grows by more than this over the layers of the model."""

NOTABLE = 5.0
"""A gradient norm that changes by a larger factor from the first layer to the last is worth a warning."""


@dataclass(frozen=True)
class Target:
    """What a function wants of the layer below it.

    Attributes:
        variance: of the pre-activations, ``q``, in squared activation units.
        bias_variance: the part of it that biases make.
        centred: whether the layer that reads the function should not see its mean.
        rule: what the point is called.
        remark: why it is not what was asked for; empty otherwise.
        warning: the same with its figures, for the whole model; empty where nothing is to be warned of.
    """

    variance: float = 1.0
    bias_variance: float = 0.0
    centred: bool = False
    rule: str = "variance"
    remark: str = ""
    warning: str = ""


PLAIN = Target()


def target_of(function: Activation, choices: Choices, layers: int) -> Target:
    """The point for a function that the model applies ``layers`` times in a row without normalisation."""
    if choices.mode == "critical":
        return critical(function, choices.bias_variance)
    if choices.keep != "forward":
        return PLAIN
    if choices.mode == "variance" and error_after(function, layers) > DOUBLED:
        return instead_of_repelling(function, layers)
    return replace(PLAIN, warning=fate_of_gradients(function, layers))


@functools.cache
def growth(function: Activation) -> float:
    """``χ_q`` at variance 1 with the weights that keep it; below 1 for functions that vanish there."""
    found = moments(function)
    return found.growth / found.square if found.square > 0 else 0.0


def fate_of_gradients(function: Activation, layers: int) -> str:
    """What becomes of gradients at variance 1, where that is worth a warning; empty otherwise."""
    found = moments(function)
    chi = found.slope_square / found.square if found.square > 0 else 1.0
    factor = math.exp(max(-700.0, min(700.0, math.log(chi) * (layers - 1) / 2))) if chi > 0 else 1.0
    if 1 / NOTABLE <= factor <= NOTABLE:
        return ""
    does = f"grow {factor:.3g}-fold" if factor > 1 else f"shrink to {factor:.3g}"
    return (
        f"with weights that keep its variance, gradients {does} over {layers} layers of {function.name} "
        f"(chi_1 {chi:.3f}). mode='critical' keeps them"
    )


def instead_of_repelling(function: Activation, layers: int) -> Target:
    """The half-stable point in place of variance 1."""
    why = (
        f"the variance that {function.name} keeps repels (chi_q {growth(function):.3f}): an error in it grows "
        f"{error_after(function, layers):.3g}-fold over {layers} layers"
    )
    points = half_stable_points(function)
    if not points:
        return Target(
            remark="variance 1 repels", warning=f"{why}, and it has no stable point. Normalise between layers"
        )
    point = points[0]
    found = f"variance {point.variance:.4g} with biases of variance {point.bias_variance:.4g}"
    return replace(
        of_point(point, "half-stable", "variance 1 repels"), warning=f"{why}. Its half-stable point is used: {found}"
    )


def error_after(function: Activation, layers: int) -> float:
    """What a small error in the variance has grown to; at most e^700."""
    return math.exp(min(700.0, layers * math.log(max(growth(function), 1e-9))))


@functools.cache
def critical(function: Activation, bias_variance: float | None) -> Target:
    """A point with ``χ_1 = 1`` that a stack holds by itself, as far as there is one.

    Without a bias variance: the half-stable point where there is one, no biases for functions straight on both sides
    of 0, else the edge of chaos at ``USUAL_BIAS_VARIANCE``.
    """
    if bias_variance is None and (half := half_stable_points(function)):
        return of_point(half[0], "half-stable")
    found = moments(function)
    if math.isclose(found.growth, found.slope_square, rel_tol=NEUTRAL) and math.isclose(
        found.square, found.slope_square, rel_tol=NEUTRAL
    ):
        remark = "" if not bias_variance else "every variance is kept without biases, none with them"
        return Target(rule="critical", remark=remark)
    given = USUAL_BIAS_VARIANCE if bias_variance is None else bias_variance
    holding = [p for p in edge_of_chaos(function, given) if p.stability == "attracts" and p.variance > 0]
    if holding and holding[0].weight_variance <= STEEPEST:
        return of_point(holding[0], "critical")
    centred = centred_point(function, given)
    if centred is not None:
        why = f"needs weights of variance {holding[0].weight_variance:.3g}" if holding else "has none"
        remark = f"the edge of chaos of {function.name} {why}; its mean is taken out instead"
        return Target(centred.variance, centred.bias_variance, True, "critical, centred", remark)
    if half := half_stable_points(function):
        return of_point(half[0], "half-stable", f"no critical point attracts at bias variance {given:g}")
    return Target(remark=f"{function.name} has no critical point that attracts; variance 1 is kept instead")


def of_point(point: CriticalPoint, rule: str, remark: str = "") -> Target:
    return Target(point.variance, point.bias_variance, False, rule, remark)


def centred_point(function: Activation, bias_variance: float) -> CriticalPoint | None:
    """The lowest attracting edge of chaos of ``f - E[f]``, which rows of weights that sum to 0 make of ``f``."""

    def missing(q: float) -> float:
        found = moments(function, q)
        if found.slope_square == 0:  # flat wherever this variance reaches, as a shrinkage is around 0
            return math.nan
        return (q - found.output_variance / found.slope_square - bias_variance) / q

    for q in roots(missing):
        found = moments(function, q)
        slope = found.growth - found.mean * mean_curvature(function, found)
        if abs(slope) < found.slope_square * (1 - NEUTRAL) and 1 / found.slope_square <= 10 * STEEPEST:
            return CriticalPoint(1 / found.slope_square, bias_variance, q, slope / found.slope_square)
    return None


def mean_curvature(function: Activation, found: Moments) -> float:
    """``E[f'']``, twice what ``E[f]`` grows by with the variance, by parts ``E[z f'] / q``: slopes may jump."""
    times_slope = Curve(lambda z: z * function.df(z), kinks=function.kinks, name="z f'")
    return moments(times_slope, found.variance).mean / found.variance
