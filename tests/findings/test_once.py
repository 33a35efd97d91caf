"""An answer that is worked out once is the same answer, and dies with what was asked about."""

from __future__ import annotations

import pickle
from dataclasses import replace

from limen.findings import diagnose
from limen.findings.once import once
from limen.vitals import Vitals
from tests.findings.patients import Patient


def test_a_question_is_worked_out_once_for_each_value_and_each_way_to_ask() -> None:
    asked: list[tuple[int, int, int]] = []

    @once
    def total(vitals: Vitals, more: int, *, times: int = 1) -> int:
        asked.append((vitals.step, more, times))
        return times * (vitals.step + more)

    one, other = Vitals(step=1), Vitals(step=2)
    assert [total(one, 1), total(one, 1), total(one, 2), total(one, 1, times=3), total(other, 1)] == [2, 2, 3, 6, 3]
    assert asked == [(1, 1, 1), (1, 2, 1), (1, 1, 3), (2, 1, 1)]


def test_a_changed_copy_is_asked_anew() -> None:
    @once
    def steps(vitals: Vitals) -> int:
        return vitals.step

    vitals = Vitals(step=1)
    assert (steps(vitals), steps(replace(vitals, step=5))) == (1, 5)


def test_none_is_an_answer_too() -> None:
    asked: list[int] = []

    @once
    def nothing(vitals: Vitals) -> None:
        asked.append(vitals.step)

    vitals = Vitals()
    assert (nothing(vitals), nothing(vitals), len(asked)) == (None, None, 1)


def test_vitals_can_be_pickled_after_a_diagnosis() -> None:
    vitals = Patient().vitals
    found = diagnose(vitals)
    assert diagnose(pickle.loads(pickle.dumps(vitals))) == found


def test_a_second_diagnosis_of_the_same_vitals_says_the_same() -> None:
    vitals = Patient().vitals
    assert diagnose(vitals) == diagnose(vitals) == diagnose(Patient().vitals)
