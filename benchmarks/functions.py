"""How fast the functions are: ``make bench-functions``, or ``python -m benchmarks.functions``.

Forward and backward pass of limen's compiled functions, fast and exact, beside torch's eager operators, torch.compile
on request, and a plain copy of the tensor. They take turns in short rounds, in another order each time, and a ratio is
always taken within one round, so that a drift of the machine's speed falls out. torch against itself gives the noise.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.numerics import TORCH
from benchmarks.race import MALLOC
from benchmarks.ratios import AGAIN, Clock, Quartiles, quartiles
from benchmarks.record import RESULTS, save
from benchmarks.tables import figure, show
from limen.activations import Activation, get
from limen.kernels import functions

EAGER, FAST, EXACT, COMPILED, COPY = "torch", "fast", "exact", "torch.compile", "copy"
NAMES = (
    "relu leaky_relu relu6 hardtanh hardsigmoid hardswish sigmoid tanh softsign softplus logsigmoid elu celu selu silu "
    "gelu gelu_tanh mish"
)
CLOCKS: dict[Clock, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}
READ_AND_WRITTEN = 5 / 2  # tensors that both passes touch, for each one of a copy

Passes = tuple[Callable[[], object], Callable[[], object]]
"""Forward and backward."""


@dataclass(frozen=True)
class Row:
    """One function.

    Attributes:
        milliseconds: of both passes, by who made them; of a copy alone.
        forward: how many times as fast as torch's eager operator, the forward pass alone.
        both: both passes together.
        of_copy: share of the speed of a copy, in bytes, that both passes reach.
    """

    function: str
    entries: int
    threads: int
    clock: Clock
    rounds: int
    milliseconds: dict[str, Quartiles]
    forward: dict[str, Quartiles]
    both: dict[str, Quartiles]
    of_copy: dict[str, Quartiles]


def torch_passes(function: Callable[[Tensor], Tensor], x: Tensor, grad: Tensor) -> Passes:
    leaf, made = x.clone().requires_grad_(), list[Tensor]()

    def forward() -> None:
        made[:] = [function(leaf)]

    return forward, lambda: torch.autograd.grad(made.pop(), leaf, grad)


def limen_passes(act: Activation, x: Tensor, grad: Tensor, *, exact: bool) -> Passes:
    parameters = tuple(getattr(act, field.name) for field in fields(act))  # pyright: ignore[reportArgumentType]
    return (
        partial(functions.value, act.name, x, parameters, exact=exact),
        partial(functions.gradient, act.name, grad, x, parameters, exact=exact),
    )


def contestants(name: str, x: Tensor, grad: Tensor, *, compiled: bool) -> dict[str, Passes]:
    found = {
        EAGER: torch_passes(TORCH[name], x, grad),
        FAST: limen_passes(get(name), x, grad, exact=False),
        EXACT: limen_passes(get(name), x, grad, exact=True),
        COPY: (x.clone, lambda: None),
        AGAIN: torch_passes(TORCH[name], x, grad),
    }
    if compiled:
        found[COMPILED] = torch_passes(torch.compile(TORCH[name]), x, grad)
    return found


def turn(passes: Passes, clock: Clock) -> tuple[float, float]:
    """Seconds of each pass."""
    now = CLOCKS[clock]
    began = now()
    y = passes[0]()
    between = now()
    passes[1]()
    ended = now()
    del y
    return between - began, ended - between


def measure(name: str, entries: int, rounds: int, clock: Clock, *, compiled: bool) -> Row:
    generator = torch.Generator().manual_seed(0)
    x, grad = (torch.randn(entries, generator=generator) for _ in range(2))
    field = contestants(name, x, grad, compiled=compiled)
    times: dict[str, list[tuple[float, float]]] = {who: [] for who in field}
    for number in range(-2, rounds):  # two to warm up
        order = list(field)[number % len(field) :] + list(field)[: number % len(field)]
        for who in order:
            spent = turn(field[who], clock)
            if number >= 0:
                times[who].append(spent)
    return row(name, entries, clock, times)


def row(name: str, entries: int, clock: Clock, times: dict[str, list[tuple[float, float]]]) -> Row:
    both = {who: [sum(spent) for spent in all_spent] for who, all_spent in times.items()}
    others = [who for who in times if who not in (EAGER, COPY)]
    return Row(
        name,
        entries,
        torch.get_num_threads(),
        clock,
        len(both[EAGER]),
        {who: quartiles([1e3 * spent for spent in both[who]]) for who in times},
        {who: ratio([t[0] for t in times[EAGER]], [t[0] for t in times[who]]) for who in others},
        {who: ratio(both[EAGER], both[who]) for who in others},
        {who: ratio([READ_AND_WRITTEN * spent for spent in both[COPY]], both[who]) for who in (EAGER, *others)},
    )


def ratio(above: Sequence[float], below: Sequence[float]) -> Quartiles:
    """Round by round."""
    return quartiles([one / other for one, other in zip(above, below, strict=True)])


def times_as_fast(speed: Quartiles) -> str:
    """Median and quartiles."""
    low, middle, high = (figure(value) for value in speed)
    return f"{middle} ({low}–{high})"


def cells(found: Row) -> tuple[str, ...]:
    speeds = (times_as_fast(found.both[who]) for who in raced(found))
    return found.function, figure(found.milliseconds[EAGER][1]), *speeds, figure(100 * found.of_copy[FAST][1])


def raced(found: Row) -> list[str]:
    return [who for who in (FAST, EXACT, COMPILED, AGAIN) if who in found.both]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--functions", nargs="+", default=NAMES.split())
    parser.add_argument("--entries", type=int, default=1 << 22)
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--quick", action="store_true", help="10 rounds")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall", help="cpu where others use the machine too")
    parser.add_argument("--compile", action="store_true", help="torch.compile as well; takes a minute to compile")
    parser.add_argument("--output", type=Path, default=RESULTS / "functions.json")
    options = parser.parse_args()
    if any(os.environ.get(name) != setting for name, setting in MALLOC.items()):  # read by glibc when it starts
        os.execve(
            sys.executable, [sys.executable, "-m", "benchmarks.functions", *sys.argv[1:]], {**os.environ, **MALLOC}
        )
    if functions.IN_USE.startswith("torch"):
        parser.error(f"there are no compiled functions: {functions.IN_USE}")
    rows: list[Row] = []
    for threads in options.threads:
        torch.set_num_threads(threads)
        for name in options.functions:
            rounds = 10 if options.quick else options.rounds
            rows.append(measure(name, options.entries, rounds, options.clock, compiled=options.compile))
            print(*cells(rows[-1]), sep="  ", flush=True)
    title = f"{options.entries:,} float32, {options.clock} time: times as fast as torch's eager operator (quartiles)"
    show(title, ("function", "torch ms", *raced(rows[0]), "copy %"), [cells(found) for found in rows])
    save(options.output, rows)
    print(f"written: {options.output}")


if __name__ == "__main__":
    main()
