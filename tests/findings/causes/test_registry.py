"""Causes that are seen by themselves: entered once, told with what follows from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from limen.findings import Finding, diagnose
from limen.findings.causes import EXPLANATIONS, FACTS, Fact, cause, fact, ranked
from limen.findings.finding import Cause
from limen.findings.grouping import group
from limen.findings.thresholds import Thresholds
from limen.vitals import Vitals

LIMITS = Thresholds()
SEEN = Finding(
    symptom=None,
    severity="warning",
    where="model",
    layer=None,
    units=(),
    step=1,
    measured=1.0,
    limit=0.5,
    unit="steps",
    confidence=0.8,
    causes=(Cause("missing-zero-grad", 0.8, "Seen."),),
    remedies=(),
    message="Seen.",
)
SYMPTOM = replace(SEEN, symptom="not-learning", causes=(), severity="error")


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fact, and one other explanation of the same symptom."""

    def sight(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
        yield SEEN

    def explained(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
        return Cause("bad-bias", 0.9, "Guessed.")

    monkeypatch.setattr(
        "limen.findings.causes.registry.FACTS", {"missing-zero-grad": Fact(sight, frozenset({"not-learning"}))}
    )
    monkeypatch.setattr("limen.findings.causes.registry.EXPLANATIONS", {"bad-bias": explained})


@pytest.mark.usefixtures("registered")
def test_a_fact_explains_away_half_of_what_speaks_for_another_cause() -> None:
    found = ranked(Vitals(), SYMPTOM, LIMITS, [SEEN])
    assert [(one.name, one.confidence) for one in found] == [
        ("missing-zero-grad", 0.8),
        ("bad-bias", pytest.approx(0.9 * (1 - 0.8 / 2))),
    ]


@pytest.mark.usefixtures("registered")
def test_a_fact_says_nothing_of_symptoms_that_do_not_follow_from_it() -> None:
    found = ranked(Vitals(), replace(SYMPTOM, symptom="dead-units"), LIMITS, [SEEN])
    assert [(one.name, one.confidence) for one in found] == [("bad-bias", 0.9)]


@pytest.mark.usefixtures("registered")
def test_a_fact_is_a_finding_of_its_own_with_remedies() -> None:
    (found,) = diagnose(Vitals())
    assert (found.symptom, found.name, found.severity) == (None, "missing-zero-grad", "warning")


def test_what_follows_from_a_fact_is_its_consequence_and_makes_it_as_severe() -> None:
    (found,) = group([SEEN, replace(SYMPTOM, causes=SEEN.causes)])
    assert (found.root, [one.symptom for one in found.consequences]) == (SEEN, ["not-learning"])
    assert found.severity == "error"


@pytest.mark.parametrize("name", ["no-such-cause", "not-learning"])
def test_only_causes_are_entered(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        cause(name)
    with pytest.raises(ValueError, match=name):
        fact(name, explains=())


def test_a_fact_explains_symptoms_only() -> None:
    with pytest.raises(ValueError, match="symptoms"):
        fact("missing-zero-grad", explains={"bad-bias"})


def test_all_that_is_entered_is_in_the_vocabulary() -> None:
    assert all(one.explains for one in FACTS.values())
    assert EXPLANATIONS


@pytest.mark.parametrize("name", [*EXPLANATIONS, *FACTS])
def test_a_cause_has_its_name_in_its_file_and_in_its_functions(name: str) -> None:
    plain = name.replace("-", "_")
    both = name in EXPLANATIONS and name in FACTS
    checks = {plain: EXPLANATIONS[name]} if name in EXPLANATIONS else {}
    sight = {f"{plain}_seen" if both else plain: FACTS[name].sight} if name in FACTS else {}
    for wanted, check in (checks | sight).items():
        assert (check.__name__, check.__module__.rpartition(".")[2]) == (wanted, plain)
