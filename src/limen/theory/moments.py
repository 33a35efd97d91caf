"""Gaussian moments of a function: what a wide layer makes of pre-activations of a given variance."""

import math
from dataclasses import dataclass

import numpy as np

from limen.activations import GELU, Activation, Identity, LeakyReLU, PReLU, ReLU, Sin, Snake, SquaredReLU
from limen.theory.curve import Curve, Floats, Function, as_curve, checked_variance
from limen.theory.quadrature import means

__all__ = ["Moments", "closed_moments", "left_slope", "moments", "quadrature_moments"]


@dataclass(frozen=True)
class Moments:
    """Expectations over ``z ~ N(0, variance)``.

    Where the value of a function jumps, its slope is that of the pieces between: what a gradient sees, without the
    infinite slope of the jump. The mean, the second moment and its growth hold the jump.

    Attributes:
        variance: ``q``, in squared activation units.
        mean: ``E[f]``.
        square: ``E[f²]``.
        output_variance: ``E[f²] - E[f]²``.
        slope: ``E[f']``.
        slope_square: ``E[f'²]``.
        growth: ``d E[f²] / dq = E[z f f'] / q``: how fast the second moment grows with the variance. Where the value
            jumps it is ``E[f² (z² / q - 1)] / 2q``.
    """

    variance: float
    mean: float
    square: float
    output_variance: float
    slope: float
    slope_square: float
    growth: float


def moments(function: Function, variance: float = 1.0) -> Moments:
    r"""Gaussian moments of a function, in closed form where one is known, else by quadrature.

    Args:
        function: a catalogue entry or its name, a module, a ``Curve``, or a function of a tensor.
        variance: ``q``, in squared activation units. Finite and > 0.

    Raises:
        InvalidValue: ``variance`` is not a finite number > 0, or the function is not finite where it reaches.

    Accuracy: 1e-12 relative to ``E|·|`` for the catalogue (``tests/theory/test_precision.py``). Numbers beyond 14
    standard deviations, of a density below 1e-43, do not count: a function that is 0 up to there has moments of 0.

    >>> found = moments("relu", 2.0)
    >>> found.square, found.slope_square
    (1.0, 0.5)
    """
    variance = checked_variance("moments", variance)
    curve = as_curve(function)
    known = closed_moments(curve.entry, variance) if curve.entry else None
    return known or quadrature_moments(curve, variance)


def quadrature_moments(curve: Curve, variance: float) -> Moments:
    """The moments by quadrature alone, split at the curve's kinks."""
    (rest,) = curve.value(np.zeros(1))  # beside it, small changes of the output are not lost
    unit = float(np.hypot(np.sqrt(variance), rest))  # in which these are as large as slopes, and judged as strictly

    def integrand(z: Floats) -> Floats:
        value, slope = curve.value(z), curve.slope(z)
        moved = (value - rest) / unit
        growing = value**2 * (z * z / variance - 1) / 2 if curve.jumps else z * value * slope
        return np.stack([value, value**2, moved, moved**2, slope, slope**2, growing / variance])

    mean, square, move, moved_square, *slopes = (float(found) for found in means(integrand, variance, curve.breaks))
    return Moments(variance, mean, square, unit * unit * (moved_square - move**2), *slopes)


def left_slope(entry: Activation | None) -> float | None:
    """The slope left of 0 of an entry that is straight on both sides of 0 and has slope 1 on the right; else None."""
    match entry:
        case Identity():
            return 1.0
        case ReLU():
            return 0.0
        case LeakyReLU(negative_slope) | PReLU(negative_slope):
            return float(negative_slope)
        case _:
            return None


def closed_moments(entry: Activation, variance: float) -> Moments | None:
    """The moments in closed form, or None where none is entered here.

    Known for functions straight on both sides of 0, ``squared_relu``, ``gelu``, ``sin`` and ``snake``.

    Source: He et al. 2015, arXiv:1502.01852; for gelu Roberts, Yaida & Hanin 2022, arXiv:2106.10165, Sec. 5.3.4; for
    waves ``E[cos(k z)] = exp(-k² q / 2)``.
    """
    q = variance
    left = left_slope(entry)
    if left is not None:
        half, mean = (1 + left * left) / 2, (1 - left) * math.sqrt(q / (2 * math.pi))
        return Moments(q, mean, half * q, half * q - mean**2, (1 + left) / 2, half, half)
    if isinstance(entry, SquaredReLU):
        return Moments(q, q / 2, 1.5 * q * q, 1.25 * q * q, math.sqrt(2 * q / math.pi), 2 * q, 3 * q)
    match entry:
        case GELU():
            return _gelu(q)
        case Sin(w0):
            return _sine(float(w0), q)
        case Snake(alpha):
            return _snake(float(alpha), q)
        case _:
            return None


def _gelu(q: float) -> Moments:
    """With ``A = asin(q/(1+q))`` and ``B = 2q / ((1+q) sqrt(1+2q))``: ``E[f²] = q/4 + q (A + B) / 2π``."""
    one, root = 1 + q, math.sqrt(1 + 2 * q)
    a, b = math.asin(q / one), 2 * q / (one * root)
    da, db = 1 / (one * root), 2 * (1 / one - (q / one) ** 2) / (root * (1 + 2 * q))
    mean, square = q / math.sqrt(2 * math.pi * one), q / 4 + q * (a + b) / (2 * math.pi)
    slope_square = 0.25 + (a + q / one * (5 * q + 3) / (1 + 2 * q) / root) / (2 * math.pi)
    growth = 0.25 + (a + b + q * (da + db)) / (2 * math.pi)
    return Moments(q, mean, square, square - mean**2, 0.5, slope_square, growth)


def _sine(frequency: float, q: float) -> Moments:
    """``f² = (1 - cos 2wz) / 2`` and ``f'² = w² (1 + cos 2wz) / 2``; all means of odd waves are 0."""
    steepest = frequency * frequency
    damped, lost = math.exp(-2 * steepest * q), -math.expm1(-2 * steepest * q)
    slope = frequency * math.exp(-steepest * q / 2)
    return Moments(q, 0.0, lost / 2, lost / 2, slope, steepest * (1 + damped) / 2, steepest * damped)


def _snake(alpha: float, q: float) -> Moments:
    """``f = z + (1 - cos 2az) / 2a``, of which ``z`` is odd and the rest even; with ``e = 1 - exp(-2a²q)``."""
    e = -math.expm1(-2 * alpha * alpha * q)
    share = (e / (2 * alpha)) ** 2  # the square of the mean
    slope_square = 1 - math.expm1(-8 * alpha * alpha * q) / 2
    growth = 1 + (1 - e) * e * (3 - 3 * e + e * e)
    centred = q + share * (2 - 2 * e + e * e / 2)
    return Moments(q, e / (2 * alpha), centred + share, centred, 1.0, slope_square, growth)
