"""A table that grows to a bounded length and then keeps every second row."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from limen.lasting import Memory
from limen.vitals import Table

__all__ = ["LONGEST", "Room", "Rows"]

LONGEST = 1_024  # rows kept of a series, whatever the number of steps
FEWEST = 64  # rows that a series keeps however many there are
MOST = 2**17  # rows that all series of a room keep together: 128 of each in a thousand series
FIRST = 32  # rows for which there is memory at once

rows_memory = Memory()  # tables grow together


class Room:
    """The length of several series that share a bounded number of rows.

    Attributes:
        longest: rows that each may keep; less as more of them come.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self.longest = longest
        self._series = 0

    def enter(self) -> None:
        """Make room for one series more."""
        self._series += 1
        while self.longest > FEWEST and self.longest * self._series > MOST:
            self.longest //= 2


@functools.cache
def kind_of(columns: int, whole: frozenset[int]) -> np.dtype[np.void]:
    """The type of a row, one for all tables that have the same columns."""
    return np.dtype([(str(i), np.int64 if i in whole else np.float64) for i in range(columns)])


class Rows:
    """Rows of numbers in the order of their steps, thinned evenly.

    What was read of it stays as it was: rows are only added, and where some are taken out the others move elsewhere.

    Args:
        columns: how many there are; column 0 is the step.
        whole: those of whole numbers.
    """

    def __init__(
        self, columns: int, longest: int = LONGEST, room: Room | None = None, whole: Collection[int] = (0,)
    ) -> None:
        self._room = room or Room(longest)
        self._room.enter()
        self._data = rows_memory.zeros(min(FIRST, longest), kind_of(columns, frozenset(whole)))
        self._length = 0
        self._read = 0  # rows that somebody may hold
        self._offered = 0
        self._stride = 1
        self._open = False  # whether the row offered last was kept

    def append(self, *row: float) -> bool:
        """Offer a row; returns whether it was kept."""
        while self._length >= self._room.longest and self._offered % self._stride == 0:
            self._move(self._data.open()[: self._length : 2], len(self._data))
            self._stride *= 2
        self._open = self._offered % self._stride == 0
        self._offered += 1
        if self._open:
            if self._length == len(self._data):
                self._move(self._data.open(), 2 * self._length)
            self._data.open()[self._length] = row
            self._length += 1
        return self._open

    def extend(self, steps: npt.NDArray[np.int64], rows: npt.NDArray[np.float64]) -> None:
        """Offer several rows, one after the other: ``[rows]``, column 0, and ``[rows, columns - 1]``."""
        first, count = -self._offered % self._stride, len(steps)
        kept = max(0, -(-(count - first) // self._stride))
        if count <= 1 or self._length + kept > self._room.longest:
            for step, row in zip(steps.tolist(), rows.tolist(), strict=True):
                self.append(step, *row)
            return
        offered = self._offered + count
        is_open = (offered - 1) % self._stride == 0
        if not kept:
            self._offered, self._open = offered, is_open
            return
        if self._stride > 1:
            steps, rows = steps[first :: self._stride], rows[first :: self._stride]
        while self._length + len(rows) > len(self._data):
            self._move(self._data.open()[: self._length], 2 * len(self._data))
        end, data = self._length + len(rows), self._data.open()
        for name, numbers in zip(data.dtype.names or (), (steps, *rows.T), strict=True):
            data[name][self._length : end] = numbers
        self._length, self._offered, self._open = end, offered, is_open

    def _move(self, kept: npt.NDArray[np.void], room: int) -> None:
        """Go on with these rows in other memory, with room for so many."""
        data, length = rows_memory.zeros(room, kept.dtype), len(kept)
        data.open()[:length] = kept
        self._data, self._length, self._read = data, length, 0

    @property
    def keeps_next(self) -> bool:
        """Whether the next row offered will be kept."""
        length, stride = self._length, self._stride
        while length >= self._room.longest and self._offered % stride == 0:
            length, stride = -(-length // 2), 2 * stride
        return self._offered % stride == 0

    def skip(self) -> None:
        """Pass over a row that would not be kept."""
        self._open = False
        self._offered += 1

    def amend(self, column: int, value: float) -> None:
        """Set a column of the row offered last, for what is known only later; lost where that row was not kept."""
        if self._open:
            if self._read == self._length:
                self._move(self._data.open()[: self._length], len(self._data))
            self._data.open()[self._length - 1][column] = value

    def column(self, index: int) -> npt.NDArray[Any]:
        """A copy of one column: int64 or float64."""
        return self._data.open()[str(index)][: self._length].copy()

    def table(self) -> Table:
        """All rows as they are now and, for whoever holds them, stay."""
        self._read = self._length
        return Table(self._data, self._length)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._data.nbytes

    def __len__(self) -> int:
        return self._length
