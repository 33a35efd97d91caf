"""Fields without arrays are read as arrays, and hold what they were given."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from limen.lasting import Stretch
from limen.vitals import Activity, Column, Histogram, Moments, Narrow, narrow_in
from limen.vitals.fields import lasting, made_when_read

TABLE = np.array([(1, 0.5), (2, 0.25), (3, 0.125)], [("step", "i8"), ("value", "f8")])


@made_when_read("numbers")
@dataclass(frozen=True, eq=False)
class Held:
    name: str
    numbers: npt.NDArray[Any]


def held(numbers: object) -> Held:
    return Held("a", cast("npt.NDArray[Any]", numbers))


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (np.array([0.5, 0.25]), [0.5, 0.25]),
        (lasting(np.array([0.5, 0.25])), [0.5, 0.25]),
        (Column(TABLE, "value", 2), [0.5, 0.25]),
        (Column(TABLE, "step", 3), [1, 2, 3]),
        (Column(TABLE, "step", 0), []),
    ],
    ids=["array", "stretch", "column", "whole", "none"],
)
@pytest.mark.parametrize(
    "again",
    [lambda one: one, copy.deepcopy, lambda one: replace(one, name="b"), lambda one: pickle.loads(pickle.dumps(one))],
    ids=["itself", "deepcopy", "replace", "pickle"],
)
def test_a_field_gives_an_array_of_what_it_was_given(
    numbers: object, expected: list[float], again: Callable[[Held], Held]
) -> None:
    read = again(held(numbers)).numbers
    assert isinstance(read, np.ndarray)
    assert read.tolist() == expected


def test_a_column_keeps_its_length_when_the_table_goes_on() -> None:
    table = TABLE.copy()
    column = Column(table, "value", 2)
    table[2] = (9, 9.0)
    assert column.numbers().tolist() == [0.5, 0.25]
    with pytest.raises(ValueError, match="read-only"):
        column.numbers()[0] = 1.0


def test_a_field_that_is_not_given_is_missed() -> None:
    with pytest.raises(TypeError, match="numbers"):
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
    assert isinstance(narrow_in(seen, "right").above, Stretch)
    assert seen.lasting() is seen


def test_what_is_narrow_lasts_as_such() -> None:
    narrow = Narrow.of(np.array([1_000, 1_255, 1_003]))
    assert narrow.lasting().numbers().tolist() == [1_000, 1_255, 1_003]
    assert narrow.lasting().nbytes == narrow.nbytes == 3
    assert narrow.lasting().lasting().numbers().tolist() == [1_000, 1_255, 1_003]
    assert (narrow.lasting() + narrow).numbers().tolist() == [2_000, 2_510, 2_006]
