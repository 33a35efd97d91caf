"""One reading of a pre-activation tensor, in torch operations, where the compiled pass cannot serve.

Which operations are fast is measured: ``torch.gt(..., out=float)`` and a product with ones count at memory speed
where ``(z > 0).sum(0)`` is ten times slower; ``var_mean`` and ``aminmax`` along an axis are slower still.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["FIRST_NOT_FINITE", "Sums", "cells_of", "histogram", "measure"]

EXACT_COUNT = 1 << 24  # a float32 sum of ones is exact up to here
CANCELLATION = 100.0  # mean² above so many variances: sum again around the mean
PIECE = 1 << 19  # entries read at a time: 2 MB of float32, which stays in the processor's cache
FIRST_NOT_FINITE = 510  # of the 512 cells of each sign: infinities and NaN
FLOAT32_MAX = torch.finfo(torch.float32).max

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Sums(NamedTuple):
    """Per-unit sums over the samples of one tensor.

    Attributes:
        samples: positions at which each unit was evaluated.
        left: ``[units]``, samples with ``z <= left limit``.
        right: ``[units]``, samples with ``z >= right limit``.
        total: ``[units]``, sum of ``z - shift``.
        squares: ``[units]``, sum of ``(z - shift)²``.
        shift: ``[units]``, near the mean where that matters, else 0.
        low: ``[units]``, smallest ``z``, NaN left out; +inf where nothing is left.
        high: ``[units]``, largest ``z``, NaN left out; -inf where nothing is left.
        nonfinite: number of entries that are NaN or infinite.
    """

    samples: int
    left: Integers
    right: Integers
    total: Floats
    squares: Floats
    shift: Floats
    low: Floats
    high: Floats
    nonfinite: int


def measure(z: Tensor, axis: int, left: float | None, right: float | None) -> Sums:
    """Read ``z`` once for every unit statistic.

    Args:
        z: floating-point pre-activations of any shape and layout, at least one axis; read only.
        axis: the unit axis.
        left: ``z <= left`` is flat; None where no such side exists. Rounded to the type of ``z`` (float32 for halves).
        right: ``z >= right`` is flat; None where no such side exists.

    Returns:
        Sums over all other axes. NaN counts as neither left nor right.
    """
    with _full_precision(z):
        return _measure(_Rows.of(z.detach(), axis), left, right)


def _full_precision(z: Tensor) -> torch.autocast | nullcontext[None]:
    """No autocast: it would count in bfloat16, which ends at 256."""
    device = z.device.type
    return torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext()


def _measure(rows: _Rows, left: float | None, right: float | None) -> Sums:
    samples, units = rows.samples, rows.units
    none = np.zeros(units)
    whole = none.astype(np.int64)
    if samples == 0:
        return Sums(0, whole, whole, none, none, none, none + np.inf, none - np.inf, 0)
    counts, (total, squares), low, high = rows.read(left, right)
    shift, nonfinite = none, 0
    if not np.isfinite(squares).all():  # something is not finite, or its square is beyond float32
        nonfinite = rows.data.numel() - int(torch.isfinite(rows.data).sum())
        _, _, low, _ = rows.without_nan(np.inf).read(None, None)
        _, _, _, high = rows.without_nan(-np.inf).read(None, None)
        _, (total, squares), _, _ = rows.wide().read(None, None)
    elif _cancels(samples, total, squares):
        shift = rows.rounded(total / samples)
        total, squares = rows.read_around(shift)
    flat = [np.rint(count).astype(np.int64) for count in counts]
    return Sums(
        samples=samples,
        left=whole if left is None else flat.pop(0),
        right=whole if right is None else flat.pop(0),
        total=total,
        squares=squares,
        shift=shift,
        low=low,
        high=high,
        nonfinite=nonfinite,
    )


def histogram(z: Tensor) -> npt.NDArray[np.int64]:
    """Count the entries of ``z`` in 1,024 cells of sign, exponent and first mantissa bit of their float32 value.

    ``Histogram`` folds these cells into its bins; NaN and infinities are left out.

    Returns:
        ``[1024]``, index ``sign << 9 | exponent << 1 | half``.
    """
    counts = torch.bincount(cells_of(z), minlength=1024).cpu().numpy().astype(np.int64)
    counts[FIRST_NOT_FINITE:512] = counts[512 + FIRST_NOT_FINITE :] = 0
    return counts


def cells_of(z: Tensor) -> Tensor:
    """``[entries]``, the cell of each entry of ``z``; see ``histogram``."""
    flat = z.detach().reshape(-1)
    if flat.dtype == torch.float64:  # what is finite stays finite
        flat = torch.where(torch.isfinite(flat), flat.clamp(-FLOAT32_MAX, FLOAT32_MAX), flat)
    flat = flat.to(torch.float32)
    return flat.view(torch.int32).bitwise_right_shift(22).bitwise_and_(1023)


class _Rows:
    """The tensor as a matrix whose rows or columns are units, in whichever order lies contiguous in memory."""

    def __init__(self, data: Tensor, units: int, channels_first: bool) -> None:
        self.data = data  # [samples, units], or [batch * units, space] when channels come first
        self.units = units
        self.channels_first = channels_first
        self.samples = data.numel() // units if units else 0

    @classmethod
    def of(cls, z: Tensor, axis: int) -> _Rows:
        if z.dtype not in (torch.float32, torch.float64):
            z = z.to(torch.float32)
        if z.ndim == 0:
            z = z.reshape(1)
        units = z.shape[axis]
        if axis % z.ndim == z.ndim - 1:
            return cls(z.reshape(-1, units), units, channels_first=False)
        moved = z.movedim(axis, -1)
        if moved.is_contiguous():  # channels-last memory
            return cls(moved.reshape(-1, units), units, channels_first=False)
        if axis % z.ndim == 1 and z.numel():
            return cls(z.reshape(z.shape[0] * units, -1), units, channels_first=True)
        return cls(moved.reshape(-1, units), units, channels_first=False)

    def read(
        self, left: float | None, right: float | None
    ) -> tuple[list[Floats], tuple[Floats, Floats], Floats, Floats]:
        """Counts of each flat side asked for, sum and sum of squares, smallest and largest, all ``[units]``."""
        sides = [(torch.le, left)] if left is not None else []
        sides += [(torch.ge, right)] if right is not None else []
        sums = self.data.new_zeros(len(sides) + 2, self.units, dtype=torch.float64)
        extremes: list[Tensor] = []
        for piece in self._pieces():
            scratch = _scratch(piece)
            columns = [self._fold(compare(piece, limit, out=scratch)) for compare, limit in sides]
            columns += [self._fold(piece), self._squares(piece, scratch)]
            sums += torch.stack(columns)
            extremes += [self._least(piece), self._most(piece)]
        low, high = torch.stack(extremes[::2]).amin(0), torch.stack(extremes[1::2]).amax(0)
        *counts, total, squares = sums.cpu().numpy()
        return counts, (total, squares), _host(low), _host(high)

    def read_around(self, centre: Floats) -> tuple[Floats, Floats]:
        """Sum and sum of squares of the distances from ``centre``, all ``[units]``."""
        sums = self.data.new_zeros(2, self.units, dtype=torch.float64)
        values = torch.from_numpy(centre).to(self.data)
        for piece in self._pieces():
            spread = values.repeat(len(piece) // self.units)[:, None] if self.channels_first else values
            centred = torch.sub(piece, spread, out=_scratch(piece))
            total = self._fold(centred)
            sums += torch.stack([total, self._fold(torch.mul(centred, centred, out=centred))])
        total, squares = sums.cpu().numpy()
        return total, squares

    def without_nan(self, value: float) -> _Rows:
        """The same rows with ``value`` in place of each NaN."""
        return _Rows(self.data.nan_to_num(value, np.inf, -np.inf), self.units, self.channels_first)

    def wide(self) -> _Rows:
        """The same rows in float64."""
        return _Rows(self.data.to(torch.float64), self.units, self.channels_first)

    def rounded(self, per_unit: Floats) -> Floats:
        """``[units]`` as numbers that the type of ``data`` can hold."""
        return per_unit.astype(np.float32).astype(np.float64) if self.data.dtype == torch.float32 else per_unit

    def _pieces(self) -> tuple[Tensor, ...]:
        """Blocks that fit the processor's cache, each read several times; one block elsewhere."""
        if self.data.device.type != "cpu" or self.data.numel() <= PIECE:
            return (self.data,)
        rows = self.units if self.channels_first else 1
        return self.data.split(rows * max(1, PIECE // (rows * self.data.shape[1])))

    def _fold(self, piece: Tensor) -> Tensor:
        """Sum over the samples of a piece, ``[units]``; float32 only where a sum of ones is exact."""
        wide = torch.float64 if self.samples >= EXACT_COUNT else None
        if self.channels_first:
            return piece.sum(-1, dtype=wide).view(-1, self.units).sum(0)
        if wide is not None:
            return piece.sum(0, dtype=wide)
        return torch.mv(piece.t(), piece.new_ones(len(piece)))  # a product of matrices may be of low precision

    def _squares(self, piece: Tensor, scratch: Tensor) -> Tensor:
        """Sum of squares over the samples of a piece, ``[units]``."""
        if self.channels_first and self.samples < EXACT_COUNT:  # a norm along rows is faster than writing the squares
            norms = torch.linalg.vector_norm(piece, dim=-1)
            return norms.mul_(norms).view(-1, self.units).sum(0)
        return self._fold(torch.mul(piece, piece, out=scratch))

    def _least(self, piece: Tensor) -> Tensor:
        return piece.amin(-1).view(-1, self.units).amin(0) if self.channels_first else piece.amin(0)

    def _most(self, piece: Tensor) -> Tensor:
        return piece.amax(-1).view(-1, self.units).amax(0) if self.channels_first else piece.amax(0)


_buffers: dict[torch.dtype, Tensor] = {}


def _scratch(piece: Tensor) -> Tensor:
    """Memory for one piece; on the processor one small block is kept, since fresh pages cost more than the reading."""
    if piece.device.type != "cpu" or piece.numel() > PIECE:
        return torch.empty_like(piece)
    if piece.dtype not in _buffers:
        _buffers[piece.dtype] = torch.empty(PIECE, dtype=piece.dtype, device="cpu")
    return _buffers[piece.dtype][: piece.numel()].view(piece.shape)


def _host(values: Tensor) -> Floats:
    return values.to("cpu", torch.float64).numpy()


def _cancels(samples: int, total: Floats, squares: Floats) -> bool:
    """Whether ``squares - total² / samples`` has lost too many digits for some unit."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean_square = (total / samples) ** 2
        variance = squares / samples - mean_square
        return bool((mean_square > CANCELLATION * variance).any())
