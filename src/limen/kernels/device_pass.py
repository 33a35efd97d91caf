"""The readings of ``torch_pass`` for tensors on a device: started there, and fetched when they are done."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from limen.kernels.fetch import Fetched
from limen.kernels.torch_pass import FIRST_NOT_FINITE, Sums, cells_of

__all__ = ["Launched", "launch", "launch_histogram", "launch_norms"]

HALVES = (torch.float16, torch.bfloat16)


class Launched:
    """A reading in progress.

    Attributes:
        fetched: ``[7, units]``, its rows on their way.
    """

    def __init__(self, samples: int, rows: Tensor) -> None:
        self.fetched = Fetched(rows)
        self._samples = samples

    def sums(self) -> Sums:
        """The sums, once they are there."""
        left, right, nonfinite, total, squares, low, high = self.fetched.numbers()
        return Sums(
            samples=self._samples,
            left=left.astype(np.int64),
            right=right.astype(np.int64),
            total=total,
            squares=squares,
            shift=np.zeros_like(total),
            low=low,
            high=high,
            nonfinite=int(nonfinite.sum()),
        )


@torch.no_grad()
def launch(z: Tensor, axis: int, left: float | None, right: float | None) -> Launched:
    """Start to read ``z``, which must have samples; arguments as of ``measure``.

    Each number takes one pass on the device; there is no second one around the mean, since sums are of float64 where
    the device has that. A unit that met NaN has NaN for its extremes.
    """
    z = z.detach()
    axes = [dim for dim in range(z.ndim) if dim != axis % z.ndim]
    wide = torch.float32 if z.device.type == "mps" else torch.float64

    def count(mask: Tensor) -> Tensor:
        return mask.sum(axes, dtype=wide) if axes else mask.to(wide)

    zero = torch.zeros(z.shape[axis], dtype=wide, device=z.device)
    if axes:
        total = z.sum(axes, dtype=wide)
        squares = torch.linalg.vector_norm(z, 2, axes, dtype=wide).square()
        low, high = z.amin(axes).to(wide), z.amax(axes).to(wide)
    else:
        total = low = high = z.to(wide)
        squares = total.square()
    rows = [
        zero if left is None else count(z <= left),
        zero if right is None else count(z >= right),
        count(~torch.isfinite(z)),
        total,
        squares,
        low,
        high,
    ]
    return Launched(z.numel() // z.shape[axis], torch.stack(rows))


@torch.no_grad()
def launch_histogram(z: Tensor) -> Fetched:
    """Start to count ``z`` in the cells of ``histogram``."""
    cells = cells_of(z).to(torch.int64)
    counts = torch.zeros(1024, dtype=torch.int64, device=z.device).index_add_(0, cells, torch.ones_like(cells))
    counts[FIRST_NOT_FINITE:512] = 0
    counts[512 + FIRST_NOT_FINITE :] = 0
    return Fetched(counts)


@torch.no_grad()
def launch_norms(tensors: list[Tensor]) -> Fetched:
    """Start to take the L2 norm of each of some tensors, ``[tensors]``; halves in float32."""
    found = [
        torch.linalg.vector_norm(tensor.detach(), dtype=torch.float32 if tensor.dtype in HALVES else None).float()
        for tensor in tensors
    ]
    return Fetched(torch.stack([norm.to(found[0].device, non_blocking=True) for norm in found]))
