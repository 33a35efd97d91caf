"""Thirty sick and thirty sound trainings of the half that rules may be tuned on, each under ``limen run``.

The whole ward is `make ward`; this is what a change must not break. The cases are the first by their hash among those
that take about a second and whose data is there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.warm import run_module
from ward.cases import cases
from ward.data import lacking
from ward.drawing import digest

ROOT = Path(__file__).parents[2]
OF_EACH = 30
TOGETHER = 15  # cases that one process and its copies run
MOST_MISSED = 1
"""Sick ones among so many of which nothing fitting may be said; the figures of the whole ward are in its results."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a process need a Unix")


def chosen(*, sick: bool) -> list[str]:
    """The first of their kind by hash, of the half that rules may be tuned on."""
    own = [one for one in cases().values() if one.half == "tuning" and one.is_quick and (one.fault is not None) == sick]
    ready = [one for one in own if not lacking(one.recipe.data)]
    return [one.name for one in sorted(ready, key=lambda one: digest(one.name))[:OF_EACH]]


def ward(names: list[str], folder: Path) -> list[dict[str, Any]]:
    """The outcomes of some cases, one after another in one process and its copies."""
    saved = folder / "outcomes.json"
    options = ("--warm", "--jobs", "1", "--save", str(saved), "--only", *names)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    code, _, err = run_module("ward", *options, folder=ROOT, environment=environment)
    assert code == 0, err
    outcomes = json.loads(saved.read_text())["outcomes"]
    assert {one["case"] for one in outcomes} >= set(names)
    assert not [one["case"] for one in outcomes if one["error"]]
    return outcomes


@pytest.mark.parametrize("start", range(0, OF_EACH, TOGETHER))
def test_the_sound_are_left_alone(start: int, tmp_path: Path) -> None:
    outcomes = ward(chosen(sick=False)[start : start + TOGETHER], tmp_path)
    assert {one["case"]: one["alarms"] for one in outcomes if one["alarms"]} == {}


@pytest.mark.parametrize("start", range(0, OF_EACH, TOGETHER))
def test_nearly_all_of_the_sick_are_found(start: int, tmp_path: Path) -> None:
    missed = [one["case"] for one in ward(chosen(sick=True)[start : start + TOGETHER], tmp_path) if not one["found"]]
    assert len(missed) <= MOST_MISSED, missed
