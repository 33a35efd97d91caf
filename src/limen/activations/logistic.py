"""The logistic function ``s(x) = 1 / (1 + exp(-x))`` and its derivatives, without loss in either tail.

torch's ``sigmoid`` is 0 below the point where ``exp(-x)`` overflows, and its slope ``y (1 - y)`` is 0 as soon as ``y``
rounds to 1 (from x = 37 in double precision, 16.7 in single). Here only ``exp`` of a non-positive number is taken.
"""

import torch
from torch import Tensor

__all__ = ["FAR", "curvature", "slope", "value"]

FAR = 800.0
"""``exp(-FAR)`` is 0 in every floating-point type: where a factor beside it may stop growing, so 0 · inf is not NaN."""


def value(x: Tensor) -> Tensor:
    """``s(x)``."""
    rising = torch.exp(x.clamp(max=0))
    return torch.where(x > 0, 1 / (1 + torch.exp(-x.clamp(min=0))), rising / (1 + rising))


def slope(x: Tensor) -> Tensor:
    """``s'(x) = s(x) s(-x)``."""
    falling = torch.exp(-x.abs())
    more = falling * (2 + falling)  # (1 + falling)² - 1
    part = more / (1 + more)
    # in the tails the denominator is about 1: taking off what is missing rounds once less than dividing
    return torch.where(falling < 0.125, falling - falling * part, falling / (1 + more))


def curvature(x: Tensor) -> Tensor:
    """``s''(x) = s'(x) (s(-x) - s(x))``."""
    return -slope(x) * torch.tanh(x / 2)
