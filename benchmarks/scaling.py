"""How the cost of watching grows with sites, units and steps: ``make bench-scaling``, or
``python -m benchmarks.scaling``; one case of it: ``python -m benchmarks.scaling --case 1000 4096 100``.

Layers of any width are cheap here, through a bottleneck of a few units, so that limen can be seen beside them; shares
of the step would say nothing, so the cost is in time.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.race import context, prepare
from benchmarks.record import RESULTS, save
from benchmarks.tables import figure, show
from limen.watch import Watch

BATCH = 16
BOTTLENECK = 4
COLUMNS = (
    "sites",
    "units",
    "steps",
    "budget",
    "bare ms",
    "first ms",
    "limen ms",
    "held MB",
    "resident MB",
    "peak MB",
    "journal kB",
)


@dataclass(frozen=True)
class Case:
    """A training: ``sites`` activations of ``units`` each; a budget of None looks at every step."""

    sites: int
    units: int
    steps: int
    budget: float | None = None


@dataclass(frozen=True)
class Row:
    """What was measured of a case.

    Attributes:
        bare_ms: a step before the watch.
        first_ms: what the first one under the watch takes more, in which the sites are found.
        cost_ms: what a later one takes more, on average over those that are looked at and those that are not.
        held_mb: resident memory that limen holds after the last step, once the allocator has given back what is free:
            it keeps much of what a training itself frees, and more of it where other memory lies in between.
        resident_mb: by how much the process has grown, with all that the allocator keeps.
        peak_mb: the most that it has held.
        journal_kb: size of the run file.
    """

    case: Case
    bare_ms: float
    first_ms: float
    cost_ms: float
    held_mb: float
    resident_mb: float
    peak_mb: float
    journal_kb: float


CASES = [
    *(Case(sites, 64, 20) for sites in (10, 100, 1_000)),
    *(Case(10, units, 20) for units in (1_024, 4_096, 16_384)),
    Case(1_000, 4_096, 12),
    Case(1_000, 4_096, 70),  # past the first full window, of 1,008 samples
    *(Case(2, 64, steps) for steps in (100, 1_000, 10_000)),
    *(Case(2, 64, steps, 0.01) for steps in (100, 1_000, 10_000, 100_000)),
]


def chain(sites: int, units: int) -> nn.Module:
    layers: list[nn.Module] = []
    for _ in range(sites):
        layers += [nn.Linear(units, BOTTLENECK, bias=False), nn.Linear(BOTTLENECK, units), nn.ReLU()]
    return nn.Sequential(*layers)


def memory() -> tuple[float, float]:
    """Resident memory of this process now and at its highest, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return float(fields["VmRSS"].split()[0]) / 1e3, float(fields["VmHWM"].split()[0]) / 1e3


def trimmed() -> float:
    """Resident memory of this process once glibc has given back what is free, in MB."""
    ctypes.CDLL(None).malloc_trim(0)
    return memory()[0]


def measure(case: Case) -> Row:
    """Train bare, then watched, in a process of its own."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, inputs = chain(case.sites, case.units), torch.randn(BATCH, case.units)
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3)
    before = min(train(model, inputs, optimiser, 5) for _ in range(3)) / 5
    gc.collect()
    (resident, peak), held = memory(), trimmed()
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "run.limen"
        with Watch((model,), budget=case.budget, journal=journal) as watch:
            first = train(model, inputs, optimiser, 1)
            later = train(model, inputs, optimiser, case.steps - 1) / (case.steps - 1)
            gc.collect()
            (now, highest), then = memory(), trimmed()
            del watch
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
    return Row(
        case,
        bare_ms=1e3 * before,
        first_ms=1e3 * (first - before),
        cost_ms=1e3 * (later - before),
        held_mb=then - held,
        resident_mb=now - resident,
        peak_mb=max(highest - peak, now - resident),
        journal_kb=size / 1e3,
    )


def train(model: nn.Module, inputs: Tensor, optimiser: torch.optim.Optimizer, steps: int) -> float:
    """Seconds for so many steps."""
    begin = time.perf_counter()
    for _ in range(steps):
        optimiser.zero_grad()
        model(inputs).square().mean().backward()
        optimiser.step()
    return time.perf_counter() - begin


def cells(row: Row) -> tuple[str, ...]:
    case = row.case
    budget = "none" if case.budget is None else f"{100 * case.budget:g} %"
    figures = (row.bare_ms, row.first_ms, row.cost_ms, row.held_mb, row.resident_mb, row.peak_mb, row.journal_kb)
    return f"{case.sites:,}", f"{case.units:,}", f"{case.steps:,}", budget, *map(figure, figures)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how the cost of watching grows.")
    parser.add_argument("--quick", action="store_true", help="without the largest cases")
    parser.add_argument("--case", type=int, nargs=3, metavar=("SITES", "UNITS", "STEPS"), help="only this one, unsaved")
    parser.add_argument("--output", type=Path, default=RESULTS / "scaling.json")
    options = parser.parse_args()
    prepare(malloc=False)
    cases = [Case(*options.case)] if options.case else CASES
    cases = [case for case in cases if not options.quick or case.sites * case.units * case.steps <= 1_300_000]
    rows: list[Row] = []
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        for row in pool.map(measure, cases):
            rows.append(row)
            print(*cells(row), sep="  ", flush=True)
    show("cost of watching as it grows", COLUMNS, [cells(row) for row in rows])
    if options.case:
        return
    save(options.output, rows)
    print(f"written: {options.output}")


if __name__ == "__main__":
    main()
