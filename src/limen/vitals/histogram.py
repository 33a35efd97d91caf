"""A histogram with two bins per octave on each side of zero: fixed edges, so that any two add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from limen.vitals.narrow import kept_narrow, narrow_in

__all__ = ["BINS", "EDGES", "Histogram"]

LOWEST, HIGHEST = -16, 16  # |z| from 2**-16 to 2**16 in activation units

_positive = np.array([2.0**k * half for k in range(LOWEST, HIGHEST) for half in (1.0, 1.5)] + [2.0**HIGHEST])

EDGES: npt.NDArray[np.float64] = np.concatenate([[-np.inf], -_positive[::-1], _positive, [np.inf]])
"""``[BINS + 1]``: -inf, -2¹⁶, …, -2⁻¹⁶, 2⁻¹⁶, …, 2¹⁶, inf; in each octave one edge at 1.5 times its start."""

BINS = len(EDGES) - 1


def _fold() -> npt.NDArray[np.int64]:
    """The bin of each of the 1,024 cells of sign, float32 exponent and first mantissa bit."""
    cells = np.arange(512)
    exponent = (cells >> 1) - 127
    away = 1 + 2 * (exponent - LOWEST) + (cells & 1)  # 0: the middle bin
    away = np.clip(np.where(exponent < LOWEST, 0, away), 0, len(_positive))
    middle = len(_positive)
    return np.concatenate([middle + away, middle - away])


_BIN_OF_CELL = _fold()


@kept_narrow("counts")
@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of pre-activations of all units of a site.

    Attributes:
        counts: ``[BINS]``, exact integers. Magnitudes in ``[edge, next edge)`` count away from zero, so bin ``i``
            and bin ``BINS - 1 - i`` mirror each other; the middle bin holds ``|z| < 2**-16``.
    """

    counts: npt.NDArray[np.int64]

    @classmethod
    def none(cls) -> Histogram:
        """The histogram of no samples: the neutral element of ``+``."""
        return cls(np.zeros(BINS, dtype=np.int64))

    @classmethod
    def of_cells(cls, cells: npt.NDArray[np.int64]) -> Histogram:
        """From ``[1024]`` counts by ``sign << 9 | exponent << 1 | first mantissa bit`` of a float32."""
        return cls(np.bincount(_BIN_OF_CELL, weights=cells, minlength=BINS).astype(np.int64))

    def __add__(self, other: Histogram) -> Histogram:
        """The histogram of both sets of samples together."""
        return Histogram(self.counts + other.counts)

    def lasting(self) -> Histogram:
        """The same, in memory of its own."""
        return Histogram(cast("npt.NDArray[np.int64]", narrow_in(self, "counts").lasting()))

    @property
    def total(self) -> int:
        """Samples counted."""
        return int(self.counts.sum())
