"""How a loss swings: surges that come back, and rises and falls that take turns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.findings.figures import Floats, median, noise

__all__ = ["Surge", "alternation", "surges", "swing"]

Integers = npt.NDArray[np.int64]

BEYOND_NOISE = 6.0  # standard deviations: between the extremes of medians of three lie five and a half
OVER = 0.5  # of the peak: where a surge has come back


@dataclass(frozen=True)
class Surge:
    """A loss that was thrown up and came back.

    Attributes:
        left: the step of the low that it left.
        step: of its peak.
        peak: the loss there, as a median of three rows.
    """

    left: int
    step: int
    peak: float


def surges(step: Integers, value: Floats, factor: float, height: float) -> list[Surge]:
    """Every rise by ``factor`` and beyond the noise to at least ``height``, that fell to half of its peak again.

    Read from medians of three rows, so that one odd batch is none, and on a logarithmic scale, so that a noise that
    shrinks with the loss is the same noise all along.

    Args:
        step: ``[rows]``, training step of each row.
        value: ``[rows]``, the loss; finite and above zero.
        factor: smallest peak, as a multiple of the low before it.
        height: smallest peak, in units of the loss.
    """
    if len(value) < 3:
        return []
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(value, 3), axis=1)
    rise = max(factor, float(np.exp(min(BEYOND_NOISE * noise(np.log(value)), 700.0))))
    found: list[Surge] = []
    low = top = 0  # rows of the lowest since the last surge, and of the highest since that
    for row in range(1, len(smooth)):
        if smooth[row] > smooth[top]:
            top = row
        thrown = smooth[top] >= max(rise * smooth[low], height)
        if thrown and smooth[row] <= OVER * smooth[top]:
            found.append(Surge(int(step[low + 1]), int(step[top + 1]), float(smooth[top])))
            low = top = row
        elif smooth[row] < smooth[low] and not thrown:
            low = top = row
    return found


def alternation(value: Floats) -> float:
    """Standard errors by which turning points are more frequent than in independent noise of any distribution.

    Of independent values two thirds of those between two others are higher or lower than both; of a loss that jumps
    from side to side, all are. 0 for fewer than three.

    Source: Kendall 1973, "Time-Series", section 2.4: variance (16 n - 29) / 90.
    """
    n = len(value)
    if n < 3:
        return 0.0
    change = np.diff(value)
    turns = int((change[1:] * change[:-1] < 0.0).sum())
    return float((turns - 2.0 * (n - 2) / 3.0) / np.sqrt((16.0 * n - 29.0) / 90.0))


def swing(value: Floats) -> float:
    """The usual change from one value to the next, as a share of their level; 0 for fewer than two."""
    level = abs(median(value))
    return median(np.abs(np.diff(value))) / level if len(value) > 1 and level > 0.0 else 0.0
