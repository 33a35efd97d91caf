"""Processes that train the same model from the same seed and step in turn, so that a drift of the machine is shared."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from benchmarks.instruments import WARM_UP
from benchmarks.ratios import AGAIN, BARE, Turn, block_steps, joins
from benchmarks.worker import work

__all__ = ["DidNotRun", "Race", "Racer", "Terms", "context", "order", "prepare"]

# glibc returns large blocks to the system and faults them in again at every step; that noise is larger than what is
# measured here. These keep them.
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(4 << 30),
    "MALLOC_TOP_PAD_": str(256 << 20),
}
NEAR = BARE, AGAIN, "every-step", "default", "idle"  # next to each other in a round: small costs want close pairs
SLOW = 10.0  # blocks in a step of the warm-up, after which an instrument is asked for no more
PATIENCE = 10.0  # seconds in which a process that is told to end may do so

context = multiprocessing.get_context("forkserver")


class DidNotRun(Exception):
    """An instrument that could not be measured, and why."""


@dataclass(frozen=True)
class Terms:
    """What is raced: ``block`` is in seconds, ``generations`` is how often the processes are started anew."""

    model: str
    threads: int = 1
    device: str = "cpu"
    block: float = 0.4
    generations: int = 1
    modes: Sequence[str] = ()


def prepare(*, malloc: bool = True) -> None:
    """Have torch and the peers imported once, by the process from which all others are forked.

    Args:
        malloc: keep freed memory, for quiet timings; not where memory is what is measured.
    """
    if malloc:
        os.environ.update(MALLOC)
    context.set_forkserver_preload(["benchmarks.worker", "benchmarks.tables"])


class Racer:
    """One training in its own process.

    Attributes:
        steps: of one block.
    """

    def __init__(self, mode: str, terms: Terms, *, warm_up: int = WARM_UP) -> None:
        self.pipe, theirs = context.Pipe()
        arguments = theirs, terms.model, mode, terms.threads, terms.device, warm_up
        self.process = context.Process(target=work, args=arguments, daemon=True)
        self.process.start()
        self.steps = 1
        theirs.close()

    def ready(self) -> Turn:
        """Its last step of the warm-up."""
        return self._answer()

    def go(self) -> Turn:
        """Make the steps of one block."""
        self.pipe.send(self.steps)
        return self._answer()

    def _answer(self) -> Turn:
        try:
            answer = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            raise DidNotRun("its process ended early") from None
        if isinstance(answer, str):
            raise DidNotRun(answer)
        return answer

    def close(self) -> None:
        """It ends when its pipe does."""
        self.pipe.close()
        self.process.join(PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


@dataclass
class Race:
    """A comparison on one model; ``run`` fills it.

    Attributes:
        rounds: one turn of each mode that took part.
        absent: the modes that did not run, and why.
    """

    terms: Terms
    rounds: list[dict[str, Turn]] = field(default_factory=list[dict[str, Turn]])
    absent: dict[str, str] = field(default_factory=dict[str, str])
    _used: dict[str, float] = field(default_factory=lambda: defaultdict(float))  # seconds, by mode

    def run(self, seconds: float) -> Race:
        """Race for so long, or for one round where that takes longer.

        A process keeps what luck it has with its memory, a per cent or two; so all are started anew once or twice.
        """
        begin, generations = time.perf_counter(), self.terms.generations
        for generation in range(1, generations + 1):
            if self.rounds and time.perf_counter() > begin + seconds:
                break
            with ExitStack() as stack:
                self._race(stack, begin + seconds * generation / generations)
        return self

    def _race(self, stack: ExitStack, end: float) -> None:
        racers: dict[str, Racer] = {}
        slow: dict[str, Turn] = {}
        for mode in self._joining(self.terms.modes):
            racer = stack.enter_context(closing(Racer(mode, self.terms)))
            if (made := self._asked(mode, racer.ready)) is None:
                continue
            if made.wall > SLOW * self.terms.block:
                slow[mode] = made
                racer.close()
            else:
                racer.steps = block_steps(self.terms.block, made.step("wall"))
                racers[mode] = racer
        self.rounds.append(self._round(racers, list(racers)) | slow)
        while time.perf_counter() < end:
            self.rounds.append(self._round(racers, self._joining(list(racers))))

    def _joining(self, modes: Sequence[str]) -> list[str]:
        return [mode for mode in modes if mode not in self.absent and joins(mode, self._used)]

    def _round(self, racers: dict[str, Racer], modes: Sequence[str]) -> dict[str, Turn]:
        made = {mode: self._asked(mode, racers[mode].go) for mode in order(modes, len(self.rounds))}
        return {mode: turn for mode, turn in made.items() if turn is not None}

    def _asked(self, mode: str, ask: Callable[[], Turn]) -> Turn | None:
        try:
            turn = ask()
        except DidNotRun as reason:
            if mode in (BARE, AGAIN):
                raise SystemExit(f"benchmarks: the bare training of {self.terms.model} failed: {reason}") from None
            self.absent[mode] = str(reason)
            return None
        self._used[mode] += turn.wall
        return turn


def order(modes: Sequence[str], number: int) -> list[str]:
    """The order of a round: those with small costs close together, all else after them, both shuffled."""
    shuffled = random.Random(number).sample(list(modes), len(modes))
    return sorted(shuffled, key=lambda mode: mode not in NEAR)
