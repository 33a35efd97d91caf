"""Numbers that last beyond a step, kept where they do not divide the memory of the training.

A training frees most of its memory at the end of each step and takes it again in the next, at best in the same pieces.
Whatever is allocated in between lies in one of the gaps, be it the 32 bytes that every numpy array needs for its shape:
a thousand of them between a thousand gradients keep those from becoming one piece again, and the training takes new
memory beside them. So what lasts is copied into memory of its own, and no array is made of it before it is read.
"""

from __future__ import annotations

import mmap
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["Column", "Stretch", "lasting", "made_when_read"]

Array = npt.NDArray[Any]
T = TypeVar("T", bound=type)

SLAB = 1 << 18  # bytes taken at once, and kept while anything in them is
ALIGNED = 8  # bytes
PRIVATE: dict[str, Any] = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}


@dataclass(frozen=True, eq=False, slots=True)
class Stretch:
    """An array in memory of its own.

    Attributes:
        dtype: of the numbers.
        length: how many there are.
    """

    dtype: np.dtype[Any]
    length: int
    _memory: mmap.mmap
    _begin: int

    def numbers(self) -> Array:
        """``[length]``, not to be written to."""
        made = np.frombuffer(self._memory, self.dtype, self.length, self._begin)
        made.flags.writeable = False
        return made

    def tobytes(self) -> bytes:
        """As of an array."""
        return self._memory[self._begin : self._begin + self.nbytes]

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers."""
        return self.length * self.dtype.itemsize

    def __len__(self) -> int:
        return self.length

    def __reduce__(self) -> tuple[Callable[[Array], Stretch], tuple[Array]]:
        return lasting, (self.numbers(),)


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """The first rows of one column of a table, in which these never change.

    Attributes:
        table: ``[rows]``, with named columns.
        name: that of the column.
        length: how many rows are meant.
    """

    table: npt.NDArray[np.void]
    name: str
    length: int

    def numbers(self) -> Array:
        """``[length]``, not to be written to."""
        made = self.table[self.name][: self.length]
        made.flags.writeable = False
        return made


class _Slab(threading.local):
    """Memory of which less and less is free, one for each thread."""

    memory: mmap.mmap | None = None
    begin = 0

    def take(self, size: int) -> tuple[mmap.mmap, int]:
        """So many bytes, all zero: in which memory, and where they begin."""
        if self.memory is None or self.begin + size > len(self.memory):
            self.memory, self.begin = mmap.mmap(-1, max(SLAB, size), **PRIVATE), 0
        begin = self.begin
        self.begin += -(-size // ALIGNED) * ALIGNED
        return self.memory, begin


_slab = _Slab()


def lasting(numbers: Array) -> Stretch:
    """A copy of ``[length]`` numbers."""
    memory, begin = _slab.take(numbers.nbytes)
    if len(numbers):
        np.frombuffer(memory, numbers.dtype, len(numbers), begin)[:] = numbers
    return Stretch(numbers.dtype, len(numbers), memory, begin)


class _Field:
    """A field of a dataclass that takes an array, or a ``Stretch`` or ``Column``, and gives an array."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, value: object, owner: type | None = None) -> Array:
        if value is None:
            raise AttributeError(self._name)  # dataclasses take what the class has for a default
        held = vars(value)[self._name]
        return held.numbers() if isinstance(held, Stretch | Column) else held

    def __set__(self, value: object, numbers: Array | Stretch | Column) -> None:
        vars(value)[self._name] = numbers


def made_when_read(*names: str) -> Callable[[T], T]:
    """Let these fields of a dataclass hold a ``Stretch`` or ``Column`` too: each reading makes an array of it."""

    def change(kind: T) -> T:
        for name in names:
            setattr(kind, name, _Field(name))
        return kind

    return change
