"""One reading of a pre-activation tensor, in torch operations: what the compiled pass will do in one go.

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

__all__ = ["Sums", "histogram", "measure"]

EXACT_COUNT = 1 << 24  # a float32 sum of ones is exact up to here
CANCELLATION = 100.0  # mean² above so many variances: sum again around the mean
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
    samples = rows.samples
    if samples == 0:
        none = np.zeros(rows.units)
        whole = none.astype(np.int64)
        return Sums(0, whole, whole, none, none, none, none + np.inf, none - np.inf, 0)
    scratch = torch.empty_like(rows.data)
    above = rows.total(torch.gt(rows.data, left, out=scratch)) if left is not None else None
    beyond = rows.total(torch.ge(rows.data, right, out=scratch)) if right is not None else None
    total = rows.total(rows.data)
    squares = rows.total(torch.mul(rows.data, rows.data, out=scratch))
    low, high = rows.low(), rows.high()
    shift = np.zeros(rows.units)
    nonfinite = 0
    if not np.isfinite(squares).all():  # something is not finite, or its square is beyond float32
        nonfinite = rows.data.numel() - int(torch.isfinite(rows.data).sum())
        low, high = rows.without_nan(np.inf).low(), rows.without_nan(-np.inf).high()
        wide = rows.data.to(torch.float64)
        total, squares = rows.total(wide), rows.total(wide * wide)
    elif _cancels(samples, total, squares):
        shift = rows.rounded(total / samples)
        centred = torch.sub(rows.data, rows.spread(shift), out=scratch)
        total = rows.total(centred)
        squares = rows.total(torch.mul(centred, centred, out=centred))
    return Sums(
        samples=samples,
        left=_flat_left(rows, above, left, nonfinite),
        right=_whole(beyond, rows.units),
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
    flat = z.detach().reshape(-1)
    if flat.dtype == torch.float64:  # what is finite stays finite
        flat = torch.where(torch.isfinite(flat), flat.clamp(-FLOAT32_MAX, FLOAT32_MAX), flat)
    flat = flat.to(torch.float32)
    cells = flat.view(torch.int32).bitwise_right_shift(22).bitwise_and_(1023)
    counts = torch.bincount(cells, minlength=1024).cpu().numpy().astype(np.int64)
    counts[[510, 511, 1022, 1023]] = 0
    return counts


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

    def total(self, data: Tensor) -> Floats:
        """Sum over samples, ``[units]``; float32 in pieces short enough to count exactly."""
        if self.channels_first:
            wide = torch.float64 if data.shape[-1] >= EXACT_COUNT else None
            sums = data.sum(-1, dtype=wide).to(torch.float64).view(-1, self.units).sum(0)
        elif data.shape[0] < EXACT_COUNT:
            sums = torch.mv(data.t(), data.new_ones(data.shape[0]))  # a product of matrices may be of low precision
        else:
            sums = data.sum(0, dtype=torch.float64)
        return _host(sums)

    def low(self) -> Floats:
        return _host(self._fold(self.data.amin(-1), "amin") if self.channels_first else self.data.amin(0))

    def high(self) -> Floats:
        return _host(self._fold(self.data.amax(-1), "amax") if self.channels_first else self.data.amax(0))

    def _fold(self, column: Tensor, how: str) -> Tensor:
        table = column.view(-1, self.units)
        return table.amin(0) if how == "amin" else table.amax(0)

    def without_nan(self, value: float) -> _Rows:
        """The same rows with ``value`` in place of each NaN."""
        return _Rows(self.data.nan_to_num(value, np.inf, -np.inf), self.units, self.channels_first)

    def rounded(self, per_unit: Floats) -> Floats:
        """``[units]`` as numbers that the type of ``data`` can hold."""
        return per_unit.astype(np.float32).astype(np.float64) if self.data.dtype == torch.float32 else per_unit

    def spread(self, per_unit: Floats) -> Tensor:
        """``[units]`` on the host, shaped to broadcast against ``data``."""
        values = torch.from_numpy(per_unit).to(self.data)
        return values.repeat(self.data.shape[0] // self.units)[:, None] if self.channels_first else values


def _host(sums: Tensor) -> Floats:
    return sums.to("cpu", torch.float64).numpy()


def _whole(sums: Floats | None, units: int) -> Integers:
    return np.zeros(units, np.int64) if sums is None else np.rint(sums).astype(np.int64)


def _flat_left(rows: _Rows, above: Floats | None, left: float | None, nonfinite: int) -> Integers:
    """Samples at or below the limit: all but those above it and those that are NaN."""
    if above is None or left is None:
        return np.zeros(rows.units, np.int64)
    if nonfinite:
        return _whole(rows.total((rows.data <= left).to(rows.data.dtype)), rows.units)
    return rows.samples - _whole(above, rows.units)


def _cancels(samples: int, total: Floats, squares: Floats) -> bool:
    """Whether ``squares - total² / samples`` has lost too many digits for some unit."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean_square = (total / samples) ** 2
        variance = squares / samples - mean_square
        return bool((mean_square > CANCELLATION * variance).any())
