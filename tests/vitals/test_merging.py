"""Statistics add: any split, order and grouping of the samples gives the same value."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.vitals import BINS, Activity, Histogram, Moments

Floats = npt.NDArray[np.float64]

ROUNDING = 1e-12  # some dozens of float64 roundings (2**-53) of the largest term
LEAST = 5e-324  # what a square below the normal numbers may be rounded by

units = st.shared(st.integers(1, 4), key="units")
numbers = st.floats(-1e6, 1e6)


@st.composite
def tables(draw: st.DrawFn) -> Floats:
    """``[samples, units]``, samples may be none."""
    width = draw(units)
    rows = draw(st.lists(st.lists(numbers, min_size=width, max_size=width), max_size=6))
    return np.array(rows, dtype=np.float64).reshape(len(rows), width)


def moments_of(table: Floats) -> Moments:
    if not len(table):
        return Moments.none(table.shape[1])
    return Moments(len(table), table.mean(0), ((table - table.mean(0)) ** 2).sum(0))


def activity_of(table: Floats, step: int) -> Activity:
    if not len(table):
        return Activity.none(table.shape[1])
    return Activity(
        steps=1,
        first_step=step,
        last_step=step,
        left=(table <= 0).sum(0),
        right=(table >= 10).sum(0),
        moments=moments_of(table),
        low=table.min(0),
        high=table.max(0),
        nonfinite=step % 3,
        histogram=Histogram.of_cells(np.arange(1024, dtype=np.int64) * step),
    )


def assert_same_moments(one: Moments, two: Moments, table: Floats) -> None:
    assert one.count == two.count
    peak = np.abs(table).max(0, initial=0.0)
    assert np.all(np.abs(one.mean - two.mean) <= ROUNDING * peak)
    assert np.all(np.abs(one.m2 - two.m2) <= ROUNDING * len(table) * peak**2)


def assert_same_activity(one: Activity, two: Activity, table: Floats) -> None:
    for name in ("steps", "first_step", "last_step", "nonfinite", "samples", "units"):
        assert getattr(one, name) == getattr(two, name)
    for name in ("left", "right", "low", "high", "active"):
        assert getattr(one, name).tolist() == getattr(two, name).tolist()
    assert one.histogram.counts.tolist() == two.histogram.counts.tolist()
    assert_same_moments(one.moments, two.moments, table)


@given(tables(), tables(), tables())
def test_merging_moments_is_associative_and_commutative(a: Floats, b: Floats, c: Floats) -> None:
    whole = np.concatenate([a, b, c])
    one, two, three = moments_of(a), moments_of(b), moments_of(c)
    assert_same_moments((one + two) + three, one + (two + three), whole)
    assert_same_moments(one + two, two + one, whole)


@given(tables())
def test_the_moments_of_nothing_change_nothing(table: Floats) -> None:
    moments = moments_of(table)
    for merged in (moments + Moments.none(table.shape[1]), Moments.none(table.shape[1]) + moments):
        assert (merged.count, merged.mean.tolist(), merged.m2.tolist()) == (
            moments.count,
            moments.mean.tolist(),
            moments.m2.tolist(),
        )


@given(st.lists(tables(), min_size=1, max_size=6), numbers)
def test_merging_parts_equals_seeing_the_whole(parts: Sequence[Floats], shift: float) -> None:
    whole = np.concatenate(parts)
    merged = Moments.none(whole.shape[1])
    for part in parts:
        away = part - shift
        merged = merged + Moments.of_sums(len(part), away.sum(0), (away**2).sum(0), shift)
    assert merged.count == len(whole)
    if not len(whole):
        assert np.isnan(merged.variance).all()
        return
    peak = np.abs(whole).max(0) + abs(shift)  # the sums that cancel are of this size
    assert np.all(np.abs(merged.mean - whole.mean(0)) <= ROUNDING * peak)
    assert np.all(np.abs(merged.variance - whole.var(0)) <= ROUNDING * peak**2 + len(whole) * LEAST)
    assert np.all(merged.m2 >= 0)


@given(tables())
def test_pooled_moments_are_those_of_all_units_as_one(table: Floats) -> None:
    pooled = moments_of(table).pooled()
    assert pooled.count == table.size
    if table.size:
        peak = np.abs(table).max()
        assert abs(pooled.mean[0] - table.mean()) <= ROUNDING * peak
        assert abs(pooled.variance[0] - table.var()) <= ROUNDING * peak**2


@given(tables(), tables(), tables())
def test_merging_activities_is_associative_and_commutative(a: Floats, b: Floats, c: Floats) -> None:
    whole = np.concatenate([a, b, c])
    one, two, three = activity_of(a, 4), activity_of(b, 9), activity_of(c, 2)
    assert_same_activity((one + two) + three, one + (two + three), whole)
    assert_same_activity(one + two, two + one, whole)


@given(tables())
def test_the_activity_of_no_steps_changes_nothing(table: Floats) -> None:
    activity, none = activity_of(table, 3), Activity.none(table.shape[1])
    assert_same_activity(activity + none, activity, table)
    assert_same_activity(none + activity, activity, table)


@given(st.lists(st.lists(st.integers(0, 2**40), min_size=BINS, max_size=BINS), min_size=3, max_size=3))
def test_merging_histograms_is_associative_commutative_and_has_a_neutral_element(counts: list[list[int]]) -> None:
    a, b, c = (Histogram(np.array(row, dtype=np.int64)) for row in counts)
    assert ((a + b) + c).counts.tolist() == (a + (b + c)).counts.tolist()
    assert (a + b).counts.tolist() == (b + a).counts.tolist()
    assert (a + Histogram.none()).counts.tolist() == a.counts.tolist()
    assert (a + b).total == a.total + b.total


# Values that are not finite ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_a_value_that_is_not_finite_spoils_the_moments_of_its_unit_for_good(value: float) -> None:
    broken = Moments.of_sums(4, np.array([value, 2.0]), np.array([np.inf, 5.0]))
    fine = Moments.of_sums(4, np.array([1.0, 2.0]), np.array([5.0, 5.0]))
    for merged in (broken + fine, fine + broken, broken + broken, (fine + broken) + fine):
        assert np.isnan(merged.mean).tolist() == [True, False]
        assert np.isnan(merged.m2).tolist() == [True, False]


def test_a_unit_of_nan_only_does_not_hide_the_extremes_of_others() -> None:
    seen = activity_of(np.array([[1.0, 2.0], [3.0, 4.0]]), 1)
    nothing = Activity(1, 2, 2, *(np.zeros(2, np.int64),) * 2, Moments(2, *(np.full(2, np.nan),) * 2),
                       np.full(2, np.inf), np.full(2, -np.inf), 4, Histogram.none())  # fmt: skip
    for merged in (seen + nothing, nothing + seen):
        assert (merged.low.tolist(), merged.high.tolist(), merged.nonfinite) == ([1.0, 2.0], [3.0, 4.0], 5)


# Figures read off ----------------------------------------------------------------------------------------------------


def test_active_samples_are_those_on_neither_flat_side() -> None:
    seen = activity_of(np.array([[-1.0, 5.0], [5.0, 5.0], [12.0, 5.0], [13.0, -4.0]]), 1)
    assert seen.active.tolist() == [1, 3]
    assert seen.inactive_share == 4 / 8


def test_the_inactive_share_of_nothing_is_unknown() -> None:
    assert np.isnan(Activity.none(3).inactive_share)
    assert np.isnan(Activity.none(0).inactive_share)


@pytest.mark.parametrize(("samples", "bound"), [(0, 1.0), (1, 1.0), (3, 1.0), (4, 0.75), (3000, 0.001)])
def test_a_unit_never_active_is_active_at_most_three_times_in_n(samples: int, bound: float) -> None:
    table = np.full((samples, 2), -1.0)
    assert activity_of(table, 1).activity_bound == bound


@pytest.mark.parametrize("samples", [100, 1_000, 10_000])
def test_the_bound_is_the_95_percent_limit_of_a_binomial_with_no_success(samples: int) -> None:
    bound = activity_of(np.full((samples, 1), -1.0), 1).activity_bound
    exact = 1 - 0.05 ** (1 / samples)  # the p at which no success in n trials has probability 5 %
    assert bound == pytest.approx(exact, rel=3 / samples + 2e-3)  # 3 stands for -ln 0.05 = 2.9957
    assert bound >= exact
