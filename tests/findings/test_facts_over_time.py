"""Causes that are seen by themselves, over a run: opened, closed, opened again, counted by --fail-on and told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from limen.cli.options import forbids
from limen.findings import Cause, Finding, track
from limen.journal import Run
from limen.report import html, plain, to_json
from tests.findings.patients import Patient

FACT = Finding(
    symptom=None,
    severity="warning",
    where="model",
    layer=None,
    units=(),
    step=1,
    measured=19.0,
    limit=0.0,
    unit="steps",
    confidence=0.95,
    causes=(Cause("missing-zero-grad", 0.95, "19 of 20 steps used a gradient that the step before had used."),),
    remedies=("fix-training-loop",),
    message="Gradients are never set back to zero: 19 of 20 steps used them twice.",
)
FLAT = replace(
    FACT,
    symptom="not-learning",
    severity="error",
    causes=FACT.causes,
    message="After 400 steps the loss has not fallen.",
)


def after(*findings: Finding) -> Run:
    return Run(script="train.py", finished=True, seconds=9.0, vitals=Patient().vitals, findings=findings)


def test_a_fact_is_known_from_the_step_it_was_told_and_stays_the_same_finding() -> None:
    first = track((), (FACT,), 20)
    then = track(first, (replace(FACT, step=5, measured=400.0),), 100)
    assert [(one.key, one.step, one.told, one.measured, one.closed) for one in then] == [
        ("missing-zero-grad @ model", 1, 20, 400.0, None)
    ]


def test_a_fact_that_is_gone_is_closed_and_opens_again() -> None:
    known = track((), (FACT,), 20)
    closed = track(known, (), 30)
    assert [one.closed for one in closed] == [30]
    assert track(closed, (), 40) == closed
    (again,) = track(closed, (FACT,), 50)
    assert (again.closed, again.told) == (None, 20)


def test_two_facts_at_one_place_are_two_findings() -> None:
    other = replace(FACT, causes=(Cause("excess-dropout", 0.9, "Nine tenths are dropped."),))
    both = track((), (FACT, other), 20)
    assert [one.closed for one in track(both, (other,), 30)] == [None, 30]


@pytest.mark.parametrize(
    ("severity", "warning", "error"), [("info", False, False), ("warning", True, False), ("error", True, True)]
)
def test_fail_on_counts_a_fact_by_its_severity_while_it_is_open(severity: str, warning: bool, error: bool) -> None:
    run = after(replace(FACT, severity=severity))  # pyright: ignore
    levels = [one.severity for one in run.open_findings]
    assert (forbids("warning", levels), forbids("error", levels)) == (warning, error)
    assert run.verdict == ("sick" if warning else "healthy")
    over = after(replace(FACT, severity=severity, closed=30))  # pyright: ignore
    assert over.verdict == "healthy"
    assert not forbids("warning", [one.severity for one in over.open_findings])


def test_reports_tell_an_open_fact_with_its_consequence_and_a_closed_one_as_healed() -> None:
    told = plain(after(FACT, FLAT))
    assert "sick: 1 error, 1 warning with one root" in told
    assert "missing-zero-grad" in told
    assert "so      After 400 steps" in told
    assert "limen explain missing-zero-grad" in told
    healed = plain(after(replace(FACT, closed=30)))
    assert "healed    missing-zero-grad at model: began at step 1, healed at step 30" in " ".join(healed.split("\n"))
    for run in (after(FACT, FLAT), after(replace(FACT, closed=30))):
        assert None in [one["symptom"] for one in to_json(run)["findings"]]  # pyright: ignore
        assert "None" not in html(run).partition("<script")[0]
