"""A few figures of a tensor."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Numbers", "numbers_of", "size_of"]


@dataclass(frozen=True)
class Numbers:
    """What a check needs to know of a tensor's entries.

    Attributes:
        count: number of entries.
        mean: of the finite entries, in their own unit, as are the next three.
        std: their standard deviation.
        low: the smallest.
        high: the largest.
        finite: share of entries that are finite.
        binary: every entry is 0 or 1.
        one_hot: binary, and each row along the last axis has exactly one 1.
        whole: the tensor holds integers or truth values.
    """

    count: int
    mean: float
    std: float
    low: float
    high: float
    finite: float = 1.0
    binary: bool = False
    one_hot: bool = False
    whole: bool = False

    @property
    def size(self) -> float:
        """Root mean square."""
        return float((self.mean**2 + self.std**2) ** 0.5)


@torch.no_grad()
def size_of(tensor: Tensor) -> float:
    """Root mean square of the entries, without a copy of them."""
    known = tensor.detach()
    wide = known.float() if known.dtype in (torch.float16, torch.bfloat16) else known
    return float(torch.linalg.vector_norm(wide)) / max(1, wide.numel()) ** 0.5


@torch.no_grad()
def numbers_of(tensor: Tensor) -> Numbers | None:
    """The figures of a dense, real tensor; None of an empty or complex one, and of one without storage."""
    dense = tensor.layout == torch.strided and not tensor.is_nested
    if not dense or tensor.numel() == 0 or tensor.is_complex() or tensor.is_meta or tensor.is_quantized:
        return None
    entries = tensor.detach().double()
    known = entries[torch.isfinite(entries)]
    if known.numel() == 0:
        return Numbers(tensor.numel(), 0.0, 0.0, 0.0, 0.0, 0.0)
    binary = bool(((known == 0) | (known == 1)).all()) and known.numel() == entries.numel()
    rows = entries.sum(-1) if binary and tensor.dim() >= 2 and tensor.shape[-1] > 1 else None
    return Numbers(
        tensor.numel(),
        float(known.mean()),
        float(known.std(correction=0)),
        float(known.min()),
        float(known.max()),
        known.numel() / tensor.numel(),
        binary,
        rows is not None and bool((rows == 1).all()),
        not tensor.is_floating_point(),
    )
