"""What is kept narrow is read as it was given, and takes no more bytes than its spread needs."""

import pickle
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.lasting import LastingArray
from limen.vitals import Histogram, Narrow, OfFew
from limen.vitals.fields import lasting
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


@given(few=st.lists(int64, min_size=1, max_size=5), seed=st.integers(0, 2**16))
def test_numbers_of_which_each_is_one_of_a_few_are_read_as_if_all_of_them_were_kept(few: list[int], seed: int) -> None:
    places = np.random.default_rng(seed).integers(0, len(few), 40)
    few, places = [*dict.fromkeys(few)], places % len({*few})
    places[: len(few)] = range(len(few))  # none of them is nowhere
    expected = [few[place] for place in places]
    shared = Narrow.of(places).lasting()
    kept = Kept("a", cast("npt.NDArray[np.int64]", OfFew(lasting(np.array(few, np.int64)), shared)))
    for one in (kept, replace(kept, name="b"), pickle.loads(pickle.dumps(kept))):
        assert (one.numbers.dtype, one.numbers.tolist()) == (np.int64, expected)
        alone = Narrow.of(np.array(expected, np.int64))
        narrow = narrow_in(one, "numbers")
        assert (narrow.least, narrow.length, narrow.above.dtype) == (alone.least, alone.length, alone.above.dtype)
        assert narrow.above.tobytes() == alone.above.tobytes()
    assert OfFew(np.array(few, np.int64), Narrow.of(places)).numbers().tolist() == expected


def test_they_take_a_byte_each_however_far_apart_they_are() -> None:
    kept = OfFew(lasting(np.array([0, 2**62])), Narrow.of(np.arange(1_000) % 2).lasting())
    assert isinstance(kept.few, LastingArray)
    assert kept.few.nbytes + kept.which.nbytes == 2 * 8 + 1_000
