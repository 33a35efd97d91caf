"""How far the statistics of a batch normalisation scatter from batch to batch, told by its running averages."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TypeGuard

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from limen.kernels import Fetched, is_capturing
from limen.probe.modes import is_ordinary

__all__ = ["BatchRecord", "independent_values"]

MOST = 8  # readings
FEWEST = 3  # batches: two differences

Floats = npt.NDArray[np.float64]


class BatchRecord:
    """Readings of running statistics before each of some training passes.

    An average moves by ``momentum * (batch - average)``, so that two readings with one pass between them tell the mean
    and the variance of its batch, and no activation is read for it.
    """

    def __init__(self) -> None:
        self._readings: list[Fetched] = []
        self._momentum: float | None = None
        self._known: tuple[int, float | None] = 0, None

    @torch.no_grad()
    def read(self, module: nn.Module) -> None:
        """Take down where the averages stand, if the module keeps any."""
        mean, variance, passes = (
            getattr(module, name, None) for name in ("running_mean", "running_var", "num_batches_tracked")
        )
        if not (is_plain(mean) and is_plain(variance) and isinstance(passes, Tensor)) or len(self._readings) == MOST:
            return
        if is_capturing(mean) or not is_ordinary():
            return
        momentum = getattr(module, "momentum", None)
        self._momentum = float(momentum) if momentum is not None else None
        count = passes.to(device=mean.device, dtype=mean.dtype).reshape(1)
        self._readings.append(Fetched(torch.cat((mean, variance, count))))

    def independent(self) -> float | None:
        """As ``independent_values`` of the batches that are told; None where too few are."""
        arrived = [one for one in self._readings if one.has_arrived]
        if len(arrived) != self._known[0]:
            self._known = len(arrived), self._of([one.numbers() for one in arrived])
        return self._known[1]

    def _of(self, readings: Sequence[Floats]) -> float | None:
        batches: list[Floats] = []
        for before, behind in itertools.pairwise(readings):
            share = self._momentum if self._momentum is not None else 1.0 / max(behind[-1], 1.0)
            if behind[-1] == before[-1] + 1.0 and share > 0.0:  # not more than one pass, as checkpointing makes of one
                with np.errstate(invalid="ignore", over="ignore"):
                    batches.append((before + (behind - before) / share)[:-1])
        if len(batches) < FEWEST:
            return None
        means, variances = np.split(np.stack(batches), 2, axis=1)
        return independent_values(means, variances)


def is_plain(average: object) -> TypeGuard[Tensor]:
    return type(average) is Tensor and average.dtype in (torch.float32, torch.float64) and not average.is_meta


def independent_values(means: Floats, variances: Floats) -> float | None:
    """Of how many independent values a mean would scatter as much as those of some batches do.

    The mean of n independent values of variance v has the variance v / n. Of n images it is less than their pixels:
    those of one image are alike. The scatter is taken of neighbouring batches, so that a slow drift does not count,
    and the median over units.

    Args:
        means: ``[batches, units]``, of each batch.
        variances: ``[batches, units]``, within each batch, without bias.

    Returns:
        The number; None where no unit varies.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        scatter, within = np.square(np.diff(means, axis=0)).mean(0) / 2.0, variances.mean(0)
    varies = np.isfinite(scatter) & (within > 0.0) & np.isfinite(within)
    if not varies.any():
        return None
    share = float(np.median(scatter[varies] / within[varies]))
    return 1.0 / share if share > 0.0 else math.inf
