"""The edges are fixed, symmetric and two to the octave; every cell of a float32 has its bin."""

import numpy as np
import pytest

from limen.vitals import BINS, EDGES, Histogram


def test_the_edges_rise_and_mirror_each_other() -> None:
    assert np.all(np.diff(EDGES[1:-1]) > 0)
    assert EDGES.tolist() == (-EDGES[::-1]).tolist()
    assert (EDGES[0], EDGES[-1], len(EDGES)) == (-np.inf, np.inf, BINS + 1)


def test_there_are_two_bins_to_the_octave_from_the_lowest_to_the_highest_magnitude() -> None:
    positive = EDGES[BINS // 2 + 1 : -1]
    assert (positive[0], positive[-1]) == (2.0**-16, 2.0**16)
    assert set(np.round(positive[1:] / positive[:-1], 12)) == {1.5, np.round(4 / 3, 12)}


@pytest.mark.parametrize("bits", [0, 511, 512, 1023, 254, 255, 256, 300, 766, 767, 768])
def test_a_cell_falls_where_its_smallest_number_lies(bits: int) -> None:
    cells = np.zeros(1024, np.int64)
    cells[bits] = 7
    (found,) = np.flatnonzero(Histogram.of_cells(cells).counts)
    size = np.uint32(bits << 22 & 0x7FFFFFFF).view(np.float32).astype(np.float64)
    place = int(np.searchsorted(EDGES[BINS // 2 + 1 : -1], size, side="right")) if np.isfinite(size) else BINS // 2
    assert found == BINS // 2 + (-place if bits & 512 else place)


def test_folding_loses_no_sample() -> None:
    cells = np.arange(1024, dtype=np.int64)
    assert Histogram.of_cells(cells).total == cells.sum()
