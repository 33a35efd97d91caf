"""The L2 norms of many tensors, in torch operations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["norm", "norms"]

foreach_norm: Any = torch._foreach_norm  # pyright: ignore[reportPrivateUsage]  # the public optimisers use it too

HALVES = (torch.float16, torch.bfloat16)


@torch.no_grad()
def norms(tensors: Sequence[Tensor]) -> list[float]:
    """The L2 norm of each dense tensor; float16 and bfloat16 in float32, without a wider copy of them."""
    found = [0.0] * len(tensors)
    groups: dict[tuple[torch.device, torch.dtype], list[int]] = {}
    for place, tensor in enumerate(tensors):
        groups.setdefault((tensor.device, tensor.dtype), []).append(place)
    for (_, kind), places in groups.items():
        wide = torch.float32 if kind in HALVES else None
        group = foreach_norm([tensors[place] for place in places], 2, wide)
        for place, norm in zip(places, torch.stack(list(group)).tolist(), strict=True):
            # A square may be beyond float32 where the norm itself is not
            again = math.isinf(norm) and not kind.is_complex
            found[place] = float(torch.linalg.vector_norm(tensors[place], dtype=torch.float64)) if again else norm
    return found


def norm(tensor: Tensor) -> float:
    """The L2 norm of one dense tensor."""
    return norms([tensor])[0]
