"""A table that grows to a bounded length and then keeps every second row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["LONGEST", "Room", "Rows"]

LONGEST = 1_024  # rows kept of a series, whatever the number of steps
FEWEST = 64  # rows that a series keeps however many there are
MOST = 2**17  # rows that all series of a room keep together: 128 of each in a thousand series
FIRST = 32  # rows for which there is memory at once


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


class Rows:
    """Rows of numbers in the order of their steps, thinned evenly: column 0 is the step."""

    def __init__(self, columns: int, longest: int = LONGEST, room: Room | None = None) -> None:
        self._room = room or Room(longest)
        self._room.enter()
        self._data = np.empty((min(FIRST, longest), columns))
        self._length = 0
        self._offered = 0
        self._stride = 1
        self._open = False  # whether the row offered last was kept

    def append(self, *row: float) -> bool:
        """Offer a row; returns whether it was kept."""
        while self._length >= self._room.longest and self._offered % self._stride == 0:
            kept = self._data[: self._length : 2]
            self._length = len(kept)
            self._data[: len(kept)] = kept.copy()
            self._stride *= 2
        self._open = self._offered % self._stride == 0
        self._offered += 1
        if self._open:
            if self._length == len(self._data):
                self._data = np.concatenate([self._data, np.empty_like(self._data)])
            self._data[self._length] = row
            self._length += 1
        return self._open

    def extend(self, rows: npt.NDArray[np.float64]) -> None:
        """Offer several rows, one after the other."""
        if self._stride > 1 or self._length + len(rows) > self._room.longest:
            for row in rows:
                self.append(*row)
            return
        while self._length + len(rows) > len(self._data):
            self._data = np.concatenate([self._data, np.empty_like(self._data)])
        self._data[self._length : self._length + len(rows)] = rows
        self._length += len(rows)
        self._offered += len(rows)
        self._open = True

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
            self._data[self._length - 1, column] = value

    def column(self, index: int) -> npt.NDArray[np.float64]:
        """A copy of one column."""
        return self._data[: self._length, index].copy()

    def whole(self, index: int) -> npt.NDArray[np.int64]:
        """A copy of one column of whole numbers."""
        return self._data[: self._length, index].astype(np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._data.nbytes

    def __len__(self) -> int:
        return self._length
