"""Robust figures of short, noisy, sometimes empty series."""

import numpy as np
import numpy.typing as npt

__all__ = ["finite", "median", "noise", "rank_correlation", "share"]

Floats = npt.NDArray[np.float64]

MAD_TO_STD = 1.4826
"""Standard deviation of a normal variable over its median absolute deviation."""


def finite(values: npt.ArrayLike) -> Floats:
    """The finite ones of ``values``, in their order."""
    array = np.asarray(values, dtype=np.float64)
    return array[np.isfinite(array)]


def median(values: npt.ArrayLike) -> float:
    """Median of the finite values; NaN where there is none."""
    known = np.sort(finite(values))
    if len(known) == 0:
        return float("nan")
    low, high = float(known[(len(known) - 1) // 2]), float(known[len(known) // 2])
    return low if low == high else (low + high) / 2.0


def noise(values: npt.ArrayLike) -> float:
    """Standard deviation of the noise around a slow trend, from successive differences; 0 for fewer than three.

    Source: von Neumann et al. 1941, "The Mean Square Successive Difference", with the MAD in place of the square.
    """
    steps = np.diff(finite(values))
    if len(steps) < 2:
        return 0.0
    return float(MAD_TO_STD * median(np.abs(steps - median(steps))) / np.sqrt(2.0))


def rank_correlation(values: npt.ArrayLike) -> float:
    """Spearman's correlation of ``values`` with their position; 0 for fewer than three or all equal.

    >>> rank_correlation([1.0, 10.0, 100.0])
    1.0
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) < 3 or not np.isfinite(array).all() or np.ptp(array) == 0.0:
        return 0.0
    below = (array[None, :] < array[:, None]).sum(axis=1)
    ties = (array[None, :] == array[:, None]).sum(axis=1)
    ranks = below + (ties - 1) / 2.0  # equal values share their mean rank
    positions = np.arange(len(array), dtype=np.float64)
    return round(float(np.corrcoef(ranks, positions)[0, 1]), 12)


def share(part: float, whole: float) -> float:
    """``part / whole``; 0 where the whole is 0."""
    return float(part / whole) if whole else 0.0
