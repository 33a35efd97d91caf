"""What ``limen run`` adds to a program before its first line and after its last: ``make bench-start``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ratios import Quartiles, quartiles
from benchmarks.record import RESULTS, save
from benchmarks.tables import show

SCRIPT = "import time, torch\nprint(time.time())\n"
LIMEN = "run", "--report", "report.html", "--json", "report.json"


@dataclass(frozen=True)
class Row:
    """Seconds, of programs started in turn; what comes after the last line holds the reports."""

    before_plain: Quartiles
    before_added: Quartiles
    after_added: Quartiles


def run(arguments: list[str], folder: str) -> tuple[float, float]:
    """Seconds from the start of a program to the first line after ``import torch``, and from there to its end."""
    begin = time.time()
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    end = time.time()
    if done.returncode:
        raise SystemExit(f"benchmarks: {' '.join(arguments)} failed:\n{done.stderr}")
    first = float(done.stdout.split()[0])
    return first - begin, end - first


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what starting under limen costs.")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--output", type=Path, default=RESULTS / "starting.json")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "script.py").write_text(SCRIPT, encoding="utf-8")
        pairs = [
            (run(["script.py"], folder), run(["-m", "limen", *LIMEN, "script.py"], folder))
            for _ in range(options.pairs + 1)
        ][1:]  # the first one reads the files into memory
    row = Row(
        quartiles([plain[0] for plain, _ in pairs]),
        quartiles([watched[0] - plain[0] for plain, watched in pairs]),
        quartiles([watched[1] - plain[1] for plain, watched in pairs]),
    )
    lines = [
        (title, f"{middle:.2f} ({low:.2f} to {high:.2f})")
        for title, (low, middle, high) in [
            ("plain python, to the line after import torch", row.before_plain),
            ("limen run adds before it", row.before_added),
            ("limen run adds at the end", row.after_added),
        ]
    ]
    show("start of a program", ("", "seconds (quartiles)"), lines)
    save(options.output, [row])
    print(f"written: {options.output}")


if __name__ == "__main__":
    main()
