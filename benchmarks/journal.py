"""How large a run file grows and what it takes to write and to report: ``python -m benchmarks.journal``.

The writer is simulated: runs are made as the probe would have left them after so many steps, each looked at, with
histories thinned by the probe's own rule, and brought into the file one after the other as a journal does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from limen.environment import facts
from limen.journal import Run
from limen.journal.delta import Ledger, changes, enter
from limen.journal.packing import pack
from limen.journal.place import make
from limen.journal.storage import Storage
from limen.probe.rows import LONGEST
from limen.probe.site_record import MOST_HISTOGRAMS
from limen.sites import Parameter, Site
from limen.vitals import (
    BINS,
    Activity,
    Histogram,
    LossVitals,
    Moments,
    OptimiserVitals,
    ParameterHistory,
    ParameterVitals,
    SiteHistory,
    SiteVitals,
    Vitals,
)

RESULTS = Path(__file__).parent / "results"
SIDE_FILES = ("", "-wal", "-shm")

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@cache
def noise() -> Floats:
    return np.random.default_rng(0).normal(size=2**16)


def kept(step: int) -> Integers:
    """The steps of which a history still has rows: a power of two apart, at most 1,024 of them."""
    stride = 1
    while (step - 1) // stride >= LONGEST:
        stride *= 2
    return np.arange(1, step + 1, stride, dtype=np.int64)


def column(steps: Integers, which: int) -> Floats:
    """Numbers that look like measurements: full mantissas, the same for the same step."""
    return noise()[(steps * 7919 + which * 104_729) % len(noise())]


def activity(units: int, step: int, which: int) -> Activity:
    per_unit = column(np.arange(units, dtype=np.int64) + step, which)
    count = np.abs(per_unit * step * 30).astype(np.int64)
    return Activity(
        steps=step,
        first_step=1,
        last_step=step,
        left=count,
        right=np.zeros(units, np.int64),
        moments=Moments(128 * step, per_unit, per_unit**2),
        low=per_unit - 4,
        high=per_unit + 4,
        nonfinite=0,
        histogram=histogram(step, which),
    )


def histogram(step: int, which: int) -> Histogram:
    return Histogram(np.abs(column(np.arange(BINS, dtype=np.int64) + step, which) * 1e6).astype(np.int64))


def site(number: int, units: int, step: int) -> SiteVitals:
    rows = kept(step)
    seen = activity(units, step, number)
    real = [column(rows, 100 * number + each) for each in range(6)]
    none = np.zeros(len(rows), np.int64)
    return SiteVitals(
        site=Site(f"layers.{number}.act", f"layers.{number}.act", "relu", 1, units, -1, f"layers.{number}.linear",
                  None, number, False, flat_left=0.0, dead_left=True),
        birth=activity(units, 20, number),
        recent=seen,
        total=seen,
        last_active=np.full(units, step, np.int64),
        silent_steps=np.zeros(units, np.int64),
        silent_samples=np.zeros(units, np.int64),
        history=SiteHistory(rows, none + 128, np.abs(real[0]) % 1, none, none, *real[1:], none),
        first_nonfinite=None,
    )  # fmt: skip


def parameter(number: int, step: int) -> ParameterVitals:
    rows = kept(step)
    gradient, weight, update = (np.abs(column(rows, 7 * number + each)) for each in range(3))
    name = f"layers.{number // 2}.linear.{'bias' if number % 2 else 'weight'}"
    address = Parameter(name, name.rpartition(".")[0], (256, 256), number, number % 2 == 0)
    return ParameterVitals(address, ParameterHistory(rows, gradient, weight, update), None, 0)


def run_after(step: int, sites: int, units: int) -> Run:
    """What is known after so many steps of a network of so many sites, each with a weight and a bias."""
    rows = kept(step)
    taken = np.unique(np.geomspace(1, step, MOST_HISTOGRAMS).astype(int)).tolist()
    vitals = Vitals(
        step=step,
        looked=step,
        samples=128 * step,
        sites=tuple(site(number, units, step) for number in range(sites)),
        parameters=tuple(parameter(number, step) for number in range(2 * sites)),
        losses=(LossVitals("cross-entropy", rows, np.abs(column(rows, 5)), 0),),
        optimisers=(OptimiserVitals("SGD", rows, np.full(len(rows), 0.1), 0.9, 0.0, False),),
    )
    steps = {f"layers.{number}.act": tuple((one, histogram(one, number)) for one in taken) for number in range(sites)}
    return Run(script="train.py", seconds=step / 100, vitals=vitals, histograms=steps)


def bytes_of(path: Path) -> int:
    """Of the file and of what is not merged into it yet."""
    return sum(Path(f"{path}{suffix}").stat().st_size for suffix in SIDE_FILES if Path(f"{path}{suffix}").exists())


def write(path: Path, steps: int, sites: int, units: int, saves: int) -> dict[str, float]:
    """Write a run of so many steps, saved so often: first more densely, as its histories grow faster then."""
    make(path)
    storage, held = Storage(path), Ledger()
    taken: list[float] = []
    sizes: list[int] = []
    moments = {*np.geomspace(1, steps, saves // 2).astype(int), *np.linspace(1, steps, saves - saves // 2).astype(int)}
    for step in sorted(map(int, moments)):
        run = replace(run_after(step, sites, units), finished=step == steps)
        begun = time.perf_counter()
        wanted = enter(held, pack(run))
        storage.write(changes(held, wanted))
        taken.append(time.perf_counter() - begun)
        held = wanted
        sizes.append(bytes_of(path))
    storage.put_away()
    return {
        "saves": len(taken),
        "save_median_s": float(np.median(taken)),
        "save_longest_s": max(taken),
        "mb_while_written_median": float(np.median(sizes)) / 1e6,
        "mb_while_written_largest": max(sizes) / 1e6,
        "mb": bytes_of(path) / 1e6,
    }


def report(path: Path) -> dict[str, float]:
    """Make all reports of a run file, in a process of their own."""
    html, data = path.with_suffix(".html"), path.with_suffix(".json")
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "limen", "report", str(path), "--html", str(html), "--json", str(data)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - begun
    return {"report_s": seconds, "html_mb": html.stat().st_size / 1e6, "json_mb": data.stat().st_size / 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the run file under load.")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--sites", type=int, default=100)
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--saves", type=int, default=300)
    parser.add_argument("--output", type=Path, default=RESULTS / "journal.json")
    asked = parser.parse_args()
    size = {name: getattr(asked, name) for name in ("steps", "sites", "units")}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.limen"
        figures = {**write(path, **size, saves=asked.saves), **report(path)}
    result = {"date": time.strftime("%Y-%m-%d"), "machine": facts(), **size, **figures}
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(json.dumps(result, indent=1) + "\n")
    print("\n".join(f"{name:<26}{value:,.3f}" for name, value in figures.items()))
    print(f"written: {asked.output}")


if __name__ == "__main__":
    main()
