"""Fields without arrays are read as arrays, and hold what they were given."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from limen.lasting import LastingArray
from limen.vitals import Activity, Histogram, Moments, Narrow, Table, narrow_in
from limen.vitals.fields import held_in, lasting, made_when_read, shortest

ROWS = np.array([(1, 0.5), (2, 0.25), (3, 0.125)], [("0", "i8"), ("1", "f8")])


@made_when_read("step", "value")
@dataclass(frozen=True, eq=False)
class Held:
    name: str
    step: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]


def held(step: object, value: object) -> Held:
    return Held("a", cast("npt.NDArray[np.int64]", step), cast("npt.NDArray[np.float64]", value))


ARRAYS = np.array([1, 2]), np.array([0.5, 0.25])


@pytest.mark.parametrize(
    "given", [ARRAYS, [*map(lasting, ARRAYS)], [Table(ROWS, 2)] * 2], ids=["arrays", "lasting", "table"]
)
@pytest.mark.parametrize(
    "again",
    [lambda one: one, copy.deepcopy, lambda one: replace(one, name="b"), lambda one: pickle.loads(pickle.dumps(one))],
    ids=["itself", "deepcopy", "replace", "pickle"],
)
def test_a_field_gives_an_array_of_what_it_was_given(given: list[object], again: Callable[[Held], Held]) -> None:
    read = again(held(*given))
    assert (read.step.dtype, read.value.dtype) == (np.int64, np.float64)
    assert (read.step.tolist(), read.value.tolist()) == ([1, 2], [0.5, 0.25])


def test_what_was_read_of_a_table_does_not_change_it_nor_with_it() -> None:
    rows = ROWS.copy()
    kept = held(*[Table(rows, 2)] * 2)
    rows[2] = (9, 9.0)
    kept.value[0] = 1.0
    assert kept.value.tolist() == [0.5, 0.25]
    assert held(*[Table(rows, 0)] * 2).step.tolist() == []


@pytest.mark.parametrize("length", [0, 1, 500, 1_024])
def test_a_table_of_any_length_is_read_and_what_was_read_can_be_written_to(length: int) -> None:
    rows = np.zeros(1_024, ROWS.dtype)
    rows["1"] = np.arange(1_024) / 8
    kept = held(*[Table(rows, length)] * 2)
    read = kept.value
    assert read.tolist() == [i / 8 for i in range(length)]
    read += 1.0
    assert kept.value.tolist() == [i / 8 for i in range(length)]


def test_a_field_that_is_not_given_is_missed() -> None:
    with pytest.raises(TypeError, match="step"):
        Held("a")  # pyright: ignore[reportCallIssue]


def activity(units: int, seed: int) -> Activity:
    random = np.random.default_rng(seed)
    moments = Moments(40, random.normal(size=units), random.random(units))
    counts = random.integers(0, 41, (2, units))
    low, high = np.sort(random.normal(size=(2, units)), axis=0)
    return Activity(3, 1, 3, counts[0], counts[1], moments, low, high, 2, Histogram(np.arange(131)))


def figures(seen: Activity) -> list[object]:
    arrays = (seen.left, seen.right, seen.moments.mean, seen.moments.m2, seen.low, seen.high, seen.histogram.counts)
    return [
        seen.steps,
        seen.first_step,
        seen.last_step,
        seen.samples,
        seen.nonfinite,
        *(one.tolist() for one in arrays),
    ]


@pytest.mark.parametrize("units", [1, 7, 200])
def test_what_lasts_is_the_same_and_adds_to_the_same(units: int) -> None:
    first, second = activity(units, 1), activity(units, 2)
    assert figures(first.lasting()) == figures(first)
    assert figures(first.lasting() + second.lasting()) == figures(first + second)
    assert figures((first.lasting() + second).lasting()) == figures(first + second)


def test_what_lasts_holds_no_array_and_does_not_change_with_what_it_was_made_of() -> None:
    mean, low = np.zeros(300), np.zeros(300)
    zeros = np.zeros(300, np.int64)
    seen = Activity(1, 1, 1, zeros, np.arange(300), Moments(4, mean, mean), low, low, 0, Histogram.none()).lasting()
    mean[0] = low[0] = 5.0
    assert (seen.moments.mean[0], seen.low[0]) == (0.0, 0.0)
    fields = (*vars(seen).values(), *vars(seen.moments).values())
    assert not any(isinstance(one, np.ndarray) for one in fields)
    assert isinstance(narrow_in(seen, "right").above, LastingArray)
    assert seen.lasting() is seen


def test_what_is_narrow_lasts_as_such() -> None:
    narrow = Narrow.of(np.array([1_000, 1_255, 1_003]))
    assert narrow.lasting().numbers().tolist() == [1_000, 1_255, 1_003]
    assert narrow.lasting().nbytes == narrow.nbytes == 3
    assert narrow.lasting().lasting().numbers().tolist() == [1_000, 1_255, 1_003]
    assert (narrow.lasting() + narrow).numbers().tolist() == [2_000, 2_510, 2_006]


@pytest.mark.parametrize(
    "numbers",
    [[0.5, -3.25, -0.0, 2.0**-149], [np.inf, -np.inf, np.nan], [], [float(np.float32(0.1)), float(np.float32(3e38))]],
    ids=["short", "not finite", "none", "of float32"],
)
def test_what_float32_holds_takes_four_bytes_and_is_read_as_it_was(numbers: list[float]) -> None:
    given = np.array(numbers, np.float64)
    kept = held(lasting(np.arange(len(given))), lasting(shortest(given)))
    assert (kept.value.dtype, kept.value.tobytes()) == (np.float64, given.tobytes())
    assert held_in(kept, "value").nbytes == 4 * len(given)


@pytest.mark.parametrize("one", [0.1, 1e300, -1e300, 1 + 2**-40, 1e-300])
def test_what_it_would_round_stays_as_long_as_it_is(one: float) -> None:
    given = np.array([0.5, one])
    kept = held(lasting(np.arange(2)), lasting(shortest(given)))
    assert (kept.value.dtype, kept.value.tolist()) == (np.float64, [0.5, one])
