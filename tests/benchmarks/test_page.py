"""What watching costs, as the page and the README say it: the figures that were measured, and no others."""

from __future__ import annotations

import json

import pytest

from benchmarks.page import PAGE, README, WAYS, cost, noise, page, renewed, shown
from benchmarks.record import RESULTS


def test_the_page_and_the_readme_say_what_was_measured() -> None:
    assert PAGE.read_text() == page()
    assert README.read_text() == renewed(README.read_text())


def test_the_page_has_each_model_and_each_way_of_watching() -> None:
    text = page()
    for row in json.loads((RESULTS / "watching.json").read_text())["rows"]:
        assert f"{row['model']}, {row['step_ms'][1]:.0f} ms" in text
        for way, measured in row["cost"].items():
            assert f"| {WAYS[way]} |" in text
            assert f" {shown(measured, way, own=True)} |" in text


@pytest.mark.parametrize(
    ("ratio", "said"), [(1.0272, "+2.7"), (0.9987, "-0.1"), (1.487, "+49"), (452.04, "+45,104"), (1.0, "+0.0")]
)
def test_a_ratio_is_said_in_per_cent(ratio: float, said: str) -> None:
    assert cost({"ratio": [0.0, ratio, 9.0], "inside": None}, own=True) == said


def test_what_did_not_run_has_no_figure() -> None:
    assert cost(None, own=True) == "–"


def test_noise_is_told_by_its_quartiles() -> None:
    assert noise({"ratio": [0.985, 1.001, 1.0131]}) == "-1.5 to +1.3"
