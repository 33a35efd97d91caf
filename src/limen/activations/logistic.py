"""The logistic function ``s(x) = 1 / (1 + exp(-x))`` and its derivatives, without loss in either tail.

torch's ``sigmoid`` is 0 below the point where ``exp(-x)`` overflows, and its slope ``y (1 - y)`` is 0 as soon as ``y``
rounds to 1 (from x = 37 in double precision, 16.7 in single). Here only ``exp`` of a non-positive number is taken.
"""

from typing import overload

import torch
from torch import Tensor

from limen.activations.twofold import Number, Twofold, exp, magnitude, near, tanh, where

__all__ = ["curvature", "slope", "value"]


@overload
def value(x: Tensor) -> Tensor: ...
@overload
def value(x: Number) -> Number: ...
def value(x: Number) -> Number:
    """``s(x)``."""
    right = near(x) > 0
    falling = exp(where(right, -x, x))  # the slope of |x| at 0 would be neither side's
    return where(right, 1.0, falling) / (1 + falling)


@overload
def slope(x: Tensor) -> Tensor: ...
@overload
def slope(x: Number) -> Number: ...
def slope(x: Number) -> Number:
    """``s'(x) = s(x) s(-x)``."""
    falling = exp(-magnitude(x))
    if isinstance(falling, Twofold):
        return falling / ((1 + falling) * (1 + falling))
    more = falling * (2 + falling)  # (1 + falling)² - 1
    part = more / (1 + more)
    # in the tails the denominator is about 1: taking off what is missing rounds once less than dividing
    return torch.where(falling < 0.125, falling - falling * part, falling / (1 + more))


@overload
def curvature(x: Tensor) -> Tensor: ...
@overload
def curvature(x: Number) -> Number: ...
def curvature(x: Number) -> Number:
    """``s''(x) = s'(x) (s(-x) - s(x))``."""
    return -slope(x) * tanh(0.5 * x)
