"""What counts as one training step."""

from __future__ import annotations

import weakref

from torch.optim import Optimizer

__all__ = ["StepClock"]


class StepClock:
    """A step ends with each step of one optimiser, the first that steps; with each backward pass where there is none.

    Where that optimiser is gone, or another steps twice while it rests (a second phase of the training), the other
    takes over.

    Attributes:
        by_hand: the script updates its weights itself, so that each backward pass is a step.
    """

    def __init__(self) -> None:
        self.by_hand = False
        self._optimiser: weakref.ref[Optimizer] | None = None
        self._others: set[int] = set()

    @property
    def undecided(self) -> bool:
        """Whether nothing has ended a step yet."""
        return not self.by_hand and self._optimiser is None

    def goes_on(self) -> None:
        """Steps of the optimiser that ends them have come one after the other."""
        self._others.clear()

    def ticks(self, optimiser: Optimizer) -> bool:
        """Whether the step that this optimiser has just taken ends a training step."""
        held = None if self._optimiser is None else self._optimiser()
        if held is optimiser:
            self._others.clear()
            return True
        if held is None or id(optimiser) in self._others:
            self._optimiser, self.by_hand = weakref.ref(optimiser), False
            self._others.clear()
            return True
        self._others.add(id(optimiser))
        return False
