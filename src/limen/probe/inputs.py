"""The scale of the model's input, over the first steps."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from limen.anatomy import local_of
from limen.kernels import Fetched
from limen.probe.backlog import Backlog
from limen.probe.modes import is_ordinary, unseen
from limen.vitals import InputVitals

__all__ = ["InputAccount", "is_dense", "is_trained"]

MOST = 100  # batches that are looked at, be there nothing to read in them
BATCHES = 20  # batches that are read; the scale of a data set does not change after that


class InputAccount:
    """Mean, spread and extremes of the first floating-point input."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._batches = self._offered = 0
        self._count = 0
        self._total = self._squares = 0.0
        self._low, self._high = math.inf, -math.inf
        self._features = 0

    @property
    def is_known(self) -> bool:
        """Whether no further batch is read."""
        return self._batches >= BATCHES or self._offered >= MOST

    def add(self, batch: Tensor) -> None:
        """Enter one batch; integers (tokens, indices) have no scale and are left out."""
        if self.is_known:
            return
        self._offered += 1
        if is_dense(batch) and batch.is_floating_point() and batch.numel():
            self._read(batch)

    @torch.no_grad()
    def _read(self, batch: Tensor) -> None:
        local = local_of(batch.detach())
        flat = local.reshape(-1).to(torch.float32 if batch.device.type == "mps" else torch.float64)
        self._batches += 1
        self._features = batch.shape[1] if batch.ndim >= 4 else batch.shape[-1]
        entries, numbers = flat.numel(), Fetched(torch.stack([flat.sum(), flat @ flat, flat.min(), flat.max()]))
        self._backlog.do(lambda: self._enter(entries, *numbers.numbers().tolist()), None if batch.is_cpu else numbers)

    def _enter(self, entries: int, total: float, squares: float, low: float, high: float) -> None:
        self._count += entries
        self._total += total
        self._squares += squares
        self._low, self._high = min(self._low, low), max(self._high, high)

    def vitals(self) -> InputVitals | None:
        """A copy as a value; None where no floating-point input was seen."""
        if not self._count:
            return None
        mean = self._total / self._count
        variance = max(self._squares / self._count - mean * mean, 0.0)  # mean**2 may raise
        return InputVitals(mean, math.sqrt(variance), self._low, self._high, self._features)


def is_dense(batch: Tensor) -> bool:
    """Whether every entry is there: not sparse, not nested, not a tensor without data."""
    return batch.layout is torch.strided and not batch.is_nested and not batch.is_meta


def is_trained(z: Tensor) -> bool:
    """Whether an activation of a plain tensor is to be read: here and now, with a gradient to come."""
    if type(z) not in (Tensor, nn.Parameter) or not is_ordinary():
        return False
    with unseen():
        return z.requires_grad and z.is_floating_point() and is_dense(z)
