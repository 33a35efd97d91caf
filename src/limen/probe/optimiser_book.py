"""The optimisers of a training and the tensors they move."""

from __future__ import annotations

import functools
import math
import weakref
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from limen.anatomy import is_adaptive, local_of, shards_of, user_frame
from limen.kernels import Fetched
from limen.probe.backlog import Backlog
from limen.probe.budget import DENSE_STEPS
from limen.probe.clearing import Clearing
from limen.probe.directory import Directory
from limen.probe.identity import ByIdentity
from limen.probe.parameter_record import ParameterRecord, Sweep
from limen.probe.rows import Room, Rows
from limen.probe.untrained import UntrainedBook
from limen.sites import Parameter
from limen.vitals import OptimiserVitals, ParameterVitals

__all__ = ["OptimiserBook", "tensors_of"]

TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128)
# Up to some step, the least number of steps between two measurements of the same parameters: norms change slowly, and
# reading them takes as long as all the rest.
GAPS = ((DENSE_STEPS, 0), (400, 4), (1_000, 8), (2_000, 16))
LATE_GAP = 32  # after them


class Entry(NamedTuple):
    """An optimiser, what does not change about it, and its learning rates."""

    held: weakref.ref[Optimizer]
    facts: OptimiserVitals
    rates: Rows


class OptimiserBook:
    """Optimisers in the order of their first step, their rates, and the norms of what they move."""

    def __init__(self, directory: Directory, backlog: Backlog) -> None:
        self.directory = directory
        self._backlog = backlog
        self._entries: list[Entry] = []
        self._records: ByIdentity[ParameterRecord] = ByIdentity()
        self._room = Room()
        self._trained: dict[int | None, list[ParameterRecord]] = {}  # what each optimiser moved last
        self._sweep: Sweep | None = None
        self._swept: dict[int | None, int] = {}  # by optimiser, the step of the last one
        self.clearing = Clearing(backlog)
        self.untrained = UntrainedBook(directory, is_measurable)

    def live(self) -> list[Optimizer]:
        """Those that still exist."""
        return [optimiser for entry in self._entries if (optimiser := entry.held()) is not None]

    def at(self, number: int) -> Optimizer | None:
        """The optimiser of a number, unless it is gone."""
        return self._entries[number].held()

    def index(self, optimiser: Optimizer) -> int:
        """The number of an optimiser; a new one is entered."""
        for number, entry in enumerate(self._entries):
            if entry.held() is optimiser:
                return number
        gone = {number for number, entry in enumerate(self._entries) if entry.held() is None}
        for record in self._records.values():
            if record.optimiser in gone:
                record.let_go()
        self._entries.append(Entry(weakref.ref(optimiser), facts_of(optimiser), Rows(2)))
        return len(self._entries) - 1

    def begin_sweep(self, optimiser: Optimizer | None, tensors: Sequence[Tensor], step: int) -> None:
        """Measure gradients and weights just before an update: of each of the first steps, seldom later."""
        number = None if optimiser is None else self.index(optimiser)
        if step - self._swept.get(number, 0) < gap_at(step):
            return
        self._sweep = None  # of an optimiser that steps this one within its step
        trained = [tensor for tensor in tensors if tensor.requires_grad and is_measurable(tensor)]
        records = self._trained.get(number, [])
        if len(records) != len(trained) or any(r.tensor is not t for r, t in zip(records, trained, strict=True)):
            self.directory.name_loose(tensors, user_frame())
            records = self._trained[number] = [self._record(tensor, number) for tensor in trained]
        # a fused optimiser undoes the scaling of its gradients itself
        self._sweep = Sweep(records, step, self._backlog, getattr(optimiser, "grad_scale", None))
        self._swept[number] = step

    def evaluated(self, optimiser: Optimizer, tensors: Sequence[Tensor], step: int) -> None:
        """Take the gradients that the closure of an optimiser has just made for those of its update."""
        if self._sweep is None:
            self.begin_sweep(optimiser, tensors, step)
        else:
            self._sweep.read_gradients()

    def rebind(self, tensors: Sequence[Tensor]) -> None:
        """Let the records of tensors that the script has replaced go on with the new ones of the same names."""
        by_name = {record.parameter.name: record for record in self._records.values() if record.optimiser is None}
        for tensor in tensors:
            record = by_name.get(self.directory.full(self.directory.tensor(tensor) or ("", "")))
            if record is not None and record.tensor is not tensor and record.parameter.shape == tuple(tensor.shape):
                self._records.put(tensor, record)
                record.tensor = tensor

    def drop_sweep(self) -> None:
        """Forget a measurement whose update did not end."""
        self._sweep = None

    def finish_sweep(self) -> None:
        """Measure what the update changed."""
        sweep, self._sweep = self._sweep, None
        if sweep is not None:
            sweep.after()

    def commit(self, step: int) -> None:
        """Enter the learning rates of a step, and look for what no update reaches."""
        self.untrained.look(self.live(), self._records)
        for entry in self._entries:
            optimiser = entry.held()
            if optimiser is not None:
                rate = rate_of(optimiser)
                entered = partial(enter_rate, entry.rates, step, rate)
                self._backlog.do(entered, rate if isinstance(rate, Fetched) else None)

    def quiet_steps(self, number: int, step: int) -> int:
        """How many steps of an optimiser, from this one on, are neither measured nor followed by a search."""
        due = self._swept.get(number, 0) + gap_at(step)
        return min(max(due - step, 0), self.untrained.quiet_looks)

    def is_usual(self, optimiser: Optimizer) -> bool:
        """Whether there is no other, its rate is a plain number, and its gradients are taken away in between."""
        plain = bool(optimiser.param_groups) and type(optimiser.param_groups[0].get("lr")) is float
        return plain and self.live() == [optimiser] and self.clearing.was_clear(self.index(optimiser))

    def enter(self, number: int, first: int, rates: Sequence[float]) -> None:
        """Enter the learning rates of quiet steps, of which this one was the first."""
        self.untrained.skip(len(rates))
        self._entries[number].rates.extend(np.arange(first, first + len(rates)), np.reshape(rates, (-1, 1)))

    def initial_std(self, tensor: Tensor) -> float:
        """Standard deviation of a parameter when it was first met; 0 for one never met."""
        record = self._records.get(tensor)
        return 0.0 if record is None else record.initial_std

    def vitals(self) -> tuple[OptimiserVitals, ...]:
        """Copies as values."""
        return tuple(
            replace(facts, step=rows.column(0), learning_rate=rows.column(1), uncleared=self.clearing.uncleared(number))
            for number, (_, facts, rows) in enumerate(self._entries)
        )

    def parameter_vitals(self) -> tuple[ParameterVitals, ...]:
        """Copies as values, in forward order."""
        distinct = dict.fromkeys(self._records.values())
        records = sorted(distinct, key=lambda record: record.parameter.order)
        return tuple(record.vitals() for record in records)

    def _record(self, tensor: Tensor, optimiser: int | None) -> ParameterRecord:
        record = self._records.get(tensor)
        if record is None:
            name = self.directory.full(self.directory.tensor(tensor) or ("", f"tensor{len(self._records)}"))
            layer = name.rpartition(".")[0] or name
            parameter = Parameter(
                name, layer, tuple(tensor.shape), self.directory.rank(tensor), tensor.ndim >= 2, shards_of(tensor)
            )
            record = ParameterRecord(parameter, tensor, optimiser, self._room)
            self._records.put(tensor, record)
        return record


def gap_at(step: int) -> int:
    """Steps from one measurement of the same parameters to the next, at least."""
    return next((gap for last, gap in GAPS if step <= last), LATE_GAP)


def is_measurable(tensor: Tensor) -> bool:
    """Whether a trained tensor holds plain numbers here: not sparse, quantised, without data or of an odd class."""
    local = local_of(tensor)
    return is_plain(type(local)) and local.layout is torch.strided and not local.is_meta and local.dtype in TYPES


@functools.cache
def is_plain(kind: type[Tensor]) -> bool:
    """Whether a class leaves torch's arithmetic as it is."""
    own = [base for base in kind.__mro__ if base not in (*Tensor.__mro__, nn.Parameter)]
    return not any(name in vars(base) for base in own for name in ("__torch_function__", "__torch_dispatch__"))


def tensors_of(optimiser: Optimizer) -> list[Tensor]:
    """All that an optimiser moves."""
    return [tensor for group in optimiser.param_groups for tensor in group["params"]]


def rate_of(optimiser: Optimizer) -> float | Fetched:
    """Learning rate of the first parameter group, which may be on a device; NaN where it has none."""
    groups = optimiser.param_groups
    rate = groups[0].get("lr", math.nan) if groups else math.nan
    return Fetched(rate) if isinstance(rate, Tensor) and not rate.is_cpu else float(rate)


def enter_rate(rows: Rows, step: int, rate: float | Fetched) -> None:
    """Enter the learning rate of a step."""
    rows.append(step, float(rate.numbers()) if isinstance(rate, Fetched) else rate)


def facts_of(optimiser: Optimizer) -> OptimiserVitals:
    """What does not change about an optimiser."""
    first = optimiser.param_groups[0] if optimiser.param_groups else {}
    betas = first.get("betas") or (0.0,)
    momentum = float(first.get("momentum") or betas[0] or 0.0)
    empty = Rows(2, 2)
    return OptimiserVitals(
        name=type(optimiser).__name__,
        step=empty.column(0),
        learning_rate=empty.column(1),
        momentum=momentum,
        weight_decay=float(first.get("weight_decay") or 0.0),
        adaptive=is_adaptive(optimiser),
    )
