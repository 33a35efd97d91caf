"""Half precision, in which sums would lose what they add: so what has sums is computed in a wider type."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["HALVES", "widened"]

HALVES = (torch.bfloat16, torch.float16)


def widened(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors in a common type of 32 bits at least; the result goes back to that of the input."""
    common = torch.float32
    for one in tensors:
        common = torch.promote_types(common, one.dtype)
    return tuple(one.to(common) for one in tensors)
