"""What a stack of wide layers, all alike, does to the length of a signal, the angle between two, and gradients."""

import math
from dataclasses import dataclass

from limen.errors import InvalidValue
from limen.theory.curve import Function, as_curve
from limen.theory.kernel import kernel, slope_kernel
from limen.theory.moments import moments

__all__ = [
    "Stack",
    "chi_1",
    "chi_c",
    "chi_q",
    "depth_scale",
    "next_correlation",
    "next_variance",
]


@dataclass(frozen=True)
class Stack:
    """Layers ``z' = W f(z) + b`` so wide that ``z`` is Gaussian, with ``W`` and ``b`` independent, of zero mean.

    Attributes:
        activation: ``f``; what ``limen.theory.moments`` takes.
        weight_variance: ``σ_w²``: the variance of a weight times ``fan_in``; the square of its gain. Finite and > 0.
        bias_variance: ``σ_b²``: the variance of a bias, in squared activation units. Finite and >= 0.

    Source: Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232.

    >>> Stack("gleu", 2.0)
    Traceback (most recent call last):
    limen.errors.UnknownName: No activation is named 'gleu'. Did you mean 'gelu'?
    """

    activation: Function
    weight_variance: float
    bias_variance: float = 0.0

    def __post_init__(self) -> None:
        as_curve(self.activation)
        if not (math.isfinite(self.weight_variance) and self.weight_variance > 0):
            raise InvalidValue(
                f"Stack(weight_variance={self.weight_variance!r}): expected a finite number > 0, the variance of a "
                "weight times fan_in. He initialisation is 2.0; nn.Linear's default is 1/3."
            )
        if not (math.isfinite(self.bias_variance) and self.bias_variance >= 0):
            raise InvalidValue(
                f"Stack(bias_variance={self.bias_variance!r}): expected a finite number >= 0, the variance of a bias."
            )


def next_variance(stack: Stack, variance: float) -> float:
    """The length map ``Q(q) = σ_w² E[f(z)²] + σ_b²``: the variance of the pre-activations one layer later.

    Raises:
        InvalidValue: ``variance`` is not a finite number > 0.

    >>> next_variance(Stack("relu", 2.0), 3.0)
    3.0
    """
    return stack.weight_variance * moments(stack.activation, variance).square + stack.bias_variance


def chi_q(stack: Stack, variance: float) -> float:
    """``χ_q = dQ/dq``: below 1 in magnitude a fixed point of the length map attracts, above it repels.

    By parts ``σ_w² E[z f f'] / q``, which needs no curvature and so holds at kinks.

    >>> chi_q(Stack("squared_relu", 2 / 3), 1.0) == 2
    True
    """
    return stack.weight_variance * moments(stack.activation, variance).growth


def chi_1(stack: Stack, variance: float) -> float:
    """``χ_1 = σ_w² E[f'²]``: what a layer multiplies the variance of the gradient by, on its way down.

    Also the slope of the correlation map at 1: above 1, inputs that are almost alike move apart (chaos).

    >>> chi_1(Stack("relu", 1 / 3), 1.0) == 1 / 6  # the default of nn.Linear
    True
    """
    return stack.weight_variance * moments(stack.activation, variance).slope_square


def next_correlation(stack: Stack, correlation: float, variance: float) -> float:
    """The correlation map ``C(c) = (σ_w² E[f(u) f(v)] + σ_b²) / Q(q)``, of two inputs of the same length.

    Args:
        stack: the layers.
        correlation: between the pre-activations of two inputs, in [-1, 1].
        variance: ``q`` of both.

    Raises:
        InvalidValue: ``correlation`` or ``variance`` out of range.

    >>> round(next_correlation(Stack("relu", 2.0), 0.0, 1.0), 10) == round(1 / math.pi, 10)
    True
    """
    alike = stack.weight_variance * kernel(stack.activation, correlation, variance) + stack.bias_variance
    return max(-1.0, min(1.0, alike / next_variance(stack, variance)))  # rounding may not leave the range of the map


def chi_c(stack: Stack, correlation: float, variance: float) -> float:
    """The slope of the correlation map, ``σ_w² q E[f'(u) f'(v)] / Q(q)``; ``χ_1`` at ``c = 1`` and a fixed point ``q``.

    >>> chi_c(Stack("relu", 2.0), 0.0, 1.0)
    0.5
    """
    slope = stack.weight_variance * slope_kernel(stack.activation, correlation, variance)
    return slope * variance / next_variance(stack, variance)


def depth_scale(slope: float) -> float:
    """``1 / |ln χ|``: in how many layers what a map of that slope multiplies changes by a factor e.

    Infinite at 1, where nothing decays exponentially; 0 at slope 0. Of ``χ_1`` it counts for the gradient's variance;
    for its norm it is twice that.

    Raises:
        InvalidValue: ``slope`` is not a finite number >= 0.

    >>> round(depth_scale(0.5), 6)
    1.442695
    """
    if not (math.isfinite(slope) and slope >= 0):
        raise InvalidValue(f"depth_scale(slope={slope!r}): expected a finite number >= 0, such as chi_1(…).")
    if slope in (0.0, 1.0):
        return 0.0 if slope == 0 else math.inf
    return 1 / abs(math.log(slope))
