"""One training in a process of its own, which steps when told to: ``python -m benchmarks.worker MODEL MODE THREADS``.

Reads lines from stdin: a number of steps to make. Answers each with one line of JSON: the seconds they took, and what
limen says it took of all steps so far.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Generator

import torch

from benchmarks.trainings import TRAININGS, Training
from limen.watch import Watch

BUDGETS = {"every-step": None, "default": 0.01}
WARM_UP = 3  # steps; the first ones also make the optimiser's state and find the sites
SETTLED = 1.02  # the first steps are always looked at: go on until their cost has been earned back to this


@contextlib.contextmanager
def watching(training: Training, mode: str) -> Generator[Watch | None]:
    """Watch the training as ``mode`` says, with no seconds free of charge: they would hide the share."""
    if mode == "bare":
        yield None
        return
    with Watch((training.model,), budget=BUDGETS[mode], allowance=0.0) as watch:
        yield watch


def settle(training: Training, watch: Watch | None, mode: str) -> None:
    for _ in range(WARM_UP):
        training.step()
    budget = BUDGETS.get(mode)
    while watch is not None and budget is not None and watch.run.overhead > budget * SETTLED:
        for _ in range(20):
            training.step()


def main() -> None:
    model, mode, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    training = TRAININGS[model]()
    with watching(training, mode) as watch:
        settle(training, watch, mode)
        print(json.dumps({"ready": True}), flush=True)
        for line in sys.stdin:
            begin = time.perf_counter()
            for _ in range(int(line)):
                training.step()
            seconds = time.perf_counter() - begin
            overhead = watch.run.overhead if watch is not None else 0.0
            print(json.dumps({"seconds": seconds, "overhead": overhead}), flush=True)


if __name__ == "__main__":
    main()
