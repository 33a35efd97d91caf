"""One training in a process of its own, which steps when told to."""

from __future__ import annotations

import contextlib
import importlib
import os
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

import torch

from benchmarks.instruments import Running
from benchmarks.peers import INSTRUMENTS
from benchmarks.ratios import Turn
from benchmarks.trainings import TRAININGS
from limen.probe import guard

__all__ = ["work"]

importlib.import_module("torch._dynamo")  # a second, which the first optimiser would take in each process
LONGEST_STEP = 2.0  # seconds; an instrument as slow as that needs no second step to warm up

A = TypeVar("A")


class Waiting:
    """The time for which this process has waited for its turn: to limen, no time must seem to pass in it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._clock = time.perf_counter

    def clock(self) -> float:
        return self._clock() - self.seconds

    def during(self, wait: Callable[[], A]) -> A:
        begin = self._clock()
        answer = wait()
        self.seconds += self._clock() - begin
        return answer


def work(pipe: Connection, training: str, mode: str, threads: int, device: str, warm_up: int) -> None:
    """Answer every number of steps that comes through ``pipe`` with a `Turn`; or once, with why there can be none."""
    warnings.simplefilter("ignore")
    with open(os.devnull, "w") as silence, contextlib.redirect_stdout(silence):
        try:
            torch.set_num_threads(threads)
            torch.manual_seed(0)
            waiting = Waiting()
            time.monotonic = guard.clock = waiting.clock  # this process is limen's alone
            with INSTRUMENTS[mode](TRAININGS[training](device)) as running:
                pipe.send(settled(running, warm_up, device))
                while True:
                    pipe.send(turn(running, waiting.during(pipe.recv), device))
        except EOFError:
            return
        except Exception as error:  # that of a peer is a line in the table
            pipe.send(f"{type(error).__name__}: {error}")


def settled(running: Running, warm_up: int, device: str) -> Turn:
    """The last step of the warm-up."""
    made = turn(running, min(warm_up, 1), device)
    for _ in range(warm_up - 1):
        if made.wall < LONGEST_STEP:
            made = turn(running, 1, device)
    if warm_up:
        running.settle()
    return made


def turn(running: Running, steps: int, device: str) -> Turn:
    synchronise(device)
    before = running.inside() if running.inside is not None else 0.0
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(steps):
        running.step()
    synchronise(device)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Turn(steps, wall, cpu, running.inside() - before if running.inside is not None else None)


def synchronise(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()
