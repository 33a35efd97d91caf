"""Optimiser steps in progress, and what is measured around each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor
from torch.optim import Optimizer

from limen.probe.optimiser_book import OptimiserBook, tensors_of

__all__ = ["Updates"]


class Update(NamedTuple):
    """An optimiser step in progress; with a closure, forward and backward passes happen within it."""

    optimiser: Optimizer
    has_closure: bool


class Updates:
    """The optimiser steps that have begun and not ended; some optimisers step others within theirs."""

    def __init__(self, book: OptimiserBook) -> None:
        self._book = book
        self._entries: list[Update] = []

    def __bool__(self) -> bool:
        return bool(self._entries)

    @property
    def evaluate(self) -> bool:
        """Whether one of them runs forward and backward passes within its step."""
        return any(entry.has_closure for entry in self._entries)

    def hold(self, optimiser: Optimizer) -> bool:
        """Whether this optimiser is in the midst of its step."""
        return any(entry.optimiser is optimiser for entry in self._entries)

    def begin(self, optimiser: Optimizer, *, has_closure: bool) -> None:
        """A step begins."""
        self._entries.append(Update(optimiser, has_closure))

    def end(self, optimiser: Optimizer, *, looking: bool) -> bool:
        """A step has ended, which was looked at or not; returns whether it is the one that began last."""
        if not self.hold(optimiser) or self._entries[-1].optimiser is not optimiser:
            return False
        self._book.finish_sweep()
        self._book.clearing.after_update(self._book.index(optimiser), optimiser, counts=looking)
        self._entries.pop()  # last: what an interrupt leaves unfinished is abandoned with the next backward pass
        return True

    def abandon(self, look_again: Callable[[], None]) -> None:
        """Forget steps that raised: torch tells of their beginning only."""
        if self._entries:
            self._entries = []
            self._book.drop_sweep()
        look_again()

    def measure(self, optimiser: Optimizer, step: int, *, evaluated: bool) -> None:
        """Measure weights and gradients before an update.

        With a closure they are made within it. Then this is called when it has returned as well, and the gradients of
        that time count; a model that nobody has run yet has no names before.
        """
        tensors: Sequence[Tensor] = tensors_of(optimiser)
        if evaluated:
            self._book.evaluated(optimiser, tensors, step)
        elif not self.evaluate or not self._book.directory.unknown(tensors):
            self._book.begin_sweep(optimiser, tensors, step)
