"""The figures of the ward, against scipy and by hand."""

from __future__ import annotations

from typing import Any

import pytest
from scipy.stats import binomtest

from limen.findings import CAUSES, REMEDIES, SYMPTOMS
from ward.cases import candidates, case, cases
from ward.faults import FAULTS
from ward.outcome import outcome
from ward.score import Share, score
from ward.sound import SOUND as SOUND_TRAININGS


@pytest.mark.parametrize(("count", "of"), [(0, 10), (3, 10), (10, 10), (1, 336), (97, 100)])
def test_an_interval_is_wilsons(count: int, of: int) -> None:
    expected = binomtest(count, of).proportion_ci(0.95, method="wilson")
    assert Share(count, of).interval == pytest.approx((expected.low, expected.high), abs=1e-6)


SOUND_RECIPES = tuple(SOUND_TRAININGS.values())
SICK = next(name for name in cases() if "the signal is detached" in name)
SOUND = "mlp digits relu · b0"


def finding(symptom: str | None, step: int, causes: dict[str, float], severity: str = "error") -> dict[str, Any]:
    named = [{"name": name, "confidence": sure} for name, sure in causes.items()]
    return {"symptom": symptom, "severity": severity, "step": step, "causes": named, "remedies": ["clip-gradients"]}


def result(*findings: dict[str, Any]) -> dict[str, Any]:
    return {"findings": list(findings), "steps": 200}


def test_a_fault_is_found_by_what_it_shows_or_by_its_cause() -> None:
    shown = outcome(case(SICK), result(finding("not-learning", 40, {"bad-bias": 0.5, "no-gradient-path": 0.4})), 1.0)
    assert (shown.found, shown.right, shown.step) == (True, 2, 0.2)
    caused = outcome(case(SICK), result(finding("dead-units", 1, {"no-gradient-path": 0.4})), 1.0)
    assert (caused.found, caused.right, caused.step) == (True, 1, 0.005)


def test_the_step_at_which_it_was_said_counts_where_that_is_known() -> None:
    """A finding may hold since long before it was sure enough to be told."""
    held = finding("not-learning", 10, {"no-gradient-path": 0.4})
    assert outcome(case(SICK), result(held | {"told": 50}), 1.0).step == 0.25
    assert outcome(case(SICK), result(held | {"told": None}), 1.0).step == 0.05


def test_a_remedy_counts_where_the_alarm_fits() -> None:
    held = finding("not-learning", 10, {"no-gradient-path": 0.4})
    assert not outcome(case(SICK), result(held), 1.0).helped
    assert outcome(case(SICK), result(held | {"remedies": ["fix-training-loop"]}), 1.0).helped
    other = finding("dead-units", 10, {"bad-bias": 0.4}) | {"remedies": ["fix-training-loop"]}
    assert not outcome(case(SICK), result(other), 1.0).helped


def test_another_alarm_or_a_remark_is_no_hit() -> None:
    other = outcome(case(SICK), result(finding("dead-units", 40, {"bad-bias": 0.5})), 1.0)
    remark = outcome(case(SICK), result(finding("not-learning", 40, {"no-gradient-path": 0.5}, "info")), 1.0)
    assert not other.found
    assert not remark.found
    assert (remark.alarms, remark.causes) == ((), ())


def test_any_alarm_of_a_sound_training_is_false() -> None:
    quiet = outcome(case(SOUND), result(finding("dead-units", 40, {}, "info")), 1.0)
    loud = outcome(case(SOUND), result(finding(None, 40, {"bad-bias": 0.5}, "warning")), 1.0)
    assert (quiet.alarms, loud.alarms) == ((), ("bad-bias",))
    found = score([quiet, loud, outcome(case(SOUND), None, 1.0, error="no result")])
    assert (found.false_alarms, found.recall, found.failed) == (Share(1, 2), Share(0, 0), 1)


def test_a_fault_and_its_sound_twin_are_in_the_same_half() -> None:
    twins = {one.base: one.half for one in cases().values() if one.fault is None}
    assert all(one.half == twins[one.base] for one in cases().values())


def test_there_are_three_hundred_of_each_and_every_fault_is_among_them() -> None:
    sick = [one.fault.name for one in cases().values() if one.fault is not None]
    assert len(sick) >= 300
    assert len(cases()) - len(sick) >= 300
    assert set(sick) == {fault.name for fault in FAULTS}


def test_every_cause_of_the_vocabulary_is_made_by_some_fault() -> None:
    assert set(CAUSES) == {cause for fault in FAULTS for cause in fault.causes}


def test_what_a_fault_shows_and_what_helps_are_of_the_vocabulary() -> None:
    for fault in FAULTS:
        assert fault.symptoms <= set(SYMPTOMS), fault.name
        assert fault.remedies <= set(REMEDIES), fault.name


def test_faults_are_spread_over_the_architectures() -> None:
    """Of a mistake that can be made in any network, no two cases are of one kind while another kind has none."""
    for fault in FAULTS:
        able = {one.architecture for one in SOUND_RECIPES if fault.changes(one) is not None}
        made = [one.architecture for one in candidates(fault)][: len(able)]
        assert set(made) == able, fault.name
