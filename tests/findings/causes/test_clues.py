"""How sure evidence makes a cause: against counting all the ways in which it may be wrong."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.findings.causes.clues import LEFT, Clue, Doubt, confidence, doubted, explained_away, inferred
from limen.findings.finding import Cause

PAGE = Path(__file__).parents[3] / "docs" / "causes.md"
shares = st.floats(0.0, 1.0)
ROUNDED = 0.00051  # half of the last digit, and what float64 adds


@given(weights=st.lists(shares, max_size=6), factors=st.lists(shares, max_size=3))
def test_it_is_the_chance_that_some_clue_is_right_and_no_doubt_is(weights: list[float], factors: list[float]) -> None:
    some_right = 0.0
    for right in itertools.product([True, False], repeat=len(weights)):
        chance = 1.0
        for yes, weight in zip(right, weights, strict=True):
            chance *= weight if yes else 1.0 - weight
        some_right += chance * any(right)
    for factor in factors:
        some_right *= factor
    found = confidence([Clue("a", weight) for weight in weights], [Doubt("d", factor) for factor in factors])
    assert found == pytest.approx(some_right, abs=ROUNDED)


@given(weights=st.lists(shares, max_size=6), more=shares, factor=shares)
def test_a_clue_never_makes_it_less_sure_and_a_doubt_never_more(
    weights: list[float], more: float, factor: float
) -> None:
    clues = [Clue("a", weight) for weight in weights]
    sure = confidence(clues)
    assert confidence([*clues, Clue("b", more)]) >= sure
    assert confidence(clues, [Doubt("d", factor)]) <= sure
    assert confidence(list(reversed(clues))) == pytest.approx(sure, abs=ROUNDED)


def test_the_evidence_is_made_of_the_words_of_the_clues_that_were_seen() -> None:
    clues = [Clue("a", 0.5, "step 3 moved a"), Clue("b", 0.0, "nothing"), Clue("c", 0.4, "the loss jumped")]
    assert inferred("bad-bias", clues) == Cause("bad-bias", 0.7, "Step 3 moved a; the loss jumped.")


@pytest.mark.parametrize(
    ("clues", "doubts", "faint"),
    [
        ([], [], 0.0),
        ([Clue("a", 0.0, "x")], [], 0.0),
        ([Clue("a", 0.9, "x")], [Doubt("d", 0.0)], 0.0),
        ([Clue("a", 0.9, "x")], [Doubt("d", float("nan"))], 0.0),
        ([Clue("a", float("nan"), "x")], [], 0.0),
        ([Clue("a", 0.24, "x")], [], 0.25),
    ],
)
def test_what_nothing_speaks_for_is_no_cause(clues: list[Clue], doubts: list[Doubt], faint: float) -> None:
    assert inferred("bad-bias", clues, doubts, faint=faint) is None


def test_a_certain_cause_leaves_half_of_any_other() -> None:
    assert explained_away(1.0).factor == LEFT == 0.5
    assert explained_away(0.0).factor == 1.0
    assert doubted(Cause("bad-bias", 0.9, "x"), [explained_away(1.0)]).confidence == 0.45


def test_the_numbers_of_the_worked_example_are_those_of_the_formula() -> None:
    """The table of clues and doubts on the page, through the functions that the page is about."""
    page = PAGE.read_text()
    clues = [
        Clue(name, float(weight)) for name, weight in re.findall(r"^\| `([\w-]+)` \| for \| ([\d.]+) \|", page, re.M)
    ]
    doubts = [Doubt(name, float(f)) for name, f in re.findall(r"^\| `([\w-]+)` \| against \| ([\d.]+) \|", page, re.M)]
    assert len(clues) >= 2
    assert doubts
    told = re.search(r"\*\*(0\.\d+)\*\* for `learning-rate-too-high`", page)
    assert told is not None
    assert confidence(clues, doubts) == float(told[1])
    beside = re.search(r"seen with confidence (0\.\d+) .*leaves \*\*(0\.\d+)\*\*", page)
    assert beside is not None
    cause = Cause("learning-rate-too-high", confidence(clues, doubts), "x")
    assert doubted(cause, [explained_away(float(beside[1]))]).confidence == float(beside[2])
