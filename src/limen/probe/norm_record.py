"""A normalisation as it was called in the first steps, and what can be told of one before it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
import torch.distributed
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]
from torch.nn.modules.instancenorm import _InstanceNorm  # pyright: ignore[reportPrivateUsage]

from limen.probe.batch_record import BatchRecord
from limen.vitals import Normalisation

__all__ = ["NORMS", "Name", "Norm", "is_untouched", "samples_of", "uses_batch", "values_of"]

FEW = 4  # samples of a batch, and fewer, of which statistics may scatter too much

Name = tuple[str, str]  # model and path

NORMS = (_BatchNorm, _InstanceNorm, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)


@dataclass(eq=False)
class Norm:
    """A normalisation; ``now`` is the fewest values of the current step, ``values`` those of the steps before.

    So it is with ``samples``, of each of which there are as many values.
    """

    name: Name
    kind: str
    trains: bool
    untouched: bool
    dropped: float
    now: int
    samples_now: int
    values: int = 0
    samples: int = 0
    record: BatchRecord = field(default_factory=BatchRecord)

    def hear(self, values: int, samples: int) -> None:
        """It is called once more."""
        self.now = min(self.now, values) if self.now else values
        self.samples_now = min(self.samples_now, samples) if self.samples_now else samples

    def read(self, module: nn.Module, samples: int) -> None:
        """Take down running averages, where they may tell of statistics that scatter too much."""
        if self.trains and 0 < samples <= FEW:
            self.record.read(module)

    def close_step(self) -> None:
        """A step has ended."""
        self.values, self.now = max(self.values, self.now), 0
        self.samples, self.samples_now = max(self.samples, self.samples_now), 0

    def vitals(self, name: str) -> Normalisation:
        """What is known, under its full name."""
        return Normalisation(
            name=name,
            kind=self.kind,
            values=max(self.values, self.now),
            trains=self.trains,
            untouched=self.untouched,
            dropped=self.dropped,
            samples=max(self.samples, self.samples_now),
            independent=self.record.independent(),
        )


def values_of(module: nn.Module, data: Tensor) -> int:
    """Values that one mean and variance are taken of; 0 where that is not told."""
    if data.is_nested or not data.ndim:
        return 0
    if isinstance(module, _InstanceNorm):
        return math.prod(data.shape[2 if data.ndim > module_rank(module) else 1 :])
    if isinstance(module, _BatchNorm):
        return together(module) * data.numel() // data.shape[1] if data.ndim > 1 and data.shape[1] else 0
    if isinstance(module, nn.GroupNorm):
        return math.prod(data.shape[1:]) // module.num_groups
    shape = getattr(module, "normalized_shape", ())
    return math.prod(shape)


def samples_of(module: nn.Module, data: Tensor) -> int:
    """Samples whose values a batch normalisation takes together; 0 for any other."""
    return together(module) * data.shape[0] if isinstance(module, _BatchNorm) and not data.is_nested else 0


def together(module: nn.Module) -> int:
    """Processes that take one mean of what each of them is given."""
    if not isinstance(module, nn.SyncBatchNorm):
        return 1
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    return torch.distributed.get_world_size(module.process_group) if distributed else 1


def module_rank(module: nn.Module) -> int:
    """Axes of what an instance normalisation is given without a batch."""
    digits = [int(letter) for letter in type(module).__name__ if letter.isdigit()]
    return digits[0] + 1 if digits else 3


def uses_batch(module: nn.Module) -> bool:
    """Whether a normalisation takes its statistics of what it is given."""
    return module.training or getattr(module, "running_mean", None) is None


@torch.no_grad()
def is_untouched(module: nn.Module) -> bool:
    """Whether running statistics are as they were made. Read only where they are used in place of the batch's."""
    if uses_batch(module):
        return False
    mean, variance = getattr(module, "running_mean", None), getattr(module, "running_var", None)
    known = isinstance(mean, Tensor) and isinstance(variance, Tensor) and not mean.is_meta
    return known and bool((mean == 0.0).all()) and bool((variance == 1.0).all())
