"""Whether watching makes the processor wait for the GPU: counted by torch's profiler, beside a bare training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.instruments import WARM_UP, Running
from benchmarks.peers import INSTRUMENTS, TITLES
from benchmarks.tables import show
from benchmarks.trainings import TRAININGS

__all__ = ["require_cuda", "show_waits", "waits"]

MODES = "bare", "every-step", "default", "idle"
STEPS = 10


def require_cuda() -> None:
    """Leave where there is no device, with the reason."""
    if not torch.cuda.is_available():
        why = "this build of torch has no CUDA" if torch.version.cuda is None else "the driver shows none"
        print(f"skipped: --device cuda needs a CUDA device; {why}.")
        raise SystemExit(0)


def waits(events: Iterable[str]) -> Counter[str]:
    """Those of the profiler's events at which the processor waits for the device, or fetches from it."""
    return Counter(name for name in events if "Synchronize" in name or "Memcpy DtoH" in name)


def waits_of(running: Running) -> dict[str, float]:
    """Per step, once the first steps are made."""
    for _ in range(WARM_UP):
        running.step()
    running.settle()
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as trace:
        for _ in range(STEPS):
            running.step()
    return {name: count / STEPS for name, count in waits(event.name for event in trace.events() or ()).items()}


def show_waits(models: Sequence[str]) -> None:
    """A table of waits per step; leaving the profiler adds one synchronisation to each column alike."""
    for model in models:
        found: dict[str, dict[str, float]] = {}
        for mode in MODES:
            torch.manual_seed(0)
            with INSTRUMENTS[mode](TRAININGS[model]("cuda")) as running:
                found[mode] = waits_of(running)
        kinds = sorted({kind for counts in found.values() for kind in counts})
        lines = [(TITLES[mode], *(f"{found[mode].get(kind, 0):.1f}" for kind in kinds)) for mode in MODES]
        show(f"{model}: waits for the device, each step", ("", *kinds), lines)
