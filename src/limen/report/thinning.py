"""Long histories in few points, so that a report of a million steps is as small as one of a thousand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Columns", "number_list", "rounded", "thin"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Columns:
    """The time axis that all rows of a heat map share.

    Attributes:
        first: the first step of all.
        last: ``[columns]``, the last step of each column, rising; a column holds the steps after the one before it.
        blank: ``[columns]``, True for a column of steps that were not looked at.
    """

    first: int
    last: Integers
    blank: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, histories: Iterable[Integers], most: int, blind: Sequence[tuple[int, int]] = ()) -> Columns:
        """At most ``most`` columns over the steps of all histories, narrow at first: a training falls ill early.

        Each of the stretches ``blind``, which hold no step of any history, gets a blank column besides.

        A third of the columns end at steps in geometric progression, the others at recorded steps evenly spaced.
        """
        recorded = [np.asarray(steps, dtype=np.int64) for steps in histories if len(steps)]
        if not recorded:
            return cls(0, np.array([], dtype=np.int64), np.array([], dtype=bool))
        steps = np.unique(np.concatenate(recorded))
        ends = steps[_chosen(len(steps), most)] if len(steps) > most else steps
        first = int(steps[0])
        dark = [stretch for stretch in blind if stretch[0] > first]
        borders = [step for start, end in dark for step in (start - 1, end)]
        last = np.unique(np.concatenate([ends, np.array(borders, dtype=np.int64)]))
        return cls(first, last, np.isin(last, [end for _, end in dark]))

    @property
    def edges(self) -> Floats:
        """``[columns + 1]``, where columns meet: half way between steps."""
        return np.concatenate([[self.first - 0.5], self.last + 0.5])

    def fill(self, step: Integers, values: npt.NDArray[np.generic]) -> Floats:
        """The values of one history, averaged over each column.

        A column without a row of this history repeats the one before it; NaN before the first row, after the last
        one, in blank columns, and where every value is NaN.

        Args:
            step: ``[rows]``, rising.
            values: ``[rows]``.

        Returns:
            ``[columns]``.
        """
        means = np.full(len(self.last), np.nan)
        if len(step) == 0 or len(self.last) == 0:
            return means
        column = np.searchsorted(self.last, step)
        inside = column < len(self.last)
        numbers = np.asarray(values, dtype=np.float64)[inside]
        column = column[inside]
        finite = np.isfinite(numbers)
        rows = np.bincount(column, minlength=len(means))
        seen = np.bincount(column[finite], minlength=len(means))
        sums = np.bincount(column[finite], weights=numbers[finite], minlength=len(means))
        means[seen > 0] = sums[seen > 0] / seen[seen > 0]
        latest = np.maximum.accumulate(np.where(rows > 0, np.arange(len(means)), -1))
        held = np.where(latest >= 0, means[latest], np.nan)
        return np.where((np.arange(len(means)) <= column.max(initial=-1)) & ~self.blank, held, np.nan)


def _chosen(rows: int, most: int) -> Integers:
    """Positions among ``rows`` at which a column ends: a third in geometric progression, the others evenly."""
    early, even = np.geomspace(1, rows, most // 3), np.linspace(1, rows, most - most // 3)
    return np.unique(np.concatenate([early, even]).round().astype(np.int64)) - 1


def thin(
    step: Integers, values: npt.NDArray[np.generic], most: int, *, logarithmic: bool = False
) -> tuple[Integers, Floats]:
    """At most ``most`` of the rows, among them the smallest and largest of each stretch: no spike is lost.

    Args:
        step: ``[rows]``, rising.
        values: ``[rows]``.
        most: rows to keep, at least 4.
        logarithmic: True for stretches of equal ratio, for a logarithmic time axis.

    Returns:
        Steps and values of the rows kept.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if len(step) <= most:
        return step, numbers
    keep = {0, len(step) - 1}
    stretches = most // 2 - 1
    if logarithmic:
        ends = np.geomspace(max(int(step[0]), 1), max(int(step[-1]), 1), stretches + 1)[1:-1]
        parts = np.split(np.arange(len(step)), np.searchsorted(step, ends))
    else:
        parts = np.array_split(np.arange(len(step)), stretches)
    for part in [part for part in parts if len(part)]:
        filled = np.where(np.isfinite(numbers[part]), numbers[part], 0.0)
        keep |= {int(part[filled.argmin()]), int(part[filled.argmax()])}
    kept = np.array(sorted(keep))
    return step[kept], numbers[kept]


def number_list(values: npt.NDArray[np.generic], digits: int = 4) -> list[float | int | None]:
    """Numbers for JSON: ``digits`` significant ones, whole numbers without a point, None for NaN and infinity."""
    return [rounded(value, digits) for value in np.asarray(values, dtype=np.float64).tolist()]


def rounded(value: float, digits: int = 4) -> float | int | None:
    """One number for JSON; see :func:`number_list`."""
    if not np.isfinite(value):
        return None
    short = float(f"{value:.{digits}g}")
    return int(short) if short == int(short) and abs(short) < 1e15 else short
