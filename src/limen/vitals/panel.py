"""Of which units of a wide site more is kept than counts: of all up to 256, of 251 evenly spaced ones beyond that."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

__all__ = ["MOST", "panel_of"]

MOST = 256  # units: from so many the middle and the spread of what all do are known well
SPACED = 251  # a prime: even spacing then meets every place within a head or a group


@functools.cache
def panel_of(units: int) -> npt.NDArray[np.int64]:
    """``[panel]``, the units of which moments and extremes are kept, rising; not to be written to."""
    if units <= MOST:
        return np.arange(units)
    return np.arange(SPACED) * units // SPACED
