"""Thirty sick and thirty sound trainings of the half that rules may be tuned on, each under ``limen run``.

The whole ward is `make ward`; this is what a change must not break. The cases are the first by their hash among those
that take about a second and whose data is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
OF_EACH = 30
LARGEST_MISS = 0.1
"""Share of the sick ones of which nothing fitting may be said; the figures of the whole ward are in its results."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a process need a Unix")


def ward(kind: str, folder: Path) -> list[dict[str, Any]]:
    """The outcomes of a part of the ward, one case after another in one process and its copies."""
    saved = folder / f"{kind}.json"
    what = ("--half", "tuning", "--kind", kind, "--quick", "--sample", str(OF_EACH))
    command = (sys.executable, "-m", "ward", "--warm", "--jobs", "1", *what, "--save", str(saved))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(saved.read_text())["outcomes"]
    assert len(outcomes) == OF_EACH
    assert not [one["case"] for one in outcomes if one["error"]]
    return outcomes


def test_the_sound_are_left_alone(tmp_path: Path) -> None:
    assert {one["case"]: one["alarms"] for one in ward("sound", tmp_path) if one["alarms"]} == {}


def test_most_of_the_sick_are_found(tmp_path: Path) -> None:
    outcomes = ward("sick", tmp_path)
    missed = [one["case"] for one in outcomes if not one["found"]]
    assert len(missed) <= LARGEST_MISS * len(outcomes), missed
