"""A copy of a process finds what a Python of its own finds."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.cli.warm import run_module
from ward.cases import case
from ward.running import ROOT, cold

CASE = "mlp iris tanh · b0"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a process need a Unix")
def test_a_copy_and_a_new_process_find_the_same(tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    options = ("--warm", "--jobs", "1", "--save", str(tmp_path / "found.json"), "--only", CASE)
    code, _, err = run_module("ward", *options, folder=ROOT, environment=environment)
    assert code == 0, err
    (copied,) = json.loads((tmp_path / "found.json").read_text())["outcomes"]
    (started,) = cold([case(CASE)], 1)
    expected = json.loads(json.dumps(asdict(started)))
    assert started.error == ""
    assert started.steps == case(CASE).recipe.steps
    assert copied | {"seconds": 0} == expected | {"seconds": 0}
