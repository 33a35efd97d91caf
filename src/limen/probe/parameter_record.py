"""The running account of the trained tensors: gradient, weight and update norms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from limen.anatomy import local_of
from limen.kernels import ENTRIES, RUN, Fetched, Spot, launch_norms, norms, samples, stride_of
from limen.probe.backlog import Backlog
from limen.probe.rows import Room, Rows
from limen.sites import Parameter
from limen.vitals import ParameterHistory, ParameterVitals

__all__ = ["ParameterRecord", "Sweep"]

HALVES = (torch.float16, torch.bfloat16)
NO_TENSOR = torch.empty(0)
GRADIENT, WEIGHT, UPDATE = 1, 2, 3
TINY = 1e-30
STALE = 5e-3  # share by which a weight's norm may have changed before it is read again


class ParameterRecord:
    """Everything kept about one trained tensor."""

    def __init__(self, parameter: Parameter, tensor: Tensor, optimiser: int | None, room: Room | None = None) -> None:
        self.parameter = parameter
        self.tensor = tensor
        self.optimiser = optimiser
        self.rows = Rows(4, room=room)
        self.first_nonfinite: int | None = None
        held = local_of(tensor.detach())
        self.initial_std = float(widened(held).std()) if held.numel() > 1 and not held.is_sparse else 0.0
        self._known: ParameterVitals | None = None
        self._weight = math.nan  # the norm read last
        self._weight_step = 0  # and when
        self._size = math.nan  # the norm of its sample then
        self.spot: Spot | None = None  # where the sample lies
        self._pace = math.inf  # the largest update ratio since

    def is_stale(self, step: int, size: float | None) -> bool:
        """Whether the norm of the weight may be off by more than 0.5 %: by its updates, or by that of its sample."""
        moved = self._pace * (step - self._weight_step)
        edited = 0.0 if size is None else abs(size - self._size) / max(self._size, TINY)
        return not max(moved, edited) < STALE

    def enter(self, step: int, gradient: float, weight: float | None, size: float | None) -> bool:
        """Enter the norms before an update: of the gradient, of the weight if it was read, and of its sample.

        Returns whether the row was kept.
        """
        if weight is not None and size is not None:
            self._size = size
        self._known = None
        if weight is not None:
            self._weight, self._weight_step, self._pace = weight, step, 0.0
        if self.first_nonfinite is None and (math.isinf(gradient) or not math.isfinite(self._weight)):
            self.first_nonfinite = step
        return self.rows.append(step, gradient, self._weight, math.nan)

    def enter_update(self, ratio: float) -> None:
        """Enter the update ratio of the row entered last."""
        self._known = None
        self.rows.amend(UPDATE, ratio)
        self._pace = max(self._pace, ratio) if math.isfinite(ratio) else math.inf

    def has_no_gradient(self, fewest: int) -> bool:
        """Whether no gradient was ever there, in as many measured steps at least."""
        return len(self.rows) >= fewest and bool(np.isnan(self.rows.column(GRADIENT)).all())

    def let_go(self) -> None:
        """Do not keep the tensor alive any longer: nothing updates it."""
        self.tensor, self.spot = NO_TENSOR, None

    def vitals(self) -> ParameterVitals:
        """A copy as a value; the same one until there is something new."""
        if self._known is None:
            self._known = self._copied()
        return self._known

    def _copied(self) -> ParameterVitals:
        history = ParameterHistory(*[cast("Any", self.rows.table())] * 4)
        return ParameterVitals(self.parameter, history, self.first_nonfinite, self.optimiser, self.initial_std)


class Sweep:
    """One measurement of a set of parameters, before and after an update; what there is of it before is read at once.

    The update is measured on some 4,096 entries of a tensor, in evenly spaced runs, before and after: exact for small
    tensors, a sample of large ones, and never a second copy of the model.
    """

    def __init__(
        self, records: Sequence[ParameterRecord], step: int, backlog: Backlog, factor: Tensor | None = None
    ) -> None:
        self._step = step
        self._backlog = backlog
        self._factor = None if factor is None else Fetched(factor.clone())  # of its gradients, by a gradient scaler
        self._records: list[ParameterRecord] = []  # those whose row will be kept
        for record in records:
            if not record.tensor.is_sparse:
                self._records.append(record) if record.rows.keeps_next else record.rows.skip()
        with torch.no_grad():
            self.read_gradients()
            self._read_weights()

    def _read_weights(self) -> None:
        records, tensors = self._records, [local_of(record.tensor) for record in self._records]
        self._spots = spots_of(records, tensors)
        if samples is not None and self._spots is not None:
            self._samples: list[Tensor] = []
            self._sizes = Norms.known(samples.keep(tensors, self._spots))
        else:
            self._samples = [sample(tensor).clone() for tensor in tensors]
            self._sizes = Norms(self._samples)
        known = self._sizes.values() if self._sizes.fetched is None else [None] * len(records)
        stale = [record.is_stale(self._step, size) for record, size in zip(records, known, strict=True)]
        pairs = zip(tensors, stale, strict=True)
        self._weights = Norms([tensor.detach() if is_stale else None for tensor, is_stale in pairs])

    def read_gradients(self) -> None:
        """Read the gradients, as they are now."""
        self._gradients = Norms([usable(record.tensor.grad) for record in self._records])

    @torch.no_grad()
    def after(self) -> None:
        """Read the weights just after the update, and enter everything once it is known."""
        if not self._records:
            return
        tensors = [local_of(record.tensor) for record in self._records]
        if samples is not None and self._spots is not None:
            moved = Norms.known(samples.moved(tensors, self._spots))
        else:
            pairs = zip(tensors, self._samples, strict=True)
            moved = Norms([widened(sample(tensor)) - widened(old) for tensor, old in pairs])
        self._samples = []
        self._backlog.do(lambda: self._enter(moved), moved.fetched)

    def _enter(self, moved: Norms) -> None:
        factor = 1.0 if self._factor is None else float(self._factor.numbers())
        found = (self._gradients.values(), self._weights.values(), moved.values(), self._sizes.values())
        for record, gradient, weight, change, size in zip(self._records, *found, strict=True):
            # A NaN gradient is worse than none: NaN in a row means none
            broken = gradient is not None and math.isnan(gradient)
            norm = math.inf if broken else math.nan if gradient is None else gradient / factor
            record.enter(self._step, norm, weight, size)
            record.enter_update(change / size if change is not None and size else math.nan)


class Norms:
    """The L2 norms of some tensors, of which some may not be there.

    Attributes:
        fetched: where a device takes them, its answer on the way.
    """

    def __init__(self, tensors: Sequence[Tensor | None]) -> None:
        self._is_there = [tensor is not None for tensor in tensors]
        there = [tensor for tensor in tensors if tensor is not None]
        self.fetched = None if all(tensor.is_cpu for tensor in there) else launch_norms(there)
        self._found = norms(there) if self.fetched is None else []

    @classmethod
    def known(cls, values: list[float]) -> Norms:
        """Those that somebody else has taken."""
        norms = cls([])
        norms._is_there, norms._found = [True] * len(values), values
        return norms

    def values(self) -> list[float | None]:
        """One for each tensor; None for one that is not there."""
        found = iter(self._found if self.fetched is None else self.fetched.numbers().tolist())
        return [next(found) if is_there else None for is_there in self._is_there]


def usable(gradient: Tensor | None) -> Tensor | None:
    """A gradient that is there and dense, as far as this process holds it."""
    return None if gradient is None or gradient.is_sparse else local_of(gradient)


def spots_of(records: Sequence[ParameterRecord], tensors: Sequence[Tensor]) -> list[Spot] | None:
    """Where to look at each of the tensors; None where torch has to read one of them."""
    if samples is None:
        return None
    found: list[Spot] = []
    for record, tensor in zip(records, tensors, strict=True):
        record.spot = samples.spot(tensor, record.spot)
        if record.spot is None:
            return None
        found.append(record.spot)
    return found


def sample(tensor: Tensor) -> Tensor:
    """All entries, or some 4,096 of them in evenly spaced runs of a cache line; a view where the layout allows one."""
    flat = tensor.detach().reshape(-1)
    if flat.numel() <= ENTRIES:
        return flat
    runs = flat.numel() // RUN
    return flat[: runs * RUN].view(runs, RUN)[:: stride_of(runs)]


def widened(tensor: Tensor) -> Tensor:
    """The tensor itself, or in float32 where it is of half precision."""
    return tensor.float() if tensor.dtype in HALVES else tensor
