"""What watching costs, limen beside its peers: ``make bench-probe``, or ``python -m benchmarks.watching``.

For each model some processes train it from the same seed: two bare ones, limen with three budgets, and each peer. They
step in turn, a block of a fraction of a second each; a ratio is always taken within one round, between blocks that ran
close to each other, so that a drift of the machine's speed falls out. The two bare ones give the noise of the method
(A/A). What limen itself says it took is shown beside it, since its cost is often less than that noise.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import TITLES
from benchmarks.race import Race, Terms, prepare
from benchmarks.ratios import AGAIN, BARE, Clock, Cost, Quartiles, costs, quartiles
from benchmarks.record import RESULTS, save
from benchmarks.synchronisations import require_cuda, show_waits
from benchmarks.tables import per_cent, show, spread
from benchmarks.trainings import TRAININGS, for_device

PACKAGES = ("tensorboard", "delve", "torchdiag", "cockpit-for-pytorch", "backpack-for-pytorch")
MISSING = "ModuleNotFoundError"


@dataclass(frozen=True)
class Row:
    """What was measured of one model; ``cost`` and ``absent`` are by mode."""

    model: str
    device: str
    threads: int
    clock: Clock
    step_ms: Quartiles
    cost: dict[str, Cost]
    absent: dict[str, str]


def row(race: Race, clock: Clock) -> Row:
    bare = [1000 * turns[BARE].step(clock) for turns in race.rounds]
    terms = race.terms
    return Row(terms.model, terms.device, terms.threads, clock, quartiles(bare), costs(race.rounds, clock), race.absent)


def show_row(result: Row) -> None:
    """One model as a table."""
    threads = f"{result.threads} thread{'s' if result.threads > 1 else ''}" if result.device == "cpu" else result.device
    modes = [mode for mode in TITLES if mode in result.cost]
    lines = [
        (TITLES[mode], spread(entry.ratio), per_cent(entry.inside), str(entry.rounds))
        for mode, entry in ((mode, result.cost[mode]) for mode in modes)
    ]
    show(
        f"{result.model}, {threads}: a bare step takes {result.step_ms[1]:.1f} ms of {result.clock} time",
        ("watched by", "costs % of a step (quartiles)", "own account, %", "rounds"),
        lines,
    )
    for mode, reason in result.absent.items():
        advice = "; `make bench-peers` installs what is missing" if reason.startswith(MISSING) else ""
        print(f"did not run: {TITLES[mode]}: {reason}{advice}")


def show_all(rows: Sequence[Row]) -> None:
    """Medians of all models beside each other."""
    modes = [mode for mode in TITLES if any(mode in row.cost for row in rows)]
    lines = [(TITLES[mode], *(cell(row, mode) for row in rows)) for mode in modes]
    columns = (f"{row.model}, {row.threads}" for row in rows)
    show("cost of watching, % of a step (limen's own account): model, threads", ("watched by", *columns), lines)


def cell(row: Row, mode: str) -> str:
    cost = row.cost.get(mode)
    if cost is None:
        return "–"
    own = "" if cost.inside is None else f" ({per_cent(cost.inside)})"
    return per_cent(cost.ratio[1] - 1, signed=True) + own


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what watching costs, beside other ways of watching.")
    parser.add_argument("--models", nargs="+", choices=list(TRAININGS), help="default: those that suit the device")
    modes = [mode for mode in TITLES if mode not in (BARE, AGAIN)]
    parser.add_argument("--modes", nargs="+", choices=modes, help="default: all")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], help="default: 1 2")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--seconds", type=float, default=270.0, help="for everything together")
    parser.add_argument("--block", type=float, default=0.4, help="seconds that each mode trains in a round")
    parser.add_argument("--generations", type=int, default=2, help="how often the processes are started anew")
    parser.add_argument("--quick", action="store_true", help="one thread, one generation, 45 s, without cockpit")
    parser.add_argument(
        "--clock", choices=["wall", "cpu"], default="wall", help="cpu, of all threads, where the machine is not quiet"
    )
    parser.add_argument("--output", type=Path, default=RESULTS / "watching.json")
    options = parser.parse_args()
    options.modes = options.modes or [mode for mode in modes if not (options.quick and mode == "cockpit")]
    if options.device == "cuda":
        options.threads, options.clock = [1], "wall"
    if options.quick:
        options.threads, options.generations, options.seconds, options.block = options.threads[:1], 1, 45.0, 0.2
    return options


def main() -> None:
    options = arguments()
    if options.device == "cuda":
        require_cuda()
    prepare()
    end = time.perf_counter() + options.seconds
    models = options.models or for_device(options.device)
    pairs = [(threads, model) for threads in options.threads for model in models]
    rows: list[Row] = []
    for index, (threads, model) in enumerate(pairs):
        terms = Terms(model, threads, options.device, options.block, options.generations, (BARE, AGAIN, *options.modes))
        race = Race(terms).run((end - time.perf_counter()) / (len(pairs) - index))
        rows.append(row(race, options.clock))
        show_row(rows[-1])
        save(options.output, rows, PACKAGES)  # each time: it may be interrupted
    show_all(rows)
    print(f"written: {options.output}")
    if options.device == "cuda":
        show_waits(models)


if __name__ == "__main__":
    main()
