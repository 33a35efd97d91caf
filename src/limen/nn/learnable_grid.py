"""Even grids: where an input is on one, and what a row of learned numbers says there."""

from __future__ import annotations

import torch
from torch import Tensor

from limen import activations
from limen.nn.learnable_channels import Place, along

__all__ = ["ends_of", "grid_of", "place_on", "table_at"]

Gridded = activations.LinearSpline | activations.KANSpline


def grid_of(entry: Gridded, device: Place, dtype: torch.dtype | None) -> dict[str, Tensor]:
    """The ends of a grid, to be kept as buffers."""
    dtype = dtype or torch.get_default_dtype()
    return {name: torch.tensor(getattr(entry, name), device=device, dtype=dtype) for name in ("low", "high")}


def ends_of(low: Tensor, high: Tensor, first: Gridded) -> tuple[float, float]:
    """The ends of the grid of this moment, or of the first where there is no storage."""
    return (first.low, first.high) if low.is_meta else (float(low), float(high))


def place_on(x: Tensor, low: Tensor, high: Tensor, intervals: int, beyond: int = 0) -> tuple[Tensor, Tensor]:
    """The interval that each input is in, a whole number, and the input counted from ``low`` in intervals.

    Inputs more than ``beyond`` intervals outside the grid are put into the last interval there; so is NaN, somewhere.
    """
    u = (x - low) * (intervals / (high - low))
    return u.detach().nan_to_num(0.0).floor().clamp(-beyond, intervals - 1 + beyond).long(), u


def table_at(table: Tensor, index: Tensor, axis: int) -> Tensor:
    """For each element the entry of the row of its channel: ``table`` is ``[channels, n]``, ``index`` like an input."""
    rows = torch.arange(len(table), device=table.device) * table.shape[1]
    flat = (index + along(rows, index, axis)).flatten()
    return table.flatten().gather(0, flat).view(index.shape)
