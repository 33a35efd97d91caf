"""A table that grows to a fixed length and then keeps every second row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["LONGEST", "Rows"]

LONGEST = 1024  # rows kept of a series, whatever the number of steps


class Rows:
    """Rows of numbers in the order of their steps, thinned evenly: column 0 is the step."""

    def __init__(self, columns: int, longest: int = LONGEST) -> None:
        self._data = np.empty((longest, columns))
        self._length = 0
        self._offered = 0
        self._stride = 1

    def append(self, *row: float) -> bool:
        """Offer a row; returns whether it was kept."""
        wanted = self._offered % self._stride == 0
        self._offered += 1
        if not wanted:
            return False
        if self._length == len(self._data):
            kept = self._data[::2].copy()
            self._data[: len(kept)] = kept
            self._length = len(kept)
            self._stride *= 2
            if (self._offered - 1) % self._stride:
                return False
        self._data[self._length] = row
        self._length += 1
        return True

    def amend(self, column: int, value: float) -> None:
        """Set a column of the newest row, for what is known only later."""
        if self._length:
            self._data[self._length - 1, column] = value

    def column(self, index: int) -> npt.NDArray[np.float64]:
        """A copy of one column."""
        return self._data[: self._length, index].copy()

    def whole(self, index: int) -> npt.NDArray[np.int64]:
        """A copy of one column of whole numbers."""
        return self._data[: self._length, index].astype(np.int64)

    def __len__(self) -> int:
        return self._length
