"""The running account of the trained tensors: gradient, weight and update norms."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from limen.probe.rows import Rows
from limen.sites import Parameter
from limen.vitals import ParameterHistory, ParameterVitals

__all__ = ["ParameterRecord", "Sweep"]

foreach_norm: Any = torch._foreach_norm  # pyright: ignore[reportPrivateUsage]  # the public optimisers use it too

ENTRIES = 4_096  # entries of a tensor, evenly spaced, on which its update ratio is measured
HALVES = (torch.float16, torch.bfloat16)
NO_TENSOR = torch.empty(0)
GRADIENT, WEIGHT, UPDATE = 1, 2, 3


class ParameterRecord:
    """Everything kept about one trained tensor."""

    def __init__(self, parameter: Parameter, tensor: Tensor, optimiser: int | None) -> None:
        self.parameter = parameter
        self.tensor = tensor
        self.optimiser = optimiser
        self.rows = Rows(4)
        self.first_nonfinite: int | None = None
        self.initial_std = float(widened(tensor.detach()).std()) if tensor.numel() > 1 and not tensor.is_sparse else 0.0

    def enter(self, step: int, gradient: float, weight: float) -> bool:
        """Enter the norms before an update; returns whether the row was kept."""
        if self.first_nonfinite is None and (math.isinf(gradient) or not math.isfinite(weight)):
            self.first_nonfinite = step
        return self.rows.append(step, gradient, weight, math.nan)

    def let_go(self) -> None:
        """Do not keep the tensor alive any longer: nothing updates it."""
        self.tensor = NO_TENSOR

    def vitals(self) -> ParameterVitals:
        """A copy as a value."""
        rows = self.rows
        history = ParameterHistory(rows.whole(0), rows.column(GRADIENT), rows.column(WEIGHT), rows.column(UPDATE))
        return ParameterVitals(self.parameter, history, self.first_nonfinite, self.optimiser)


@dataclass
class Sweep:
    """One measurement of a set of parameters, before and after an update.

    Norms are taken with one ``foreach`` call each, summed in float32: relative error about 1e-5 for a million entries.
    The update is measured on at most 4,096 entries of a tensor, evenly spaced, before and after: exact for small
    tensors, a sample of large ones, and never a second copy of the model.
    """

    records: list[ParameterRecord]
    step: int
    _before: list[Tensor] = field(default_factory=list[Tensor])
    _kept: list[ParameterRecord] = field(default_factory=list[ParameterRecord])

    @torch.no_grad()
    def before(self) -> None:
        """Read gradients and weights just before the update."""
        dense = [record for record in self.records if not record.tensor.is_sparse]
        weights = norms([record.tensor.detach() for record in dense])
        with_gradient = [record for record in dense if usable(record.tensor.grad)]
        gradients = norms([record.tensor.grad for record in with_gradient if record.tensor.grad is not None])
        by_record = dict(zip(map(id, with_gradient), gradients, strict=True))
        for record, weight in zip(dense, weights, strict=True):
            gradient = by_record.get(id(record))
            if gradient is not None and math.isnan(gradient):
                gradient = math.inf  # a NaN gradient is worse than none: NaN in a row means none
            if record.enter(self.step, math.nan if gradient is None else gradient, weight):
                self._kept.append(record)
        self._before = [sample(record.tensor).clone() for record in self._kept]

    @torch.no_grad()
    def after(self) -> None:
        """Read the weights just after the update."""
        if not self._kept:
            return
        pairs = zip(self._kept, self._before, strict=True)
        moved = [widened(sample(record.tensor)) - widened(old) for record, old in pairs]
        for record, change, size in zip(self._kept, norms(moved), norms(self._before), strict=True):
            record.rows.amend(UPDATE, change / size if size > 0 else math.nan)
        self._before, self._kept = [], []


def usable(gradient: Tensor | None) -> bool:
    """Whether a gradient is there and dense."""
    return gradient is not None and not gradient.is_sparse


def sample(tensor: Tensor) -> Tensor:
    """At most 4,096 entries, evenly spaced, ``[entries]``; a view where the layout allows one."""
    flat = tensor.detach().reshape(-1)
    return flat[:: stride_of(flat.numel())]


@functools.cache
def stride_of(entries: int) -> int:
    """The distance between two sampled entries; it shares no factor with any axis, lest it see only some columns."""
    stride = max(1, -(-entries // ENTRIES))
    while math.gcd(stride, entries) > 1:
        stride += 1
    return stride


def widened(tensor: Tensor) -> Tensor:
    """The tensor itself, or in float32 where it is of half precision."""
    return tensor.float() if tensor.dtype in HALVES else tensor


def norms(tensors: Sequence[Tensor]) -> list[float]:
    """The L2 norm of each tensor; float16 and bfloat16 in float32, without a wider copy of them."""
    found = [0.0] * len(tensors)
    groups: dict[tuple[torch.device, torch.dtype], list[int]] = {}
    for place, tensor in enumerate(tensors):
        groups.setdefault((tensor.device, tensor.dtype), []).append(place)
    for (_, kind), places in groups.items():
        wide = torch.float32 if kind in HALVES else None
        group = foreach_norm([tensors[place] for place in places], 2, wide)
        for place, norm in zip(places, torch.stack(list(group)).tolist(), strict=True):
            # A square may be beyond float32 where the norm itself is not
            again = math.isinf(norm) and not kind.is_complex
            found[place] = float(torch.linalg.vector_norm(tensors[place], dtype=torch.float64)) if again else norm
    return found
