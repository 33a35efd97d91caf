"""Zeros of functions of one number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.theory.crossing import crossing


@given(
    root=st.floats(-5, 5).filter(lambda x: abs(x) > 1e-3), sign=st.sampled_from([-1, 1]), power=st.sampled_from([1, 3])
)
def test_the_zero_is_found_to_the_last_digits(root: float, sign: int, power: int) -> None:
    found = crossing(lambda x: sign * ((x - root) ** power), -6.0, 7.0)
    assert found == pytest.approx(root, rel=1e-14)


def test_where_a_function_jumps_the_jump_is_found() -> None:
    assert crossing(lambda x: -1.0 if x < math.pi else 2.0, 0.0, 10.0) == pytest.approx(math.pi, rel=1e-15)


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-1.0, 0.0)])
def test_an_end_may_be_the_zero(ends: tuple[float, float]) -> None:
    assert crossing(lambda x: x, *ends) == 0


def test_the_ends_may_stand_in_either_order() -> None:
    assert crossing(lambda x: x * x - 2, 2.0, 0.0) == pytest.approx(math.sqrt(2), rel=1e-15)


def test_few_evaluations_are_enough() -> None:
    asked = list[float]()

    def watched(x: float) -> float:
        asked.append(x)
        return math.exp(x) - 3

    assert crossing(watched, -3.0, 4.0) == pytest.approx(math.log(3), rel=1e-15)
    assert len(asked) < 25


@pytest.mark.parametrize("gap", [(0.4, 0.6), (0.65, 0.75)], ids=str)
def test_a_gap_on_the_way_gives_nan(gap: tuple[float, float]) -> None:
    assert math.isnan(crossing(lambda x: math.nan if gap[0] < x < gap[1] else x**3 - 0.343, 0.0, 1.0))
