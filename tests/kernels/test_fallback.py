"""Where there is no compiler torch operations serve: the tests of the probe hold for them too."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROVEN = ["test_site_record.py", "test_probe.py", "test_fuzz.py", "test_bad_input.py"]
NOT_OF_NUMBERS = "not every_site_is_found and not nothing_is_left_behind"


def test_the_probe_is_right_without_the_compiled_kernels() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", NOT_OF_NUMBERS]
    files = [str(ROOT / "tests" / "probe" / name) for name in PROVEN]
    environment = {**os.environ, "LIMEN_KERNELS": "torch", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, *files], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:]
