"""The running account of one site, per unit: the current step, the current window, and when each unit last was active.

In numpy; ``compiled_account`` does the same in a few microseconds.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from torch import Tensor

from limen.errors import InvalidValue
from limen.kernels.rules import Rules
from limen.kernels.silence import Silence
from limen.kernels.tally import Kept, Part, Tally, Whole
from limen.kernels.torch_pass import Integers, Sums, measure

__all__ = ["MOST_SAMPLES", "Account", "Row", "too_many", "wrong_units"]

MOST_SAMPLES = 2**31 - 1  # of a unit in one step; a window may be as long before its last step, and 32 bits hold both


class Row(NamedTuple):
    """One step of all units together.

    Attributes:
        samples: of each unit.
        inactive: share of flat samples.
        dead: units that have been silent for long enough, as of this step.
        saturated: units on the flat sides where the output is not about zero for nearly all samples of this step.
        mean: of all numbers.
        std: of all numbers; NaN where some are not finite.
        low: smallest number.
        high: largest number.
        gradient: L2 norm of the loss gradient at the inputs of all calls; NaN where none was entered.
        nonfinite: numbers that are NaN or infinite.
    """

    samples: int
    inactive: float
    dead: int
    saturated: int
    mean: float
    std: float
    low: float
    high: float
    gradient: float
    nonfinite: int


class Account:
    """The account of one site.

    Attributes:
        window: the steps closed since the last full window.
        last: the last full window; None before the first.
        full: all full windows together; None until there are two.
        silence: when each unit was last active.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.window = Tally(rules)
        self.last: Kept | None = None
        self.full: Kept | None = None
        self.silence = Silence(rules.units, rules.dead_samples, rules.dead_steps)
        self._step = Tally(rules)
        self._gradients: list[float] = []

    @property
    def last_active(self) -> Integers:
        """``[units]``, number of the last step in which the unit was active; 0 for never."""
        return self.silence.last_active

    @property
    def silent_steps(self) -> Integers:
        """``[units]``, steps since then."""
        return self.silence.steps

    @property
    def silent_samples(self) -> Integers:
        """``[units]``, samples since then."""
        return self.silence.samples

    def add(self, z: Tensor, axis: int) -> None:
        """Read one call of the site within the current step: ``axis`` is that of the units.

        Raises:
            InvalidValue: there are more or fewer units than at this site, or too many samples to count.
        """
        sums = measure(z, axis, self.rules.left, self.rules.right)
        if len(sums.left) != self.rules.units:
            raise wrong_units(z, axis, self.rules)
        self.add_sums(sums)

    def add_sums(self, sums: Sums) -> None:
        """Enter what was read of one call of the site elsewhere."""
        if sums.samples == 0:
            return
        if self._step.samples + sums.samples > MOST_SAMPLES:
            raise too_many()
        with np.errstate(invalid="ignore", over="ignore"):
            part = Part.of(sums)
            self._step.whole += Whole.of(part)
            panel = self.rules.panel
            if panel is not None and len(panel) < self.rules.units:
                chosen = (column[panel] for column in (part.mean, part.m2, part.low, part.high))
                part = Part(part.samples, part.nonfinite, part.left, part.right, *chosen)
            self._step.add(part)

    def add_gradient(self, norm: float) -> None:
        """Enter the L2 norm of the loss gradient at the input of one call."""
        self._gradients.append(norm)

    def commit(self, number: int) -> Row | None:
        """Close the current step under its number; None where it had no samples."""
        seen = self._step
        gradients, self._gradients = self._gradients, []
        if seen.samples == 0:
            return None
        place, dead = self.silence.open(number, seen.samples)
        self.silence.last[seen.left < seen.samples] = place
        with np.errstate(invalid="ignore", over="ignore"):
            silent = int(np.count_nonzero(self.silence.last <= dead)) if dead >= 0 else 0
            row = self._row(seen, silent, math.hypot(*gradients) if gradients else math.nan)
            self.window.whole += seen.whole
            self.window.add(seen)
        seen.clear()
        return row

    def roll(self) -> None:
        """End the window: it is full."""
        window = Kept.of(self.window)
        if self.last is not None:
            self.full = (self.full or self.last) + window
        self.last = window
        self.window.clear()

    def _row(self, seen: Tally, dead: int, gradient: float) -> Row:
        rules, whole, samples = self.rules, seen.whole, seen.samples
        flat = seen.right if rules.dead_left else seen.left.astype(np.int64) + seen.right
        variance = whole.m2 / whole.count
        return Row(
            samples=samples,
            inactive=whole.flat / whole.count,
            dead=dead if rules.dead_left else 0,
            saturated=int(np.count_nonzero(flat >= rules.saturated * samples)) if rules.bounded else 0,
            mean=whole.mean,
            std=math.sqrt(variance) if variance >= 0 else math.nan,
            low=whole.low,
            high=whole.high,
            gradient=gradient,
            nonfinite=seen.nonfinite,
        )


def too_many() -> InvalidValue:
    """The error for a step of more samples than are counted."""
    return InvalidValue(
        f"A site was given more than {MOST_SAMPLES:,} samples of each unit in one step, more than limen counts there. "
        "Watch the other models of this training only: limen.watch(model)."
    )


def wrong_units(z: Tensor, axis: int, rules: Rules) -> InvalidValue:
    """The error for a tensor that belongs to another site."""
    return InvalidValue(
        f"A tensor {tuple(z.shape)} with {z.shape[axis]} units on axis {axis} cannot be added to the account of a site "
        f"of {rules.units}: give the axis of its units, or open another account."
    )
