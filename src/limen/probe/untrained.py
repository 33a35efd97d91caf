"""Parameters that no update reaches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from limen.anatomy import live_optimisers, local_of, looks_drawn
from limen.probe.directory import Directory
from limen.probe.identity import ByIdentity
from limen.probe.modes import unseen
from limen.probe.parameter_record import ParameterRecord, sample
from limen.vitals import Untrained

__all__ = ["UntrainedBook"]

FIRST = 4  # looks, after which parameters are first looked through; then at every doubling
ROWS = 4  # measured steps without a gradient before one has never had any
MOST = 1_024  # parameters that are told of

Floats = np.ndarray


class UntrainedBook:
    """Looks through the parameters seldom: of those that may be meant, some entries are kept to see whether they move.

    Args:
        directory: all parameters that have a name.
        is_measurable: whether a tensor holds plain numbers here.
    """

    def __init__(self, directory: Directory, is_measurable: Callable[[Tensor], bool]) -> None:
        self.found: tuple[Untrained, ...] = ()
        self._directory = directory
        self._is_measurable = is_measurable
        self._looks = 0
        self._before: ByIdentity[bytes] = ByIdentity()
        self._fresh: ByIdentity[bool] = ByIdentity()
        self._resting: ByIdentity[bool] = ByIdentity()  # whether an optimiser holds it that has yet to step

    @property
    def quiet_looks(self) -> int:
        """How many looks come before the one at which parameters are looked through."""
        return (FIRST if self._looks < FIRST else 1 << self._looks.bit_length()) - self._looks - 1

    def skip(self, looks: int) -> None:
        """So many of them have passed."""
        self._looks += looks

    def look(self, optimisers: Sequence[Optimizer], records: ByIdentity[ParameterRecord]) -> None:
        """A step that was looked at has ended, the gradients of which are still there.

        Args:
            optimisers: that have stepped.
            records: of what they move.
        """
        self._looks += 1
        if self._looks < FIRST or self._looks & (self._looks - 1) or not optimisers:
            return
        with unseen(), torch.no_grad():
            suspects = list(self._suspects(optimisers, records))
            self._find_resting([tensor for tensor, is_held in suspects if not is_held])
            still = [
                (tensor, is_held)
                for tensor, is_held in suspects
                if (is_held or not self._resting.get(tensor)) and self._stands_still(tensor)
            ]
            self.found = tuple(self._told(tensor, is_held) for tensor, is_held in still[:MOST])

    def _suspects(
        self, optimisers: Sequence[Optimizer], records: ByIdentity[ParameterRecord]
    ) -> Iterator[tuple[Tensor, bool]]:
        """Parameters with a gradient and no optimiser, or the other way round, and whether an optimiser holds them."""
        held = identities(optimisers)
        for tensor in self._directory.tensors():
            if not tensor.requires_grad or not self._is_measurable(tensor):
                continue
            if id(tensor) not in held:
                if tensor.grad is not None:
                    yield tensor, False
            elif tensor.grad is None and never_had_one(records.get(tensor)):
                yield tensor, True

    def _find_resting(self, tensors: list[Tensor]) -> None:
        if any(tensor not in self._resting for tensor in tensors):
            held = identities(live_optimisers())
            for tensor in tensors:
                self._resting.put(tensor, id(tensor) in held)

    def _stands_still(self, tensor: Tensor) -> bool:
        """Whether the entries are those of an earlier look."""
        now = entries(tensor)
        before = self._before.get(tensor)
        if before is None:
            self._fresh.put(tensor, looks_drawn(tensor.shape, now))
            self._before.put(tensor, now.tobytes())  # last: it tells that both are known
        return before == now.tobytes()

    def _told(self, tensor: Tensor, is_held: bool) -> Untrained:
        name = self._directory.full(self._directory.tensor(tensor) or ("", ""))
        return Untrained(
            name=name,
            layer=name.rpartition(".")[0] or name,
            entries=math.prod(tensor.shape),
            reason="no-gradient" if is_held else "no-optimiser",
            as_drawn=bool(self._fresh.get(tensor)),
        )


def identities(optimisers: Sequence[Optimizer]) -> set[int]:
    """All that some optimisers hold."""
    return {id(tensor) for one in optimisers for group in one.param_groups for tensor in group["params"]}


def never_had_one(record: ParameterRecord | None) -> bool:
    """Whether no measured step had a gradient."""
    return record is not None and record.has_no_gradient(ROWS)


def entries(tensor: Tensor) -> Floats:
    """Some of the entries of a parameter, evenly spaced."""
    return sample(local_of(tensor.detach())).float().cpu().numpy().ravel()
