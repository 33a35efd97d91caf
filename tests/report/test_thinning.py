import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.report.thinning import Columns, number_list, thin

steps = st.lists(st.integers(1, 5000), min_size=1, max_size=300, unique=True).map(lambda s: np.array(sorted(s)))


@given(steps, st.integers(10, 100))
def test_columns_are_few_rise_and_end_at_the_last_step(step, most: int) -> None:
    columns = Columns.of([step[::2], step[1::2]], most)
    assert len(columns.last) <= most
    assert (np.diff(columns.last) > 0).all()
    assert columns.last[-1] == step[-1]
    assert len(columns.edges) == len(columns.last) + 1
    assert columns.edges[0] < step[0] < columns.edges[-1]


@given(steps, st.integers(0, 2**16))
def test_a_short_history_is_shown_as_it_is(step, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=len(step))
    assert Columns.of([step], 400).fill(step, values).tolist() == values.tolist()


@given(steps, st.integers(10, 60), st.integers(0, 2**16))
def test_a_column_holds_the_mean_of_its_rows_or_repeats_the_one_before(step, most: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mine = np.sort(rng.choice(step, size=max(1, len(step) // 3), replace=False))
    values = rng.normal(size=len(mine))
    columns = Columns.of([step, mine], most)
    expected, before, held = [], 0, float("nan")
    for last in columns.last.tolist():
        rows = [v for s, v in zip(mine.tolist(), values.tolist(), strict=True) if before < s <= last]
        held = float(np.mean(rows)) if rows else held
        expected.append(held if mine[-1] > before or rows else float("nan"))
        before = last
    # summed in another order
    np.testing.assert_allclose(columns.fill(mine, values), expected, rtol=1e-12, atol=1e-12)


def test_what_was_never_a_number_stays_empty() -> None:
    step = np.arange(1, 5)
    filled = Columns.of([step], 4).fill(step, np.array([1.0, np.nan, np.inf, 2.0]))
    assert number_list(filled) == [1, None, None, 2]


@given(steps, st.integers(8, 60), st.booleans(), st.integers(0, 2**16))
def test_thinning_keeps_both_ends_and_every_extreme(step, most: int, logarithmic: bool, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=len(step))
    kept, numbers = thin(step, values, most, logarithmic=logarithmic)
    assert len(kept) <= most
    assert (kept[0], kept[-1]) == (step[0], step[-1])
    assert (numbers.min(), numbers.max()) == (values.min(), values.max())
    assert {*zip(kept, numbers, strict=True)} <= {*zip(step, values, strict=True)}


@pytest.mark.parametrize(("value", "written"), [(0.123456, 0.1235), (3.0, 3), (float("inf"), None), (1e300, 1e300)])
def test_numbers_are_written_with_four_digits(value: float, written: float | None) -> None:
    assert number_list(np.array([value])) == [written]
