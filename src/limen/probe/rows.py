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
        self._open = False  # whether the row offered last was kept

    def append(self, *row: float) -> bool:
        """Offer a row; returns whether it was kept."""
        if self._length == len(self._data) and self._offered % self._stride == 0:
            kept = self._data[::2].copy()
            self._data[: len(kept)] = kept
            self._length = len(kept)
            self._stride *= 2
        self._open = self._offered % self._stride == 0
        self._offered += 1
        if self._open:
            self._data[self._length] = row
            self._length += 1
        return self._open

    @property
    def keeps_next(self) -> bool:
        """Whether the next row offered will be kept."""
        return self._offered % (2 * self._stride if self._length == len(self._data) else self._stride) == 0

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

    def __len__(self) -> int:
        return self._length
