import json
from importlib.resources import files
from typing import Any

import pytest

from limen.findings import SYMPTOMS
from limen.report import to_json
from limen.vitals import dead_units
from tests.report import hard_runs, runs
from tests.report.schema import violations

SCHEMA = json.loads((files("limen.report") / "schema-1.json").read_text(encoding="utf-8"))
RUNS = [runs.sick, runs.healthy, runs.vanishing, runs.one_step, runs.nothing, runs.all_nan, hard_runs.hostile]


@pytest.mark.parametrize("make", RUNS)
def test_the_report_keeps_to_the_shipped_schema_in_strict_json(make) -> None:
    text = json.dumps(to_json(make()), allow_nan=False)
    assert list(violations(json.loads(text), SCHEMA, SCHEMA)) == []


@pytest.mark.parametrize(
    "path", [("verdict",), ("overhead", "share"), ("sites", 0, "path"), ("findings", 0, "causes", 0, "name")]
)
def test_the_schema_misses_what_is_left_out(path: tuple[str | int, ...]) -> None:
    report: Any = to_json(runs.sick())
    *parents, key = path
    inner = report
    for parent in parents:
        inner = inner[parent]
    del inner[key]
    assert [line for line in violations(report, SCHEMA, SCHEMA) if line.endswith(f"{key} is missing")]


def test_the_schema_notices_another_word_for_a_verdict_and_a_number_for_a_name() -> None:
    report: Any = to_json(runs.sick())
    report["verdict"] = "fine"
    report["sites"][0]["path"] = 3
    assert len(list(violations(report, SCHEMA, SCHEMA))) == 2


def test_the_keys_of_the_documentation_are_there() -> None:
    report: Any = to_json(runs.sick())
    top = {"limen", "schema", "script", "verdict", "steps", "samples", "overhead", "sites", "findings", "treatments"}
    assert top <= set(report)
    assert {"share", "budget"} <= set(report["overhead"])
    assert {"path", "function", "units"} <= set(report["sites"][0])
    assert {
        "symptom", "severity", "where", "units", "step", "measured", "limit", "unit", "confidence", "causes",
        "remedies", "message",
    } <= set(report["findings"][0])  # fmt: skip
    assert {"name", "confidence", "evidence"} <= set(report["findings"][0]["causes"][0])
    assert {"name", "where", "step", "kept", "before", "after"} <= set(report["treatments"][0])


def test_it_says_what_the_run_holds() -> None:
    run = runs.sick()
    report: Any = to_json(run)
    assert (report["verdict"], report["steps"], report["samples"]) == ("sick", 1200, 153_600)
    assert report["overhead"]["share"] == pytest.approx(0.0985 / 12.31, rel=1e-12)  # one division
    assert [site["dead"] for site in report["sites"]] == [len(dead_units(v)) for v in run.vitals.sites]
    assert report["findings"][0]["units"] == list(run.findings[0].units)
    assert {f["symptom"] for f in report["findings"]} <= set(SYMPTOMS)
    assert report["treatments"][2]["kept"] is False


def test_findings_that_hold_come_before_those_that_ended() -> None:
    report: Any = to_json(runs.sick())
    assert [finding["closed"] for finding in report["findings"]] == [None, None, 61]


def test_what_is_not_a_finite_number_is_null() -> None:
    report: Any = to_json(runs.all_nan())
    assert report["findings"][0]["measured"] is None
    assert report["sites"][0]["mean"] is None
    assert report["treatments"][0]["before"] == {"loss": None}
    assert report["overhead"]["budget"] is None
