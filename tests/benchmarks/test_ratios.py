import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.ratios import AGAIN, BARE, Turn, block_steps, costs, joins, quartiles


def turn(step: float, *, inside: float | None = None, steps: int = 10) -> Turn:
    """Wall time is twice the processor's, as on a busy machine."""
    return Turn(steps, wall=2 * step * steps, cpu=step * steps, inside=inside)


def test_quartiles_of_five_values_are_the_second_third_and_fourth() -> None:
    assert quartiles([5.0, 1.0, 4.0, 2.0, 3.0]) == (2.0, 3.0, 4.0)


def test_quartiles_of_one_value_are_that_value() -> None:
    assert quartiles([7.0]) == (7.0, 7.0, 7.0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_quartiles_are_in_order_and_within_the_values(values: list[float]) -> None:
    low, middle, high = quartiles(values)
    assert min(values) <= low <= middle <= high <= max(values)


def test_a_ratio_is_taken_within_its_round() -> None:
    """The machine is three times slower in the second round; the cost stays the same."""
    rounds = [{BARE: turn(t), AGAIN: turn(t), "watched": turn(1.25 * t)} for t in (0.01, 0.03)]
    assert costs(rounds, "cpu")["watched"].ratio == pytest.approx((1.25, 1.25, 1.25))


def test_a_mode_is_compared_with_the_mean_of_both_bare_trainings_and_these_with_each_other() -> None:
    found = costs([{BARE: turn(1.0), AGAIN: turn(3.0), "watched": turn(4.0)}], "wall")
    assert found["watched"].ratio[1] == pytest.approx(2.0)
    assert found[AGAIN].ratio[1] == pytest.approx(3.0)
    assert BARE not in found


def test_steps_of_blocks_of_different_lengths_compare() -> None:
    rounds = [{BARE: turn(1.0, steps=8), AGAIN: turn(1.0, steps=8), "slow": turn(5.0, steps=1)}]
    assert costs(rounds, "wall")["slow"].ratio[1] == pytest.approx(5.0)


def test_rounds_that_a_slow_mode_sat_out_do_not_count() -> None:
    near = {BARE: turn(1.0), AGAIN: turn(1.0)}
    found = costs([near, near | {"slow": turn(9.0)}, near], "wall")
    assert (found["slow"].rounds, found[AGAIN].rounds) == (1, 3)


def test_the_own_account_is_a_share_of_the_training_without_it() -> None:
    near = {BARE: turn(1.0), AGAIN: turn(1.0)}
    found = costs([near | {"watched": turn(1.0, inside=4.0)}], "wall")  # 4 of 20 s of the wall clock
    assert found["watched"].inside == pytest.approx(0.25)
    assert found[AGAIN].inside is None


@pytest.mark.parametrize(("block", "step", "steps"), [(0.4, 0.015, 27), (0.4, 0.26, 2), (0.4, 7.0, 1)])
def test_a_block_has_the_steps_that_fill_it_but_at_least_one(block: float, step: float, steps: int) -> None:
    assert block_steps(block, step) == steps


def test_a_slow_mode_sits_out_until_the_bare_training_has_caught_up() -> None:
    assert joins("slow", {BARE: 1.0, "slow": 2.0})
    assert not joins("slow", {BARE: 1.0, "slow": 2.1})
    assert joins(AGAIN, {BARE: 1.0, AGAIN: 9.0})
