"""Of wide sites counts are of all units, moments of a panel, and what all did together is known all the same."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.vitals import Activity, Histogram, Moments, Whole, panel_of

Floats = npt.NDArray[np.float64]


def whole_of(table: Floats) -> Whole:
    return Whole(table.size, table.mean(), ((table - table.mean()) ** 2).sum(), table.min(), table.max())


def wide(table: Floats, step: int) -> Activity:
    """The activity of one step, from all its numbers ``[samples, units]``."""
    samples, units = table.shape
    seen = table[:, panel_of(units)]
    moments = Moments(samples, seen.mean(0), ((seen - seen.mean(0)) ** 2).sum(0))
    counts = (table <= 0).sum(0), (table >= 1).sum(0)
    extremes = seen.min(0), seen.max(0)
    return Activity(1, step, step, *counts, moments, *extremes, 0, Histogram.none(), whole_of(table))


@given(units=st.integers(1, 5_000))
def test_the_panel_is_all_units_or_some_evenly_spaced_ones(units: int) -> None:
    panel = panel_of(units)
    if units <= 256:
        assert panel.tolist() == list(range(units))
        return
    assert (len(panel), panel[0]) == (251, 0)
    assert panel[-1] < units
    assert np.ptp(np.diff(panel)) <= 1


@pytest.mark.parametrize("period", [2, 8, 32, 64])
def test_the_panel_of_a_wide_site_meets_every_place_of_a_head(period: int) -> None:
    assert set((panel_of(4_096) % period).tolist()) == set(range(period))


@given(seed=st.integers(0, 2**16), samples=st.integers(1, 30), shift=st.floats(-1e3, 1e3))
def test_parts_of_a_wide_site_add_to_the_whole(seed: int, samples: int, shift: float) -> None:
    table = np.random.default_rng(seed).normal(shift, 2.0, (samples + 5, 300))
    found, expected = wide(table[:5], 1) + wide(table[5:], 2), wide(table, 1)
    assert found.left.tolist() == expected.left.tolist()
    assert found.right.tolist() == expected.right.tolist()
    assert (found.units, found.samples) == (300, samples + 5)
    assert (found.whole.count, found.whole.low, found.whole.high) == (table.size, table.min(), table.max())
    assert found.whole.mean == pytest.approx(table.mean(), rel=1e-9, abs=1e-9)  # float64 sums in another order
    assert found.whole.std == pytest.approx(table.std(), rel=1e-9)
    np.testing.assert_allclose(found.moments.std, table.std(0)[panel_of(300)], rtol=1e-9)


def test_the_whole_of_a_narrow_site_follows_from_its_units() -> None:
    table = np.random.default_rng(0).normal(1.0, 3.0, (40, 7))
    moments = Moments(40, table.mean(0), ((table - table.mean(0)) ** 2).sum(0))
    zeros = np.zeros(7, np.int64)
    seen = Activity(1, 1, 1, zeros, zeros, moments, table.min(0), table.max(0), 0, Histogram.none())
    assert seen.whole.mean == pytest.approx(table.mean(), rel=1e-12)
    assert seen.whole.std == pytest.approx(table.std(), rel=1e-12)
    assert (seen.whole.low, seen.whole.high) == (table.min(), table.max())


def test_nothing_seen_has_no_mean_and_adds_nothing() -> None:
    none = Activity.none(300)
    assert (none.whole.count, none.whole.low, none.whole.high) == (0, math.inf, -math.inf)
    assert math.isnan(none.whole.std)
    seen = wide(np.ones((3, 300)), 1)
    assert (none + seen) is seen
    assert (seen + none) is seen


def test_units_outside_of_the_panel_are_left_out() -> None:
    seen, panel = wide(np.ones((3, 600)), 1), panel_of(600).tolist()
    outside = next(unit for unit in range(600) if unit not in panel)
    assert seen.in_panel([panel[0], outside, panel[9], 599]).tolist() == [0, 9, *([250] if 599 in panel else [])]
    assert seen.in_panel([]).tolist() == []
    assert wide(np.ones((3, 5)), 1).in_panel([4, 2]).tolist() == [4, 2]
