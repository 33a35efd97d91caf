"""Whether limen keeps to its budget over whole trainings: ``make bench-budget``, or ``python -m benchmarks.keeping``.

Each model is trained from its first step, bare and watched with all defaults, in turn. What limen may take in ``T``
seconds is its share of them, or half of its free seconds and half of the share where that is more.
"""

from __future__ import annotations

import argparse
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.race import Racer, Terms, prepare
from benchmarks.ratios import Turn
from benchmarks.record import RESULTS, save
from benchmarks.tables import per_cent, show
from limen.probe import Budget

SHARE = 0.01
TOLERANCE = 0.003
BLOCK = 20  # steps
COLUMNS = "model", "steps", "training, s", "cost %", "own account, %", "allowed %", "kept"


@dataclass(frozen=True)
class Row:
    """One training.

    Attributes:
        seconds: of the watched training.
        cost: by which share it took longer than the bare one.
        own: share of ``seconds`` that limen says it took.
        allowed: share of ``seconds`` that it may take.
    """

    model: str
    steps: int
    seconds: float
    cost: float
    own: float
    allowed: float

    @property
    def kept(self) -> bool:
        """Whether limen's own account is within what it may take."""
        return self.own <= self.allowed + TOLERANCE


def row(model: str, bare: list[Turn], watched: list[Turn]) -> Row:
    seconds = sum(turn.wall for turn in watched)
    own = sum(turn.inside or 0.0 for turn in watched)
    without = sum(turn.wall for turn in bare)
    steps = sum(turn.steps for turn in watched)
    return Row(model, steps, seconds, seconds / without - 1, own / seconds, Budget(SHARE).allowed(seconds) / seconds)


def measure(model: str, steps: int, seconds: float) -> Row:
    """Train for so many steps, or until the time is up."""
    terms = Terms(model)
    turns: dict[str, list[Turn]] = {"bare": [], "as-used": []}
    end = time.perf_counter() + seconds
    with closing(Racer("bare", terms, warm_up=0)) as bare, closing(Racer("as-used", terms, warm_up=0)) as watched:
        racers = {"bare": bare, "as-used": watched}
        for racer in racers.values():
            racer.ready()
            racer.steps = min(BLOCK, steps)
        for number in range(max(1, steps // BLOCK)):
            for mode in sorted(racers, reverse=number % 2 == 1):
                turns[mode].append(racers[mode].go())
            if time.perf_counter() > end:
                break
    return row(model, turns["bare"], turns["as-used"])


def cells(result: Row) -> tuple[str, ...]:
    shares = (per_cent(share) for share in (result.cost, result.own, result.allowed))
    return result.model, f"{result.steps:,}", f"{result.seconds:.1f}", *shares, "yes" if result.kept else "NO"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure whether limen keeps to its budget.")
    parser.add_argument("--models", nargs="+", default=["mlp", "cnn", "transformer", "wide"])
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument(
        "--seconds", type=float, default=70.0, help="for each model; 1500 is enough for all 2,000 steps"
    )
    parser.add_argument("--quick", action="store_true", help="12 s for each model")
    parser.add_argument("--output", type=Path, default=RESULTS / "keeping.json")
    options = parser.parse_args()
    prepare()
    rows: list[Row] = []
    for model in options.models:
        rows.append(measure(model, options.steps, 12.0 if options.quick else options.seconds))
        print(*cells(rows[-1]), sep="  ", flush=True)
    show("limen with its defaults, from the first step", COLUMNS, [cells(row) for row in rows])
    save(options.output, rows)
    print(f"written: {options.output}")


if __name__ == "__main__":
    main()
