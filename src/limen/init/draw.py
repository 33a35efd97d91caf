"""New values of a parameter."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from limen.init.settings import Setting

__all__ = ["draw", "orthogonal"]


def draw(setting: Setting, generator: torch.Generator | None) -> Tensor:
    """Values of the parameter's shape, drawn on the generator's device or the processor, in single precision or more.

    Raises:
        ValueError: the setting leaves the parameter as it is.
    """
    shape = setting.value.shape
    wide = torch.float64 if setting.value.dtype == torch.float64 else torch.float32
    device = generator.device if generator is not None else torch.device("cpu")
    match setting.way:
        case "normal":
            drawn = torch.randn(shape, generator=generator, dtype=wide, device=device)
        case "uniform":
            drawn = (torch.rand(shape, generator=generator, dtype=wide, device=device) * 2 - 1) * math.sqrt(3)
        case "orthogonal":
            drawn = orthogonal_parts(setting, torch.empty(shape, dtype=wide, device=device), generator)
        case "identity":
            drawn = torch.eye(*shape, dtype=wide, device=device) / setting.std
        case "constant":
            drawn = torch.full(shape, setting.constant, dtype=wide, device=device)
            if setting.special is not None:
                first, last, value = setting.special
                drawn[first:last] = value
            return drawn
        case "left":
            raise ValueError(f"{setting.value.name} is to be left as it is.")
    if setting.centred and (count := shape[setting.input_axis]) > 1:
        drawn = (drawn - drawn.mean(setting.input_axis, keepdim=True)) * math.sqrt(count / (count - 1))
    drawn = drawn * setting.std
    if setting.blank is not None:
        drawn.select(setting.input_axis, setting.blank).zero_()
    return drawn


def orthogonal_parts(setting: Setting, empty: Tensor, generator: torch.Generator | None) -> Tensor:
    """Orthogonal matrices with entries of mean square 1: one for each group and block, at the centre of a kernel.

    Source: Saxe et al. 2014, arXiv:1312.6120; Xiao et al. 2018, arXiv:1806.05393 (delta-orthogonal).
    """
    for group in empty.chunk(setting.groups, 0):
        for part in group.chunk(setting.blocks, setting.unit_axis):
            matrix = part.movedim((setting.unit_axis, setting.input_axis), (0, 1))
            units, inputs, kernel = matrix.shape[0], matrix.shape[1], matrix.shape[2:]
            places = math.prod(kernel)
            if places > 1 and setting.tapped:
                matrix.zero_()
                centre = (slice(None), slice(None), *(size // 2 for size in kernel))
                matrix[centre] = orthogonal(units, inputs, empty, generator) * math.sqrt(places)
            else:
                matrix.copy_(orthogonal(units, inputs * places, empty, generator).view(units, inputs, *kernel))
    return empty


def orthogonal(rows: int, columns: int, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """A matrix with orthogonal rows or columns, whichever are fewer, uniformly distributed; mean square entry 1."""
    long, short = max(rows, columns), min(rows, columns)
    normal = torch.randn(long, short, generator=generator, dtype=like.dtype, device=like.device)
    q, r = torch.linalg.qr(normal)
    q = q * r.diagonal().sign() * math.sqrt(long)
    return q if rows >= columns else q.T
