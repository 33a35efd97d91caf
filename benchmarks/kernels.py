"""How fast a tensor is read: ``python -m benchmarks.kernels`` prints a table and writes ``results/kernels.json``.

Each reading is repeated for a while, the versions in turn, and the fastest counts: what else the machine does only
makes it slower. Tensors are in the processor's cache where they fit, but for the cold readings: before each of those
as much memory is written as a training writes between two of its own.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from limen.environment import facts
from limen.kernels import Account, Rules, torch_norms, torch_pass
from limen.kernels.compiled_account import CompiledAccount
from limen.kernels.compiled_pass import CompiledPass
from limen.kernels.library import BUILT, Library

RESULTS = Path(__file__).parent / "results" / "kernels.json"
SWEPT = 1 << 21  # float32: 8 MB, more than a core has for itself
ROUNDS = 60  # short ones: between them the rest of the machine may be still for a moment

TENSORS: dict[str, tuple[tuple[int, ...], int]] = {
    "rows 128 × 512": ((128, 512), -1),
    "rows 1024 × 1024": ((1024, 1024), -1),
    "rows 8192 × 20": ((8192, 20), -1),
    "images 64 × 32 × 32²": ((64, 32, 32, 32), 1),
    "images 64 × 128 × 8²": ((64, 128, 8, 8), 1),
    "images 64 × 128 × 7²": ((64, 128, 7, 7), 1),
}
TYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
MLP = [(512, 784), (512,), *[(512, 512), (512,)] * 5, (10, 512), (10,)]


@dataclass(frozen=True)
class Reading:
    """Microseconds for one reading by torch, by the compiled kernels, and by those when little is in the cache."""

    what: str
    type: str
    threads: int
    megabytes: float
    torch: float
    compiled: float
    cold: float

    @property
    def cells(self) -> list[str]:
        """The row of the table."""
        all_times = (self.torch, self.compiled, self.cold)
        rates = (f"{self.megabytes * 1e3 / time:.1f}" for time in all_times)
        return [self.what, self.type, str(self.threads), *(f"{time:,.1f}" for time in all_times), *rates]


def fastest(works: list[Callable[[], object]], seconds: float) -> list[float]:
    """Microseconds for one call of each, the best of several rounds taken in turn."""
    best = [float("inf")] * len(works)
    for work in works:
        work()
    for _ in range(ROUNDS):
        for place, work in enumerate(works):
            calls, began = 0, time.perf_counter()
            while (spent := time.perf_counter() - began) < seconds or calls < 3:
                work()
                calls += 1
            best[place] = min(best[place], 1e6 * spent / calls)
    return best


def fastest_cold(work: Callable[[], object], swept: Tensor) -> float:
    """Microseconds for one call, the best of those that each follow a change of all that is swept."""
    best = float("inf")
    for _ in range(5 * ROUNDS):
        swept.add_(1)
        began = time.perf_counter()
        work()
        best = min(best, 1e6 * (time.perf_counter() - began))
    return best


def readings(kernels: CompiledPass, seconds: float) -> list[Reading]:
    """Every tensor in float32, one of each other type, histograms, norms and accounts."""
    found: list[Reading] = []
    swept = torch.zeros(SWEPT)

    def enter(what: str, tensors: list[Tensor], works: list[Callable[[], object]]) -> None:
        size = sum(tensor.numel() * tensor.element_size() for tensor in tensors) / 1e6
        kind = str(tensors[0].dtype).removeprefix("torch.")
        slow, fast = fastest(works, seconds)
        found.append(
            Reading(what, kind, torch.get_num_threads(), size, slow, fast, fastest_cold(works[-1], swept)),
        )

    for name, (shape, axis) in TENSORS.items():
        for kind in TYPES if name == "rows 1024 × 1024" else TYPES[:1]:
            z = torch.randn(shape).to(kind)
            enter(name, [z], [lambda z=z, a=axis, by=by: by.measure(z, a, 0.0, None) for by in (torch_pass, kernels)])
    z = torch.randn(1024, 1024)
    enter("histogram 1024 × 1024", [z], [lambda by=by: by.histogram(z) for by in (torch_pass, kernels)])
    weights = [torch.randn(shape) for shape in MLP]
    gradient = torch.randn(128, 512)
    enter("norm 128 × 512", [gradient], [lambda by=by: by.norm(gradient) for by in (torch_norms, kernels)])
    enter("norms of an MLP", weights, [lambda by=by: by.norms(weights) for by in (torch_norms, kernels)])
    small, rules = torch.randn(128, 512), Rules(512, 0.0, None, True, 1000, 20, 0.95)
    accounts = (Account(rules), CompiledAccount(rules, kernels))
    enter("a step of a site 128 × 512", [small], [lambda by=by: (by.add(small, -1), by.commit(1)) for by in accounts])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=0.005, help="for each of the rounds of a reading")
    options = parser.parse_args()
    kernels = CompiledPass(Library(BUILT))
    table = Table(
        "tensor",
        "type",
        "threads",
        *(f"{name} {unit}" for unit in ("µs", "GB/s") for name in ("torch", "C", "C, cold")),
    )
    found: list[Reading] = []
    for threads in options.threads:
        torch.set_num_threads(threads)
        found += readings(kernels, options.seconds)
    for reading in found:
        table.add_row(*reading.cells)
    Console().print(table)
    RESULTS.write_text(json.dumps({"machine": facts(), "readings": [asdict(one) for one in found]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
