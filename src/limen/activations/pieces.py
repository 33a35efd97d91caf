"""Building blocks of functions that are made of pieces."""

import torch
from torch import Tensor

__all__ = ["inside", "keep_nan", "zero"]


def keep_nan(x: Tensor, y: Tensor) -> Tensor:
    """``y``, but NaN where ``x`` is: comparisons would lose it."""
    return torch.where(x.isnan(), x, y)


def zero(x: Tensor) -> Tensor:
    """The curvature of straight pieces: 0, or NaN where ``x`` is NaN."""
    return keep_nan(x, torch.zeros_like(x))


def inside(x: Tensor, low: float, high: float) -> Tensor:
    """1 strictly between ``low`` and ``high``, 0 elsewhere, NaN where ``x`` is NaN."""
    return keep_nan(x, ((x > low) & (x < high)).to(x.dtype))
