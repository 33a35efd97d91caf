"""What judging costs: ``make bench-findings``, or ``python -m benchmarks.judging``.

The time of one diagnosis of hand-written vitals of so many sites, healthy and sick, from values that nothing was worked
out of yet; and the share of a step that it comes to over a training, where limen examines after step 20, then every ten
steps and, from step 100 on, after each further tenth, and never for more than its share (``limen.watch``).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.record import RESULTS, save
from benchmarks.tables import show
from limen.findings import diagnose
from limen.vitals import EVIDENCE, Vitals
from tests.findings.patients import Layer, Patient, noisy

STEPS = 10_000
PACES = (0.001, 0.01, 0.1)  # seconds of a step
GOAL = 0.001  # share of a step
SHARE, FREE = 0.01 / 10, 2.0 / 8  # of the time, and seconds, that limen.watch lets examining take
COLUMNS = "vitals", "sites", "ms", "times", "1 ms %", "10 ms %", "100 ms %"


@dataclass(frozen=True)
class Row:
    """One size of network.

    Attributes:
        vitals: ``healthy`` or ``sick``: half of the units of every layer killed.
        sites: of the network.
        seconds: of one diagnosis, the median of the processor's time.
        slowest: the same, the longest.
        examinations: in a training of so many steps, were there no limit to their time.
        shares: by the seconds of a step, the share of the training that they take.
    """

    vitals: str
    sites: int
    seconds: float
    slowest: float
    examinations: int
    shares: dict[str, float]


def examined(steps: int = STEPS) -> Iterator[int]:
    """The steps after which a training is examined, as ``limen.watch`` chooses them."""
    due = EVIDENCE.steps
    while due <= steps:
        yield due
        due += max(EVIDENCE.steps // 2, due // 10)


def share(seconds: float, pace: float, steps: int = STEPS) -> float:
    """Of a training of so many steps, what examining takes; an examination is left out where its share is used up."""
    spent = 0.0
    for step in examined(steps):
        if spent <= max(FREE, SHARE * step * pace):
            spent += seconds
    return spent / (steps * pace)


def network(sites: int, sick: bool) -> Patient:
    layers = tuple(Layer(f"layer{index}", died=(4,) * 32 if sick else (), update=_thrown if sick else 1e-3)
                   for index in range(sites))  # fmt: skip
    return Patient(layers, steps=2_000, losses=(noisy(2.3, 0.02),)) if sick else Patient(layers, steps=2_000)


def _thrown(steps: np.ndarray) -> np.ndarray:
    return np.where(steps == 3, 1.5, 1e-2)


def fresh(vitals: Vitals) -> Vitals:
    """The same values, as a probe makes them anew for each examination."""
    sites = tuple(
        replace(one, birth=replace(one.birth), recent=replace(one.recent), total=replace(one.total))
        for one in vitals.sites
    )
    return replace(vitals, sites=sites, parameters=tuple(map(replace, vitals.parameters)))


def measure(sites: int, sick: bool, times: int) -> Row:
    vitals = network(sites, sick).vitals
    taken: list[float] = []
    for _ in range(times + 1):
        once = fresh(vitals)
        begin = time.thread_time()
        diagnose(once)
        taken.append(time.thread_time() - begin)
    taken = taken[1:]  # the first one loads
    seconds = median(taken)
    shares = {f"{pace:g}": share(seconds, pace) for pace in PACES}
    return Row("sick" if sick else "healthy", sites, seconds, max(taken), len(list(examined())), shares)


def cells(row: Row) -> tuple[str, ...]:
    shares = (f"{100 * one:.3f}{'' if one <= GOAL else ' !'}" for one in row.shares.values())
    return row.vitals, f"{row.sites:,}", f"{1e3 * row.seconds:.2f}", f"{row.examinations}", *shares


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what judging costs.")
    parser.add_argument("--sites", nargs="+", type=int, default=[20, 100, 1_000])
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--quick", action="store_true", help="five diagnoses of each")
    parser.add_argument("--output", type=Path, default=RESULTS / "judging.json")
    options = parser.parse_args()
    times = 5 if options.quick else options.times
    rows = [measure(sites, sick, times) for sick in (False, True) for sites in options.sites]
    show(f"judging over {STEPS:,} steps; ! is above {100 * GOAL:g} % of a step", COLUMNS, [cells(row) for row in rows])
    save(options.output, rows)
    print(f"written: {options.output}")


if __name__ == "__main__":
    main()
