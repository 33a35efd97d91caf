"""Tensors of which each process of a training holds a part, as FSDP makes them."""

from __future__ import annotations

import sys
from typing import Any, cast

import torch.distributed
from torch import Tensor

__all__ = ["local_of", "shards_of"]


def local_of(tensor: Tensor) -> Tensor:
    """The part that this process holds. Arithmetic on the whole would make all processes talk to each other."""
    return cast("Any", tensor).to_local() if _is_distributed(tensor) else tensor


def shards_of(tensor: Tensor) -> int:
    """How many processes hold a part each; 1 where every process holds the whole."""
    if getattr(tensor, "_is_flat_param", False):  # of the first FSDP
        return torch.distributed.get_world_size()
    if not _is_distributed(tensor):
        return 1
    spread = cast("Any", tensor)
    shards = 1
    for size, placement in zip(spread.device_mesh.shape, spread.placements, strict=True):
        shards *= 1 if placement.is_replicate() else size
    return shards


def _is_distributed(tensor: Tensor) -> bool:
    module = sys.modules.get("torch.distributed.tensor")  # who has not imported it has no such tensor
    return module is not None and isinstance(tensor, module.DTensor)
