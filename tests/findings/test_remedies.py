from dataclasses import replace

import pytest

from limen.findings import CAUSES, REMEDIES, SYMPTOMS, Cause, diagnose
from limen.findings.output_fit import CLIMB, MISFIT
from limen.findings.remedies import fitting, remedies_for
from limen.findings.sameness import SAMENESS
from tests.findings.test_diagnose import DEEP_SIGMOID, chain


def test_after_large_steps_the_rate_is_lowered_before_units_are_revived() -> None:
    causes = (Cause("learning-rate-too-high", 0.9, ""), Cause("unscaled-inputs", 0.5, ""))
    assert remedies_for("dead-units", causes)[:2] == ("lower-learning-rate", "revive-units")


def test_remedies_of_the_likelier_cause_come_first() -> None:
    first, second = Cause("unscaled-inputs", 0.9, ""), Cause("bad-initialisation", 0.4, "")
    named = remedies_for("saturated-units", (first, second))
    assert named.index("scale-inputs") < named.index("reinitialise")


def test_an_adaptive_optimiser_is_not_to_be_changed_for_one() -> None:
    causes = (Cause("learning-rate-too-low", 0.9, ""),)
    assert "change-optimiser" in remedies_for("vanishing-gradient", causes)
    assert "change-optimiser" not in remedies_for("vanishing-gradient", causes, adaptive=True)
    slow = replace(DEEP_SIGMOID, optimiser="AdamW", layers=chain("sigmoid", 0.05, 0.58))
    named = {name for one in diagnose(slow.vitals) for name in one.remedies}
    assert "swap-activation" in named
    assert "change-optimiser" not in named


def test_every_answer_is_in_the_vocabulary_and_named_once() -> None:
    for symptom in (None, *SYMPTOMS):
        for cause in CAUSES:
            named = remedies_for(symptom, (Cause(cause, 0.5, ""),))
            assert set(named) <= set(REMEDIES)
            assert len(set(named)) == len(named)


@pytest.mark.parametrize(
    ("unit", "function", "named"),
    [
        (CLIMB, "cross-entropy", ("fix-loss",)),
        (MISFIT, "cross-entropy", ("fix-output-head",)),
        (MISFIT, "bce", ("fix-output-head", "fix-loss")),
    ],
)
def test_only_what_mends_this_form_of_a_cause_is_named(unit: str, function: str, named: tuple[str, ...]) -> None:
    vitals = DEEP_SIGMOID.vitals
    vitals = replace(vitals, losses=tuple(replace(one, function=function) for one in vitals.losses))
    finding = replace(diagnose(DEEP_SIGMOID.vitals)[0], symptom=None, unit=unit)
    remedies = remedies_for(None, (Cause("output-loss-mismatch", 0.9, ""),))
    assert fitting(remedies, finding, vitals) == named
    assert fitting(remedies, replace(finding, symptom="dead-units"), vitals) == remedies


def test_a_normalisation_does_not_tell_equal_units_apart() -> None:
    finding = replace(diagnose(DEEP_SIGMOID.vitals)[0], symptom=None, unit=SAMENESS)
    assert fitting(("reinitialise", "add-normalisation"), finding, DEEP_SIGMOID.vitals) == ("reinitialise",)
