"""Runs the ward: ``make ward``, or ``python -m ward --help``."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from ward.cases import Case, cases, digest
from ward.outcome import Outcome, outcome
from ward.score import score

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "ward.json"
LONGEST = 300  # seconds that one case may take


def run(case: Case) -> Outcome:
    """One case under ``limen run`` in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        files = ("--json", str(result), "--report", os.devnull, "--journal", str(Path(folder) / "run.limen"))
        command = (sys.executable, "-m", "limen", "run", "--quiet", *files, "-m", "ward.train", case.name)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        begun = time.perf_counter()
        try:
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST)
        except subprocess.TimeoutExpired:
            return outcome(case, None, time.perf_counter() - begun, f"took longer than {LONGEST} s")
        seconds = time.perf_counter() - begun
        if not result.exists():
            return outcome(case, None, seconds, done.stderr[-600:])
        return outcome(case, json.loads(result.read_text()), seconds)


def chosen(arguments: argparse.Namespace) -> list[Case]:
    """The cases that were asked for."""
    found = [case for case in cases().values() if arguments.half in ("both", case.half)]
    if arguments.kind != "both":
        found = [case for case in found if (case.fault is not None) == (arguments.kind == "sick")]
    if arguments.only:
        found = [case for case in found if any(part in case.name for part in arguments.only)]
    if arguments.sample:
        found = sorted(found, key=lambda case: digest(case.name))[: arguments.sample]
    return found


def told(one: Outcome) -> str:
    """A line on an outcome that is not what it should be; empty for one that is."""
    if one.error:
        return f"FAILED       {one.case}: {one.error.strip().splitlines()[-1]}"
    if one.fault is None:
        return f"false alarm  {one.case}: {', '.join(one.alarms)}" if one.alarms else ""
    if not one.found:
        return f"missed       {one.case}: {', '.join(one.alarms) or 'nothing said'}"
    if one.right != 1:
        return f"cause        {one.case}: {', '.join(one.causes) or 'none'}"
    return ""


def show(outcomes: Sequence[Outcome]) -> None:
    """All figures, of both halves and of each fault."""
    for half in ("tuning", "scored"):
        found = score([one for one in outcomes if one.half == half])
        print(f"\n{half} half")
        print(f"  recall        {found.recall}")
        print(f"  false alarms  {found.false_alarms}")
        print(f"  cause first   {found.first}")
        print(f"  among three   {found.third}")
        print(f"  told at       {100 * found.step:.1f} % of the run (median)")
        print(f"  no result     {found.failed}")
    print(f"\n{'fault':<40} {'found':>8} {'cause':>8} {'in three':>8}")
    for fault in dict.fromkeys(one.fault for one in outcomes if one.fault):
        found = score([one for one in outcomes if one.fault == fault])
        shares = (found.recall, found.first, found.third)
        print(f"{fault:<40} " + " ".join(f"{one.count:>5}/{one.of:<2}" for one in shares))


def main() -> None:
    """Run what was asked for, tell what went wrong, and show the figures."""
    parser = argparse.ArgumentParser(prog="python -m ward", description=__doc__)
    parser.add_argument("--half", choices=("tuning", "scored", "both"), default="both")
    parser.add_argument("--kind", choices=("sick", "sound", "both"), default="both")
    parser.add_argument("--only", nargs="*", metavar="TEXT", help="cases whose name holds one of these")
    parser.add_argument("--sample", type=int, metavar="N", help="N of them, the same each time")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--save", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    arguments = parser.parse_args()
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for one in pool.map(run, chosen(arguments)):
            outcomes.append(one)
            if line := told(one):
                print(line, flush=True)
    show(outcomes)
    if arguments.save:
        RESULTS.write_text(json.dumps([asdict(one) for one in outcomes], indent=1) + "\n")


if __name__ == "__main__":
    main()
