"""A copy of a process finds what a Python of its own finds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from ward.cases import case
from ward.running import ROOT, cold

CASE = "mlp iris tanh · b0"
PROGRAM = f"""
import json, sys
from dataclasses import asdict
from pathlib import Path
from ward.cases import case
from ward.running import warm
(found,) = warm([case({CASE!r})], 1)
Path(sys.argv[1]).write_text(json.dumps(asdict(found)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a process need a Unix")
def test_a_copy_and_a_new_process_find_the_same(tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = (sys.executable, "-c", PROGRAM, str(tmp_path / "found.json"))
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=300)
    copied = json.loads((tmp_path / "found.json").read_text())
    (started,) = cold([case(CASE)], 1)
    expected = json.loads(json.dumps(asdict(started)))
    assert started.error == ""
    assert started.steps == case(CASE).recipe.steps
    assert copied | {"seconds": 0} == expected | {"seconds": 0}
