"""One training in a process of its own, which steps when told to: ``python -m benchmarks.worker MODEL MODE THREADS``.

Reads lines from stdin: a number of steps to make. Answers each with one line of JSON: the seconds they took (``wall``
and ``cpu``, all threads), and what limen says it took of all steps so far.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Generator

import torch

import limen.probe.probe as probe
from benchmarks.trainings import TRAININGS, Training
from limen.probe.budget import DENSE_STEPS
from limen.watch import Watch

BUDGETS = {"every-step": None, "default": 0.01}
WARM_UP = 3  # steps; the first ones also make the optimiser's state and find the sites


class Waiting:
    """The time for which this process has waited for its turn: to limen, no time must seem to pass in it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> float:
        return time.perf_counter() - self.seconds

    def turns(self) -> Generator[int]:
        """The numbers of steps that are asked for."""
        while True:
            begin = time.perf_counter()
            line = sys.stdin.readline()
            self.seconds += time.perf_counter() - begin
            if not line:
                return
            yield int(line)


@contextlib.contextmanager
def watching(training: Training, mode: str) -> Generator[Watch | None]:
    """Watch the training as ``mode`` says, with no seconds free of charge: they would hide the share."""
    if mode == "bare":
        yield None
        return
    with Watch((training.model,), budget=BUDGETS[mode], allowance=0.0) as watch:
        yield watch


def settle(training: Training, watch: Watch | None, mode: str) -> None:
    """Make the first steps, which are always looked at, and strike their debt.

    To earn it back would take the transformer a minute in which nothing is looked at; what is measured here is the
    state after that, when the share alone decides.
    """
    budget = BUDGETS.get(mode)
    for _ in range(WARM_UP if budget is None else DENSE_STEPS + WARM_UP):
        training.step()
    if watch is not None and budget is not None:
        watch._budget.spent = budget * watch.run.seconds  # pyright: ignore[reportPrivateUsage]


def main() -> None:
    model, mode, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    training = TRAININGS[model]()
    waiting = Waiting()
    probe.clock = waiting.clock
    with watching(training, mode) as watch:
        settle(training, watch, mode)
        print(json.dumps({"ready": True}), flush=True)
        for steps in waiting.turns():
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in range(steps):
                training.step()
            answer = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
            answer["overhead"] = watch.run.overhead if watch is not None else 0.0
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
