"""Losses of which each is a part of one: gradients are accumulated over several backward passes."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

__all__ = ["Parts"]


class Parts:
    """Whether the backward passes of one optimiser step add up to its loss, or have it as their mean.

    A script that accumulates gradients divides each loss by the number of passes, as Lightning and accelerate do, or
    by the number of targets in all of them, as transformers does. Then their sum is the loss that is minimised. A
    script that divides by neither takes the mean of what it minimises to be its loss.
    """

    def __init__(self) -> None:
        self._usual: dict[int | None, int] = {}  # by optimiser, into how many parts its losses are divided
        self._last = 0  # passes of the last step that has ended
        self.drop()

    def drop(self) -> None:
        """Forget the passes since the last step."""
        self._passes = 0
        self._divisors: Sequence[Tensor] = ()  # of the latest pass
        self._are_shared = True  # one and the same number divides each pass so far

    def add(self, divisors: Sequence[Tensor]) -> None:
        """Hear of a backward pass with these ``divisors_of`` its root."""
        before, self._divisors = self._divisors, divisors
        again = {divisor.data_ptr() for divisor in before} & {divisor.data_ptr() for divisor in self._divisors}
        self._are_shared = self._are_shared and (bool(again) or not self._passes)
        self._passes += 1

    def close(self, optimiser: int | None) -> int:
        """End a step: how many times larger than the mean of its passes its loss is; 1 where it is the mean."""
        self._last = self._passes
        passes, divisors, shared = self._passes, self._divisors, self._are_shared
        self.drop()
        if shared and passes > 1:
            return passes
        usual = max(passes, self._usual.get(optimiser, 0))  # the last step of an epoch may have fewer passes
        parts = next((int(d) for d in divisors if d.is_cpu and float(d) > 1 and float(d) in (passes, usual)), 1)
        self._usual[optimiser] = max(parts, self._usual.get(optimiser, 0))
        return parts

    def are_single(self, optimiser: int | None) -> bool:
        """Whether one backward pass in a step of this optimiser has its loss as it stands, and is what is expected."""
        return self._usual.get(optimiser, 0) <= 1 and self._last <= 1
