"""Where a stack settles: the variances that a layer keeps, whether they attract, and the correlation they lead to."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from limen.errors import InvalidValue
from limen.theory.curve import Curve, as_curve
from limen.theory.stack import Stack, chi_1, chi_c, chi_q, depth_scale, next_correlation, next_variance

__all__ = ["CorrelationPoint", "FixedPoint", "Stability", "correlation_point", "fixed_points", "roots", "slope_at_zero"]

Stability = Literal["attracts", "repels", "neutral"]

LOWEST, HIGHEST = 1e-6, 1e6
"""Variances between which fixed and critical points are looked for."""

CLOSEST = 1e-200
"""Stands for 0, but on one side of it; so small that a slope which vanishes there has the square 0."""

NEUTRAL = 1e-9
"""A slope that is 1 to this accuracy is called neutral."""

NOISE = 1e-11
"""Relative differences smaller than this have no sign."""


@dataclass(frozen=True)
class FixedPoint:
    """A variance of the pre-activations that a layer keeps.

    Attributes:
        variance: ``q*``, in squared activation units; 0 is the point at which the signal is gone.
        chi_q: slope of the length map there.
        chi_1: factor of the gradient's variance per layer there.
    """

    variance: float
    chi_q: float
    chi_1: float

    @property
    def stability(self) -> Stability:
        """Whether variances nearby come closer from layer to layer.

        ``neutral``: to first order neither. At the neutral point 0 of a function straight on both sides of 0, such as
        ReLU at gain sqrt(2), every variance is kept.
        """
        return stability_of(self.chi_q)

    @property
    def variance_depth(self) -> float:
        """``ξ_q``: layers in which a deviation from the variance changes by a factor e."""
        return depth_scale(abs(self.chi_q))

    @property
    def gradient_depth(self) -> float:
        """``ξ_∇``: layers in which the variance of the gradient changes by a factor e, shrinking if ``chi_1 < 1``."""
        return depth_scale(self.chi_1)


@dataclass(frozen=True)
class CorrelationPoint:
    """The correlation that two inputs approach with depth, at a fixed variance.

    Attributes:
        correlation: ``c*`` in [0, 1]; 1 means that all inputs come to look alike. Where ``chi_c`` is 1 too, they do so
            more slowly than exponentially, or not at all: a straight line keeps every correlation.
        chi_c: slope of the correlation map there.
    """

    correlation: float
    chi_c: float

    @property
    def depth(self) -> float:
        """``ξ_c``: layers in which the distance to it shrinks by a factor e; infinite where it shrinks as a power."""
        return depth_scale(1.0 if abs(self.chi_c - 1) <= NEUTRAL else self.chi_c)


def stability_of(slope: float) -> Stability:
    """What the slope of a map at its fixed point says."""
    if abs(abs(slope) - 1) <= NEUTRAL:
        return "neutral"
    return "attracts" if abs(slope) < 1 else "repels"


def fixed_points(stack: Stack) -> tuple[FixedPoint, ...]:
    """All variances that a layer of the stack keeps, ascending, with their stability.

    An empty tuple, or none that attracts above a given variance, means that the variance grows without bound.

    Returns:
        Points at 0 and between 1e-6 and 1e6. Two that are closer to each other than 20 % may be overlooked, and
        one is at which the map touches its diagonal without crossing it (``half_stable_points`` finds those).

    Raises:
        InvalidValue: the function is not finite at variances up to 1e6.

    Accuracy: relative 1e-10 where ``|chi_q - 1| > 0.01`` (``tests/theory/test_fixed_points.py``).
    Source: Schoenholz et al. 2017, arXiv:1611.01232, Sec. 3.

    With its own variance-preserving gain a GELU does not hold the variance of 1, it flees from it:

    >>> gelu = Stack("gelu", 1.5335304411955353**2)
    >>> [(round(point.variance, 6), round(point.chi_q, 6), point.stability) for point in fixed_points(gelu)]
    [(0.0, 0.587929, 'attracts'), (1.0, 1.144063, 'repels')]
    """
    found = list(_at_zero(stack))
    for variance in roots(lambda q: next_variance(stack, q) / q - 1):
        found.append(FixedPoint(variance, chi_q(stack, variance), chi_1(stack, variance)))
    return tuple(found)


def _at_zero(stack: Stack) -> Iterator[FixedPoint]:
    """The point at 0, where both slopes are ``σ_w²`` times the mean of the squared slopes on the two sides of 0."""
    curve = as_curve(stack.activation)
    if stack.bias_variance == 0 and curve.value(np.zeros(1))[0] == 0:
        slope = stack.weight_variance * slope_at_zero(curve)
        yield FixedPoint(0.0, slope, slope)


def slope_at_zero(curve: Curve) -> float:
    """The limit of ``E[f'²]`` at small variances: the mean of the squared slopes just left and just right of 0."""
    return float((curve.slope(np.array([-CLOSEST, CLOSEST])) ** 2).mean())


def correlation_point(stack: Stack, variance: float) -> CorrelationPoint:
    """The correlation that any two inputs of this variance approach with depth.

    The correlation map is convex on [0, 1], so Newton's method climbs to its only attracting point from 0. It is 1 as
    long as ``chi_1 <= 1`` (order), below 1 beyond (chaos).

    Args:
        stack: the layers.
        variance: a fixed point of the length map, as ``fixed_points`` finds them. Finite and > 0.

    Raises:
        InvalidValue: ``variance`` is not one that a layer keeps.

    Accuracy: absolute ``1e-13 / (1 - chi_c)`` (``tests/theory/test_fixed_points.py``, against a closed form).

    >>> chaos = Stack("tanh", 4.0)
    >>> (point,) = [point for point in fixed_points(chaos) if point.stability == "attracts"]
    >>> correlation_point(chaos, point.variance).correlation
    0.0
    """
    kept = next_variance(stack, variance)
    if not math.isclose(kept, variance, rel_tol=1e-8):
        raise InvalidValue(
            f"correlation_point(variance={variance!r}): the next layer has variance {kept:.6g}. Expected one that is "
            "kept: fixed_points(stack) finds them."
        )
    at_one = chi_1(stack, variance)
    if at_one <= 1 + NEUTRAL:
        return CorrelationPoint(1.0, at_one)
    c = 0.0
    for _ in range(100):
        step = (next_correlation(stack, c, variance) - c) / (1 - chi_c(stack, c, variance))
        if step <= 1e-14:  # it only climbs, but for rounding
            break
        c = min(c + step, 1.0)
    return CorrelationPoint(c, chi_c(stack, c, variance))


def roots(function: Callable[[float], float]) -> Iterator[float]:
    """Where a function changes its sign between 1e-6 and 1e6, ascending, each to the last digits."""
    grid = [float(q) for q in np.geomspace(LOWEST, HIGHEST, 151)]
    signed = [(q, value) for q in grid if abs(value := function(q)) > NOISE]
    for (low, below), (high, above) in pairwise(signed):
        if (below > 0) != (above > 0):
            yield _bisect(function, low, high, above > 0)


def _bisect(function: Callable[[float], float], low: float, high: float, rises: bool) -> float:
    while True:
        middle = math.sqrt(low * high)
        if not low < middle < high:
            return middle
        if (function(middle) > 0) == rises:
            high = middle
        else:
            low = middle
