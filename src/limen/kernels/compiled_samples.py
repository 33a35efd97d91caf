"""Some entries of each of many tensors, kept before a change and compared after it, by the compiled library."""

from __future__ import annotations

import functools
import math
from array import array
from collections.abc import Sequence
from itertools import compress
from typing import Any

import torch
from torch import Tensor

from limen.kernels.compiled_pass import PLAIN, TYPES, dense, readable
from limen.kernels.library import Library

__all__ = ["ENTRIES", "RUN", "CompiledSamples", "Spot", "stride_of"]

ENTRIES = 4_096  # entries of a tensor that are looked at
LINE = 64  # bytes of a cache line
RUN = 16  # entries in a row, a cache line of float32: reading one costs as much as reading all


class Spot:
    """Which entries of a tensor are looked at.

    Attributes:
        size: bytes that they take, in whole cache lines.
        room: where they are kept from before the change until after it, together with those of other tensors.
        place: their address there.
    """

    __slots__ = ("fields", "form", "place", "room", "size")

    def __init__(self, tensor: Tensor) -> None:
        runs = tensor.numel() // RUN
        stride = stride_of(runs) if tensor.numel() > ENTRIES else 1
        entries = -(-runs // stride) * RUN if stride > 1 else tensor.numel()
        self.size = -(-entries * tensor.itemsize // LINE) * LINE
        self.form = form_of(tensor)
        self.room: Tensor | None = None
        self.place = 0
        self.fields = (TYPES[tensor.dtype], entries, stride * RUN)

    def fits(self, tensor: Tensor) -> bool:
        """Whether the tensor still lies in memory as it did, wherever that is."""
        return form_of(tensor) == self.form and tensor.data_ptr() != 0


class CompiledSamples:
    """Keeps and compares; the tensors and their spots are given in the same order."""

    def __init__(self, library: Library) -> None:
        self._keep: Any = library.keep
        self._moved: Any = library.moved

    def spot(self, tensor: Tensor, known: Spot | None) -> Spot | None:
        """The spot of a tensor, the known one while that fits; None for a tensor that the library cannot read."""
        if known is not None and known.fits(tensor):
            return known
        return Spot(tensor) if readable(tensor) and dense(tensor) else None

    def keep(self, tensors: Sequence[Tensor], spots: Sequence[Spot]) -> list[float]:
        """Keep the entries of tensors whose spots were just found to fit; returns their norms."""
        room = torch.empty(sum(spot.size for spot in spots), dtype=torch.uint8, device="cpu")
        place = room.data_ptr()
        for spot in spots:
            spot.room, spot.place = room, place
            place += spot.size
        return self._call(self._keep, tensors, spots)

    def moved(self, tensors: Sequence[Tensor], spots: Sequence[Spot]) -> list[float]:
        """The norms of the changes since; NaN for a tensor that has become another. Once for each ``keep``."""
        pairs = zip(tensors, spots, strict=True)
        there = [spot.room is not None and spot.fits(tensor) for tensor, spot in pairs]
        found = iter(self._call(self._moved, list(compress(tensors, there)), list(compress(spots, there))))
        for spot in spots:
            spot.room = None
        return [next(found) if is_there else math.nan for is_there in there]

    def _call(self, function: Any, tensors: Sequence[Tensor], spots: Sequence[Spot]) -> list[float]:
        table, found = array("q"), array("d", bytes(8 * len(spots)))
        for tensor, spot in zip(tensors, spots, strict=True):
            table.append(tensor.data_ptr())
            table.extend((*spot.fields, spot.place))
        function(len(spots), table.buffer_info()[0], found.buffer_info()[0])
        return found.tolist()


def form_of(tensor: Tensor) -> tuple[Any, ...]:
    """All that must stay as it is for the same entries to be at the same distances."""
    return type(tensor) in PLAIN, tensor.is_cpu, tensor.dtype, tensor.shape, tensor.stride()


@functools.cache
def stride_of(runs: int) -> int:
    """The distance between two runs; it shares no factor with any axis, lest they lie in some columns only."""
    stride = -(-runs * RUN // ENTRIES)
    while math.gcd(stride, runs) > 1:
        stride += 1
    return stride
