"""What watching costs: ``python -m benchmarks.watching`` prints a table and writes ``results/watching.json``.

Four processes train the same model from the same seed: two bare, one watched at every step, one on the default
budget. They step in turn, a block of a second or so each, in an order that rotates; a ratio is always taken within one
round, between blocks that ran next to each other, so that a drift of the machine's speed falls out. A process keeps
what luck it has with its memory, a per cent or two; so all are started anew several times. The two bare ones give the
noise of the method (A/A).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.trainings import TRAININGS
from limen.environment import facts

RESULTS = Path(__file__).parent / "results"
MODES = ("bare", "again", "every-step", "default")
BUDGETS = ("every-step", "default")
TITLES = {"again": "bare again (A/A)", "every-step": "every step", "default": "default budget (1 %)"}

# glibc returns large blocks to the system and faults them in again at every step; that noise is larger than what is
# measured here. These keep them.
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(4 << 30),
    "MALLOC_TOP_PAD_": str(256 << 20),
}

Quartiles = tuple[float, float, float]
"""Lower quartile, median, upper quartile."""


@dataclass(frozen=True)
class Row:
    """What was measured of one model; ``ratio`` is by mode, in steps of the bare training."""

    model: str
    threads: int
    clock: str
    rounds: int
    step_ms: Quartiles
    ratio: dict[str, Quartiles]
    own_account: dict[str, float]


class Worker:
    """One training in its own process."""

    def __init__(self, model: str, mode: str, threads: int, clock: str) -> None:
        self.clock = clock
        mode = "bare" if mode == "again" else mode
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", model, mode, str(threads)],
            env={**os.environ, **MALLOC, "OMP_NUM_THREADS": str(threads), "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.overhead = 0.0
        self._answer()  # once settled

    def step(self, count: int) -> float:
        """Make so many steps; return the seconds for one."""
        assert self.process.stdin is not None
        print(count, file=self.process.stdin, flush=True)
        answer = self._answer()
        self.overhead = answer["overhead"]
        return answer[self.clock] / count

    def _answer(self) -> dict[str, float]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("benchmarks: a training process ended early; its error is above")
        return json.loads(line)


@contextmanager
def working(model: str, mode: str, threads: int, clock: str) -> Generator[Worker]:
    worker = Worker(model, mode, threads, clock)
    try:
        yield worker
    finally:
        worker.process.communicate()  # closes its input, at which it ends


def quartiles(values: Sequence[float]) -> Quartiles:
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def measure(model: str, threads: int, options: argparse.Namespace) -> Row:
    """Compare the modes on one model; ``options`` are those of the command line."""
    bare: list[float] = []
    ratios: dict[str, list[float]] = {mode: [] for mode in TITLES}
    own: dict[str, list[float]] = {mode: [] for mode in BUDGETS}
    for _ in range(options.generations):
        with ExitStack() as stack:
            workers = {mode: stack.enter_context(working(model, mode, threads, options.clock)) for mode in MODES}
            steps = max(2, round(options.block / workers["bare"].step(5)))
            for turn in range(options.rounds):
                order = MODES[turn % len(MODES) :] + MODES[: turn % len(MODES)]
                seconds = {mode: workers[mode].step(steps) for mode in order}
                bare.append(seconds["bare"])
                ratios["again"].append(seconds["again"] / seconds["bare"])
                for mode in BUDGETS:
                    ratios[mode].append(seconds[mode] / statistics.mean([seconds["bare"], seconds["again"]]))
            for mode in BUDGETS:
                own[mode].append(workers[mode].overhead)
    return Row(
        model=model,
        threads=threads,
        clock=options.clock,
        rounds=options.generations * options.rounds,
        step_ms=quartiles([1000 * value for value in bare]),
        ratio={mode: quartiles(values) for mode, values in ratios.items()},
        own_account={mode: statistics.mean(values) for mode, values in own.items()},
    )


def table(rows: Sequence[Row]) -> Table:
    """The rows as a table: cost in per cent of the bare step, median and quartiles."""
    result = Table(title="cost of watching, % of a training step: median (lower to upper quartile)")
    for title in ("model", "threads", "bare step", *TITLES.values(), "limen's own account"):
        result.add_column(title, justify="left" if title == "model" else "right", no_wrap=title == "model")
    for row in rows:
        costs = [[100 * (value - 1) for value in row.ratio[mode]] for mode in TITLES]
        result.add_row(
            row.model,
            str(row.threads),
            f"{row.step_ms[1]:.1f} ms",
            *(f"{middle:+.1f}\n{low:+.1f} to {high:+.1f}" for low, middle, high in costs),
            " / ".join(f"{100 * share:.2f}" for share in row.own_account.values()),
        )
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what watching costs.")
    parser.add_argument("--models", nargs="+", default=list(TRAININGS), choices=list(TRAININGS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1], help="for instance: --threads 1 2")
    parser.add_argument("--generations", type=int, default=3, help="how often the processes are started anew")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each process")
    parser.add_argument("--block", type=float, default=1.0, help="seconds that each mode trains in a round")
    parser.add_argument(
        "--clock", choices=["wall", "cpu"], default="wall", help="cpu, of all threads, where the machine is not quiet"
    )
    parser.add_argument("--output", type=Path, default=RESULTS / "watching.json")
    options = parser.parse_args()
    console = Console()
    rows: list[Row] = []
    for threads in options.threads:
        for model in options.models:
            console.print(f"{model}, {threads} thread{'s' if threads > 1 else ''} …")
            rows.append(measure(model, threads, options))
    console.print(table(rows))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    result = {"date": time.strftime("%Y-%m-%d"), "machine": facts(), "rows": [asdict(row) for row in rows]}
    options.output.write_text(json.dumps(result, indent=1) + "\n")
    console.print(f"written: {options.output}")


if __name__ == "__main__":
    main()
