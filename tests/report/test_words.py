import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.findings import CAUSES, SYMPTOMS, Cause
from limen.findings.output_fit import CLIMB, MISFIT
from limen.report.numbers import number, percent, printable
from limen.report.words import FACTS, PHRASES, REASONS, bounds, evidence, phrase, unit_list
from tests.report.runs import sick


@given(st.sets(st.integers(0, 300), min_size=1, max_size=60))
def test_unit_ranges_spell_exactly_the_units(units: set[int]) -> None:
    written = unit_list(list(units), None, most=100)
    ranges, many = re.fullmatch(r"(.*) \((\d+)\)", written).groups()
    spelled: set[int] = set()
    for part in ranges.split(", "):
        first, _, last = part.partition("–")
        spelled |= set(range(int(first), int(last or first) + 1))
    assert (spelled, int(many)) == (units, len(units))


def test_a_long_list_of_units_is_cut_and_says_how_many_there_are() -> None:
    assert unit_list([3, 7, 8, 9, 10, 11, 12, *range(40, 128, 2)], 128, most=3) == "3, 7–12, 40 … (51 of 128)"


@given(st.floats(0, 1))
def test_only_all_is_a_hundred_percent_and_only_none_is_zero(share: float) -> None:
    assert (percent(share) == "100 %") == (share == 1)
    assert (percent(share) == "0 %") == (share == 0)


@given(st.floats(0.002, 0.998))
def test_a_percentage_is_within_rounding_of_the_share(share: float) -> None:
    assert abs(float(percent(share).removesuffix(" %")) - 100 * share) <= 0.5 + 1e-9


@given(st.floats(-1e300, 1e300))
def test_a_number_reads_back_to_three_digits_or_better_than_five_percent(value: float) -> None:
    # 1.05 is the widest rounding of two digits, 1.0e-7; below 1e7 whole numbers are exact
    assert float(number(value).replace(",", "")) == pytest.approx(value, rel=0.05)


@given(st.text())
def test_printable_text_is_one_line_that_no_terminal_obeys(text: str) -> None:
    assert all(c.isprintable() for c in printable(text))


def test_each_symptom_and_cause_has_its_words() -> None:
    assert set(PHRASES) == set(SYMPTOMS)
    assert set(REASONS) == set(CAUSES)


def test_a_finding_without_a_symptom_is_named_after_its_cause() -> None:
    run = sick()
    finding = replace(run.findings[0], symptom=None, units=())
    assert phrase(run, finding) == "the learning rate is too high"
    assert phrase(run, replace(finding, closed=61)) == "the learning rate was too high"
    assert phrase(run, replace(finding, causes=(Cause("bad-bias", 0.9, ""),))) == "bad bias at relu1"


@pytest.mark.parametrize(
    ("unit", "words"), [(CLIMB, "the loss is climbed, not descended"), (MISFIT, "the output does not fit the loss")]
)
def test_the_forms_of_a_cause_are_told_apart(unit: str, words: str) -> None:
    run = sick()
    cause = Cause("output-loss-mismatch", 0.9, "")
    assert phrase(run, replace(run.findings[0], symptom=None, units=(), unit=unit, causes=(cause,))) == words


def test_what_is_said_of_a_cause_is_of_one_that_there_is() -> None:
    assert set(FACTS) <= {*CAUSES, CLIMB, MISFIT}


def test_one_unit_is_dead_and_two_are() -> None:
    run = sick()
    one, two = (replace(run.findings[0], units=units) for units in ((3,), (3, 4)))
    assert phrase(run, one) == "1 of 128 units of relu1 is dead"
    assert phrase(run, two) == "2 of 128 units of relu1 are dead"


def test_what_is_over_is_told_in_the_past() -> None:
    run = sick()
    assert phrase(run, run.findings[2]) == "units of relu3 were dying"
    assert phrase(run, replace(run.findings[0], closed=61, units=(3,))) == "1 of 128 units of relu1 was dead"


def test_several_places_are_told_together() -> None:
    run = sick()
    assert phrase(run, *run.findings[:2]) == "108 of 256 units of relu1 and relu2 are dead"
    many = [replace(run.findings[0], where=f"relu{i}", units=()) for i in range(1, 6)]
    assert phrase(run, *many) == "units of relu1, relu2, relu3 and 2 more are dead"


@pytest.mark.parametrize(
    ("said", "more"),
    [
        ("It is so.", ""),
        ("It is so; they hold half.", "They hold half."),
        ("It is something else.", "It is something else."),
        ("", ""),
    ],
    ids=["the same", "more", "else", "nothing"],
)
def test_what_was_said_is_not_said_again(said: str, more: str) -> None:
    finding = replace(sick().findings[0], message="It is so.")
    assert evidence(Cause("bad-bias", 0.9, said), finding) == more


def test_what_is_so_or_is_not_has_no_figure() -> None:
    assert bounds(replace(sick().findings[0], unit="outputs that do not fit", measured=1.0, limit=0.0)) == ""
    assert "limit 0" in bounds(replace(sick().findings[0], unit="values", measured=1.0, limit=0.0))
