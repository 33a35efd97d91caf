"""What the loss function of an optimiser was given, over its first steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.anatomy import Reading, local_of
from limen.probe.inputs import is_dense
from limen.vitals import Scale

__all__ = ["STEPS", "Glimpse", "OutputRecord", "glimpse_of"]

STEPS = 8  # of an optimiser whose outputs are read; what is wrong with a loss function is wrong from the start
MOST = 2**16  # entries that are read of one tensor; of a larger one, evenly chosen samples


@dataclass(frozen=True)
class Entries:
    """Sums over the entries of a tensor: how many, their mean, the sum of squared deviations from it, extremes."""

    count: int
    mean: float
    m2: float
    low: float
    high: float
    width: int

    @classmethod
    def of(cls, tensor: Tensor | None) -> Entries | None:
        """Of a floating-point tensor in the memory of the processor; None of any other, and of an empty one."""
        if tensor is None or not tensor.is_cpu or not tensor.is_floating_point() or not is_dense(tensor):
            return None
        local = local_of(tensor.detach())
        if local.numel() == 0:
            return None
        width = local.shape[-1] if local.ndim > 1 else 1
        if local.numel() > MOST and local.ndim:
            local = local[:: -(-local.numel() // MOST)]
        flat = local.reshape(-1).double()
        low, high = torch.aminmax(flat)
        mean = flat.mean()
        return cls(flat.numel(), mean.item(), (flat - mean).square().sum().item(), low.item(), high.item(), width)

    def __add__(self, other: Entries) -> Entries:
        count, apart = self.count + other.count, other.mean - self.mean
        return Entries(
            count,
            self.mean + apart * other.count / count,
            self.m2 + other.m2 + apart * apart * self.count * other.count / count,
            min(self.low, other.low),
            max(self.high, other.high),
            self.width,
        )

    @property
    def scale(self) -> Scale:
        """The same as a value."""
        return Scale(self.mean, math.sqrt(self.m2 / self.count), self.low, self.high, self.width)


@dataclass(frozen=True)
class Glimpse:
    """The loss function of one backward pass, in numbers: no tensor is kept."""

    function: str
    head: str
    factor: float
    outputs: Entries | None
    targets: Entries | None


@torch.no_grad()
def glimpse_of(reading: Reading) -> Glimpse:
    """Numbers of a reading."""
    return Glimpse(
        reading.function, reading.head, reading.factor, Entries.of(reading.given), Entries.of(reading.wanted)
    )


class OutputRecord:
    """What all backward passes over the first steps of an optimiser have in common.

    Args:
        upwards: whether the optimiser maximises.
    """

    def __init__(self, upwards: bool = False) -> None:
        self._upwards = upwards
        self._first: Glimpse | None = None
        self._alike = True  # function and head of all passes are those of the first
        self._even = True  # so is the factor
        self._outputs: Entries | None = None
        self._targets: Entries | None = None

    def add(self, glimpses: list[Glimpse]) -> None:
        """Enter the backward passes of one step."""
        for one in glimpses:
            first = self._first = self._first or one
            self._alike = self._alike and (one.function, one.head) == (first.function, first.head)
            self._even = self._even and one.factor == first.factor
            self._outputs = merged(self._outputs, one.outputs)
            self._targets = merged(self._targets, one.targets)

    @property
    def head(self) -> str:
        """The function that makes what the loss is given; empty where it differs or is unknown."""
        return self._first.head if self._first is not None and self._alike else ""

    @property
    def negated(self) -> bool:
        """Whether the optimiser climbs the loss function, which had one and the same factor every time."""
        if self._first is None or not (self._alike and self._even):
            return False
        return self._first.factor > 0.0 if self._upwards else self._first.factor < 0.0

    @property
    def outputs(self) -> Scale | None:
        """Scale of what the loss was given."""
        return self._outputs.scale if self._outputs is not None and self._alike else None

    @property
    def targets(self) -> Scale | None:
        """Scale of what that was compared with."""
        return self._targets.scale if self._targets is not None and self._alike else None


def merged(one: Entries | None, other: Entries | None) -> Entries | None:
    """Both together; of entries that are not all finite only the first."""
    if one is None or other is None:
        return other if one is None else one
    return one + other if math.isfinite(other.m2) else one
