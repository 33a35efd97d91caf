"""Numbers that last beyond a step, kept where they do not divide the memory of the training.

A training frees most of its memory at the end of each step and takes it again in the next, at best in the same pieces.
Whatever is allocated in between lies in one of the gaps, be it the 32 bytes that every numpy array needs for its shape:
a thousand of them between a thousand gradients keep those from becoming one piece again, and the training takes new
memory beside them. So what lasts lies in memory of its own, and an array is made of it only while it is read.
"""

from __future__ import annotations

import ctypes
import mmap
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["LastingArray", "Memory"]

Array = npt.NDArray[Any]

SLAB = 1 << 16  # bytes taken at once for what is smaller than a quarter, and kept while anything in them is
ALIGNED = 64  # bytes: a cache line
PRIVATE: dict[str, Any] = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}


class LastingArray:
    """An array in memory of its own.

    Attributes:
        dtype: of the numbers.
        length: how many there are.
    """

    __slots__ = ("_begin", "_memory", "dtype", "length")

    def __init__(self, dtype: np.dtype[Any], length: int, memory: mmap.mmap, begin: int) -> None:
        self.dtype, self.length, self._memory, self._begin = dtype, length, memory, begin

    def numbers(self) -> Array:
        """``[length]``, a new array."""
        return self.open().copy()

    def open(self) -> Array:
        """``[length]``, to be written to."""
        return np.frombuffer(self._memory, self.dtype, self.length, self._begin)

    @property
    def address(self) -> int:
        """Where it lies, while it is there."""
        return ctypes.addressof(ctypes.c_char.from_buffer(self._memory, self._begin))

    def tobytes(self) -> bytes:
        """As of an array."""
        return self._memory[self._begin : self._begin + self.nbytes]

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers."""
        return self.length * self.dtype.itemsize

    def __len__(self) -> int:
        return self.length

    def __reduce__(self) -> tuple[Callable[[Array], LastingArray], tuple[Array]]:
        return copied, (self.numbers(),)


class Memory(threading.local):
    """From where arrays are taken that come and go together; each thread has its own."""

    def __init__(self) -> None:
        self._slab: mmap.mmap | None = None
        self._begin = 0

    def zeros(self, length: int, dtype: npt.DTypeLike) -> LastingArray:
        """A new array."""
        kind = np.dtype(dtype)
        size = max(1, length * kind.itemsize)
        if size > SLAB // 4:
            return LastingArray(kind, length, mmap.mmap(-1, size, **PRIVATE), 0)
        if self._slab is None or self._begin + size > SLAB:
            self._slab, self._begin = mmap.mmap(-1, SLAB, **PRIVATE), 0
        begin = self._begin
        self._begin += -(-size // ALIGNED) * ALIGNED
        return LastingArray(kind, length, self._slab, begin)

    def copy(self, numbers: Array) -> LastingArray:
        """A new array of these ``[length]`` numbers."""
        array = self.zeros(len(numbers), numbers.dtype)
        if len(numbers):
            array.open()[:] = numbers
        return array


def copied(numbers: Array) -> LastingArray:
    """In memory that nothing else is in."""
    return Memory().copy(numbers)
