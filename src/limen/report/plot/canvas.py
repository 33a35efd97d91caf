"""A grid of dots that are put together to letters: 2 × 4 to a Braille letter, or 1 × 2 where there is only ASCII."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from limen.report.plot.panel import Floats, Line

__all__ = ["Canvas"]

Integers = npt.NDArray[np.int64]

BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a Braille letter, by row and column."""

PLAIN = {1: "'", 2: ".", 3: ":"}
"""The letter for a dot above, below, or both."""


class Canvas:
    """Draws lines as dots. Each letter takes the colour of the first line in it."""

    def __init__(self, columns: int, rows: int, x: tuple[float, float], y: tuple[float, float], *, ascii: bool) -> None:
        self.columns, self.rows = columns, rows
        self._wide, self._high = (1, 2) if ascii else (2, 4)
        self._x, self._y = x, y
        self._bits = np.zeros((rows, columns), dtype=np.int64)
        self._owner = np.full((rows, columns), -1, dtype=np.int64)

    def column(self, x: float) -> int:
        """The letter above a place of the horizontal axis."""
        return int(np.clip((x - self._x[0]) / (self._x[1] - self._x[0]) * self.columns, 0, self.columns - 1))

    def row(self, y: float) -> int:
        """The letter beside a place of the vertical axis, counted from the top."""
        return int(np.clip((self._y[1] - y) / (self._y[1] - self._y[0]) * self.rows, 0, self.rows - 1))

    def draw(self, line: Line, number: int) -> None:
        """Add a line; its dots in neighbouring columns touch each other."""
        across = self.columns * self._wide
        places = self._x[0] + (np.arange(across) + 0.5) / across * (self._x[1] - self._x[0])
        for x, y in line.segments:
            inside = np.flatnonzero((places >= x[0]) & (places <= x[-1]))
            if len(inside):
                self._stroke(inside, self._dot_row(np.interp(places[inside], x, y)), number)

    def _dot_row(self, y: Floats) -> Floats:
        down = self.rows * self._high
        return (self._y[1] - y) / (self._y[1] - self._y[0]) * down - 0.5

    def _stroke(self, columns: Integers, rows: Floats, number: int) -> None:
        """Dots at these heights, and between each and the middle to its neighbours."""
        middle = (rows[1:] + rows[:-1]) / 2
        before, after = np.concatenate([rows[:1], middle]), np.concatenate([middle, rows[-1:]])
        low = np.rint(np.minimum(np.minimum(before, after), rows))
        high = np.rint(np.maximum(np.maximum(before, after), rows))
        for column, first, last in zip(columns.tolist(), low.tolist(), high.tolist(), strict=True):
            if np.isfinite(first) and np.isfinite(last):
                first, last = max(first, 0), min(last, self.rows * self._high - 1)
                for row in range(int(first), int(last) + 1):
                    self._dot(column, row, number)

    def _dot(self, column: int, row: int, number: int) -> None:
        place = row // self._high, column // self._wide
        if self._high == 4:
            self._bits[place] |= BRAILLE[row % 4][column % 2]
        else:
            self._bits[place] |= 1 << row % 2
        if self._owner[place] < 0:
            self._owner[place] = number

    def letter(self, row: int, column: int) -> tuple[str, int]:
        """What stands there and the number of its line; an empty string and -1 for nothing."""
        bits = int(self._bits[row, column])
        if not bits:
            return "", -1
        return (chr(0x2800 + bits) if self._high == 4 else PLAIN[bits]), int(self._owner[row, column])
