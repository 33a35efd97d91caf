"""The results that the page of numerics is made of: complete, and what the page promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.numerics import CASES, TORCH, TYPES

ROWS = json.loads((Path(__file__).parents[2] / "benchmarks" / "results" / "numerics.json").read_text())["rows"]
CASES_MEASURED = [row for row in ROWS if "input" in row]
WORST = [row for row in ROWS if "input" not in row]


def test_every_case_in_which_torch_loses_most_is_measured() -> None:
    found = {(row["function"], row["what"], row["type"]) for row in CASES_MEASURED}
    assert found == {(name, what, kind) for name, what, kind, _ in CASES}
    for row in CASES_MEASURED:
        assert row["limen"] == pytest.approx(row["truth"], rel=2.0**-24 if row["type"] == "float32" else 2.0**-52)


@pytest.mark.parametrize("kind", TYPES)
def test_limen_and_torch_stand_side_by_side_for_each_function(kind: str) -> None:
    asked = ("value", "slope", "curvature") if kind in ("float32", "float64") else ("value", "slope")
    found = {(row["function"], row["what"]) for row in WORST if row["type"] == kind and row["torch"] is not None}
    refused = {("hardsigmoid", "curvature")}
    assert found | refused >= {(name, what) for name in TORCH for what in asked}


ROUNDED = [row for row in WORST if row["type"] != "float64"]


@pytest.mark.parametrize("name", sorted({row["function"] for row in ROUNDED}))
def test_what_is_rounded_once_is_the_number_next_to_the_truth(name: str) -> None:
    for row in (row for row in ROUNDED if row["function"] == name):
        assert row["limen"] <= 0.5 + 1e-6, row
        assert row["limen_wrong"] == 0, row
