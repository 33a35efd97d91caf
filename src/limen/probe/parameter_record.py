"""The running account of the trained tensors: gradient, weight and update norms."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from limen.probe.rows import Rows
from limen.sites import Parameter
from limen.vitals import ParameterHistory, ParameterVitals

__all__ = ["ParameterRecord", "Sweep"]

ENTRIES = 4_096  # entries of a tensor, evenly spaced, on which its update ratio is measured
GRADIENT, WEIGHT, UPDATE = 1, 2, 3


class ParameterRecord:
    """Everything kept about one trained tensor."""

    def __init__(self, parameter: Parameter, tensor: Tensor, optimiser: int | None) -> None:
        self.parameter = parameter
        self.tensor = tensor
        self.optimiser = optimiser
        self.rows = Rows(4)
        self.first_nonfinite: int | None = None
        self.initial_std = float(tensor.detach().float().std()) if tensor.numel() > 1 else 0.0

    def enter(self, step: int, gradient: float, weight: float) -> bool:
        """Enter the norms before an update; returns whether the row was kept."""
        if self.first_nonfinite is None and (math.isinf(gradient) or not math.isfinite(weight)):
            self.first_nonfinite = step
        return self.rows.append(step, gradient, weight, math.nan)

    def vitals(self) -> ParameterVitals:
        """A copy as a value."""
        rows = self.rows
        history = ParameterHistory(rows.whole(0), rows.column(GRADIENT), rows.column(WEIGHT), rows.column(UPDATE))
        return ParameterVitals(self.parameter, history, self.first_nonfinite, self.optimiser)


@dataclass
class Sweep:
    """One measurement of a set of parameters, before and after an update.

    Norms are taken with one ``foreach`` call each. The update is measured on at most 4,096 entries of a tensor,
    evenly spaced, before and after: exact for small tensors, an unbiased sample of large ones, and never a second
    copy of the model.
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
        gradients = norms([record.tensor.grad for record in with_gradient])  # pyright: ignore[reportArgumentType]
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
        moved = [sample(record.tensor) - old for record, old in zip(self._kept, self._before, strict=True)]
        for record, change, size in zip(self._kept, norms(moved), norms(self._before), strict=True):
            record.rows.amend(UPDATE, change / size if size > 0 else math.nan)
        self._before, self._kept = [], []


def usable(gradient: Tensor | None) -> bool:
    """Whether a gradient is there and dense."""
    return gradient is not None and not gradient.is_sparse


def sample(tensor: Tensor) -> Tensor:
    """At most 4,096 entries, evenly spaced, ``[entries]``; a view where the layout allows one."""
    flat = tensor.detach().reshape(-1)
    return flat[:: max(1, -(-flat.numel() // ENTRIES))]


def norms(tensors: list[Tensor]) -> list[float]:
    """The L2 norm of each tensor; float16 and bfloat16 in float32."""
    if not tensors:
        return []
    half = any(tensor.dtype in (torch.float16, torch.bfloat16) for tensor in tensors)
    found = torch._foreach_norm([tensor.float() for tensor in tensors] if half else tensors)
    return [float(norm) for norm in found]
