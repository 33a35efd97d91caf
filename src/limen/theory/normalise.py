"""Two published constructions, for any function: Kumar's linearised gain, and SELU's scale and shift."""

import math
from dataclasses import dataclass

import numpy as np

from limen.errors import InvalidValue
from limen.theory.curve import Curve, Function, as_curve
from limen.theory.fixed_points import CLOSEST, Stability, stability_of
from limen.theory.moments import moments
from limen.theory.scaled import Scaled

__all__ = ["SelfNormalising", "kumar_gain", "self_normalising"]


def kumar_gain(activation: Function) -> float:
    """The gain of Kumar's derivation, which takes a function for the straight line that touches it at 0.

    ``g = 1 / sqrt(f'(0)² (1 + f(0)²))``. ``forward_gain`` makes no such approximation: for tanh it is 1.59, this is 1.

    Args:
        activation: a catalogue entry or its name, a module, a ``Curve``, or a function of a tensor.

    Returns:
        ``g``, dimensionless: the standard deviation of the weights is ``g / sqrt(fan_in)``.

    Raises:
        InvalidValue: the function has a kink at 0, or is flat there.

    Source: Kumar 2017, arXiv:1704.08863, Eq. 14; the 3.6 of the paper for the sigmoid is

    >>> round(kumar_gain("sigmoid"), 4), kumar_gain("tanh")
    (3.5777, 1.0)
    """
    curve = as_curve(activation)
    left, right = (float(slope) for slope in curve.slope(np.array([-CLOSEST, CLOSEST])))
    (rest,) = curve.value(np.zeros(1))
    if left != right or left == 0:
        raise InvalidValue(
            f"kumar_gain({activation!r}): its slope is {left:.6g} just left of 0 and {right:.6g} just right of it. "
            "Expected one slope that is not 0. Use forward_gain, which needs neither."
        )
    return 1 / (abs(left) * math.hypot(1, float(rest)))


@dataclass(frozen=True)
class SelfNormalising:
    """``g(x) = scale · f(x) + shift``, which has mean 0 and variance 1 on standard normal numbers.

    Attributes:
        scale: ``a = 1 / std(f)``.
        shift: ``b = -a E[f]``.
        chi_q: slope of the length map at variance 1, for weights of variance ``1 / fan_in`` and no biases.
        chi_1: factor of the gradient's variance per layer there.
    """

    scale: float
    shift: float
    chi_q: float
    chi_1: float

    @property
    def stability(self) -> Stability:
        """Only one that ``attracts`` normalises: the others leave variance 1 as soon as they are not exactly there."""
        return stability_of(self.chi_q)


def self_normalising(activation: Function) -> SelfNormalising:
    """SELU's construction for any function: the scale and shift that make mean 0 and variance 1 a fixed point.

    Whether that fixed point also attracts is up to the function. It does for SELU, ELU, tanh and sigmoid; it does not
    for GELU, SiLU and Mish, which no scale and shift make self-normalising.

    Args:
        activation: as in ``kumar_gain``.

    Raises:
        InvalidValue: the function is constant wherever standard normal numbers reach.

    Accuracy: relative 1e-12 (``tests/theory/test_normalise.py``).
    Source: Klambauer et al. 2017, arXiv:1706.02515, Sec. 2, with any ``f`` in place of the scaled ELU.

    >>> found = self_normalising("selu")
    >>> round(found.scale, 9), round(abs(found.shift), 9), round(found.chi_q, 6), found.stability
    (1.0, 0.0, 0.782648, 'attracts')
    >>> self_normalising("gelu").stability
    'repels'
    """
    curve = as_curve(activation)
    found = moments(curve)
    if found.output_variance <= 0:
        raise InvalidValue(
            f"self_normalising({activation!r}): it is {found.mean:.6g} wherever standard normal numbers reach. "
            "Expected a function that changes there."
        )
    scale = 1 / math.sqrt(found.output_variance)
    shift = -scale * found.mean
    scaled = Scaled(curve.entry or curve, 1.0, 0.0, scale, shift / scale)
    at_one = moments(Curve(scaled.f, scaled.df, curve.breaks, repr(scaled), jumps=curve.jumps))
    return SelfNormalising(scale, shift, at_one.growth, at_one.slope_square)
