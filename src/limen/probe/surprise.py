"""Whether a loss stands out from those before it: then every step is worth a look for a while."""

from __future__ import annotations

import math
from collections.abc import Callable

from limen.probe import quick

__all__ = ["Surprise", "new_surprise"]

FAR = 6.0  # mean absolute deviations above the running mean; of a normal distribution 4.8 standard deviations
SEEN = 20  # values before anything can surprise
MEMORY = 0.05  # weight of the newest value


class Surprise:
    """The running mean of a loss and its mean absolute deviation. Where it could be compiled, ``quick`` has another."""

    def __init__(self) -> None:
        self._mean = self._deviation = 0.0
        self._seen = 0
        self._broken = False

    def meets(self, value: float) -> bool:
        """Enter a value; whether it is far above the others, or the first that is not finite."""
        if not math.isfinite(value):
            first, self._broken = not self._broken, True
            return first
        far = not self.expects(value)
        self.enter(value)
        return far

    def expects(self, value: float) -> bool:
        """Whether a value is neither."""
        return math.isfinite(value) and (self._seen < SEEN or value - self._mean <= FAR * self._deviation)

    def enter(self, value: float) -> None:
        """Enter a value that is neither."""
        self._broken = False
        gap = value - self._mean
        self._seen += 1
        weight = max(MEMORY, 1 / self._seen)
        self._mean += weight * gap
        self._deviation += weight * (abs(gap) - self._deviation)


new_surprise: Callable[[], Surprise] = quick.Surprise if quick.COMPILED else Surprise
"""Begins with no loss."""
