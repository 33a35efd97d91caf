"""What is kept narrow is read as it was given, and takes no more bytes than its spread needs."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.vitals import Histogram, Narrow
from limen.vitals.narrow import kept_narrow, narrow_in

int64 = st.integers(-(2**63), 2**63 - 1)


@given(numbers=st.lists(int64, max_size=20))
def test_any_whole_numbers_survive(numbers: list[int]) -> None:
    found = Narrow.of(np.array(numbers, dtype=np.int64)).numbers()
    assert found.dtype == np.int64
    assert found.tolist() == numbers


@pytest.mark.parametrize(
    ("numbers", "each"),
    [([7] * 9, 0), ([], 0), ([1000, 1255], 1), ([-1, 255], 2), ([0, 2**16], 4), ([0, 2**32], 8), ([-(2**63), 5], 8)],
)
def test_they_take_as_few_bytes_as_their_spread_needs(numbers: list[int], each: int) -> None:
    assert Narrow.of(np.array(numbers, dtype=np.int64)).nbytes == each * len(numbers)


@kept_narrow("numbers")
@dataclass(frozen=True, eq=False)
class Kept:
    name: str
    numbers: npt.NDArray[np.int64]


def test_a_field_takes_and_gives_int64_and_a_reader_cannot_change_it() -> None:
    kept = Kept("a", np.array([3, 4], dtype=np.int64))
    kept.numbers[0] = 99
    assert kept.numbers.tolist() == [3, 4]
    assert replace(kept, name="b").numbers.tolist() == [3, 4]
    assert narrow_in(kept, "numbers").above.dtype == np.uint8


def test_a_field_that_is_not_given_is_missed() -> None:
    with pytest.raises(TypeError, match="numbers"):
        Kept("a")  # pyright: ignore[reportCallIssue]


def test_sums_are_of_int64_and_not_of_what_they_are_kept_in() -> None:
    full = Histogram(np.full(131, 200) + np.arange(131) % 2)
    assert (full + full).counts.tolist() == [400 + 2 * (i % 2) for i in range(131)]
