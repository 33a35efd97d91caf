"""Series of several ranks, side by side on the steps that any of them has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Aligned"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Aligned:
    """One row for each step that some rank has.

    Attributes:
        step: ``[rows]``, rising.
    """

    def __init__(self, steps: Sequence[Integers]) -> None:
        self.step = np.unique(np.concatenate(steps)).astype(np.int64)
        self._places = [np.searchsorted(self.step, own) for own in steps]

    def table(self, columns: Iterable[npt.NDArray[np.generic]], fill: float = np.nan) -> Floats:
        """``[ranks, rows]``: the same column of each rank; ``fill`` at the steps that a rank does not have."""
        found = np.full((len(self._places), len(self.step)), fill)
        for row, place, column in zip(found, self._places, columns, strict=True):
            row[place] = column
        return found

    def first(self, columns: Iterable[npt.NDArray[np.generic]]) -> Floats:
        """``[rows]``: of what all ranks know alike, the value of the first that has the step."""
        table = self.table(columns)
        held = self.table([np.ones(len(place)) for place in self._places], 0.0) > 0
        return table[np.argmax(held, axis=0), np.arange(len(self.step))]


def mean_of(table: Floats) -> Floats:
    """``[rows]``: mean over the ranks that have a number there; NaN where none has."""
    known = ~np.isnan(table)
    with np.errstate(invalid="ignore"):
        return np.where(known, table, 0.0).sum(0) / known.sum(0)
