"""Runs cases under ``limen run``, each in a process of its own."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

from limen.cli.app import main
from limen.journal import read
from ward.cases import Case
from ward.outcome import Outcome, outcome
from ward.peers import said_by_peers

__all__ = ["RESULTS", "ROOT", "cold", "warm"]

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "ward.json"
LONGEST = 300  # seconds that one case may take
IMPORTED = ("limen.watch", "limen.report", "torch._dynamo", "ward.gan", "ward.trained")
"""What every copy needs, as the first step of any optimiser; not ``ward.train``, which limen runs as a program."""


def options(case: Case, folder: Path) -> tuple[str, ...]:
    """What ``limen`` is called with."""
    files = ("--json", str(folder / "result.json"), "--report", os.devnull, "--journal", str(folder / "run.limen"))
    return ("run", "--quiet", *files, "-m", "ward.train", case.name)


def collected(case: Case, folder: Path, seconds: float, error: str) -> Outcome:
    """The outcome of a case from the files that its process left."""
    result = folder / "result.json"
    if not result.exists():
        return outcome(case, None, seconds, error=error)
    peers = said_by_peers(read(folder / "run.limen").vitals)
    return outcome(case, json.loads(result.read_text()), seconds, peers=peers)


def cold(cases: Sequence[Case], jobs: int) -> Iterator[Outcome]:
    """Each in a Python that is started for it, as a user's ``limen run``."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(started, cases)


def started(case: Case) -> Outcome:
    with tempfile.TemporaryDirectory() as name:
        command = (sys.executable, "-m", "limen", *options(case, Path(name)))
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        begun = time.perf_counter()
        try:
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST)
        except subprocess.TimeoutExpired:
            return outcome(case, None, time.perf_counter() - begun, error=f"took longer than {LONGEST} s")
        return collected(case, Path(name), time.perf_counter() - begun, done.stderr[-600:])


def warm(cases: Sequence[Case], jobs: int) -> Iterator[Outcome]:
    """Each in a copy of this process, which has imported everything: the same findings in a third of the time.

    In the order in which they end. Needs a Unix, ``OMP_NUM_THREADS=1`` from the start and no other threads.
    """
    for name in IMPORTED:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as name:
        running: dict[int, tuple[Case, Path, float]] = {}
        for number, case in enumerate(cases):
            if len(running) == jobs:
                yield ended(running)
            folder = Path(name) / str(number)
            folder.mkdir()
            (folder / "printed").touch()
            sys.stdout.flush()
            child = os.fork()
            if child == 0:
                forked(case, folder)
            running[child] = (case, folder, time.perf_counter())
        while running:
            yield ended(running)


def ended(running: dict[int, tuple[Case, Path, float]]) -> Outcome:
    """Wait for any of the copies."""
    child, _ = os.wait()
    case, folder, begun = running.pop(child)
    return collected(case, folder, time.perf_counter() - begun, (folder / "printed").read_text()[-600:])


def forked(case: Case, folder: Path) -> NoReturn:
    """In a copy: become ``limen run``, and leave without what the original would do at its end."""
    code = 1
    try:
        printed = os.open(folder / "printed", os.O_WRONLY)
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        signal.alarm(LONGEST)
        os.chdir(ROOT)
        sys.argv[:] = ["limen", *options(case, folder)]
        main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
