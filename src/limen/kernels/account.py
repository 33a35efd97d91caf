"""The running account of one site, per unit: the current step, the current window, and when each unit last was active.

In numpy; ``compiled_account`` does the same in a few microseconds.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from torch import Tensor

from limen.errors import InvalidValue
from limen.kernels.torch_pass import Floats, Integers, Sums, measure

__all__ = ["Account", "Row", "Rules", "Tally", "wrong_units"]


class Rules(NamedTuple):
    """What counts at a site.

    Attributes:
        units: how many there are.
        left: ``z <= left`` is flat; None where no such side exists.
        right: ``z >= right`` is flat; None where no such side exists.
        dead_left: whether a unit is dead, not saturated, on the left.
        dead_samples: samples for which a unit must have been silent before it counts as dead.
        dead_steps: steps over which it must have been.
        saturated: share of the samples of a step from which a unit counts as saturated.
    """

    units: int
    left: float | None
    right: float | None
    dead_left: bool
    dead_samples: int
    dead_steps: int
    saturated: float

    @property
    def bounded(self) -> bool:
        """Whether a unit can be saturated."""
        return not self.dead_left or self.right is not None


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
    nonfinite: int


class Tally:
    """Sums over some samples, added to in place; all arrays are ``[units]``."""

    def __init__(self, units: int) -> None:
        self.left: Integers = np.zeros(units, np.int64)
        self.right: Integers = np.zeros(units, np.int64)
        self.mean: Floats = np.zeros(units)
        self.m2: Floats = np.zeros(units)
        self.low: Floats = np.zeros(units)
        self.high: Floats = np.zeros(units)
        self.clear()

    def clear(self) -> None:
        """Forget all samples."""
        self.samples = self.nonfinite = 0
        for sums in (self.left, self.right, self.mean, self.m2):
            sums.fill(0)
        self.low.fill(math.inf)
        self.high.fill(-math.inf)

    def enter(self, sums: Sums) -> None:
        """Add the sums of one tensor. An infinite mean is none: it would depend on the order of the parts."""
        if sums.samples == 0:
            return
        centre = sums.total / sums.samples
        part = Tally(len(centre))
        part.samples, part.nonfinite = sums.samples, sums.nonfinite
        part.left, part.right, part.low, part.high = sums.left, sums.right, sums.low, sums.high
        part.mean = centre + sums.shift
        part.m2 = np.maximum(sums.squares - centre * sums.total, 0.0)
        if sums.nonfinite:
            part.mean[~np.isfinite(part.mean)] = np.nan
        self.add(part)

    def add(self, part: Tally) -> None:
        """Add another tally (Chan, Golub & LeVeque 1983)."""
        whole = self.samples + part.samples
        if whole == 0:
            return
        gap = part.mean - self.mean
        self.mean += gap * (part.samples / whole)
        self.m2 += part.m2 + gap * gap * (self.samples * part.samples / whole)
        self.left += part.left
        self.right += part.right
        np.fmin(self.low, part.low, out=self.low)
        np.fmax(self.high, part.high, out=self.high)
        self.samples = whole
        self.nonfinite += part.nonfinite


class Account:
    """The account of one site.

    Attributes:
        window: the steps closed since it was last cleared.
        last_active: ``[units]``, number of the last step in which the unit was active; 0 for never.
        silent_steps: ``[units]``, steps since then.
        silent_samples: ``[units]``, samples since then.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.window = Tally(rules.units)
        self.last_active: Integers = np.zeros(rules.units, np.int64)
        self.silent_steps: Integers = np.zeros(rules.units, np.int64)
        self.silent_samples: Integers = np.zeros(rules.units, np.int64)
        self._step = Tally(rules.units)

    def add(self, z: Tensor, axis: int) -> None:
        """Read one call of the site within the current step: ``axis`` is that of the units.

        Raises:
            InvalidValue: there are more or fewer units than at this site.
        """
        sums = measure(z, axis, self.rules.left, self.rules.right)
        if len(sums.left) != self.rules.units:
            raise wrong_units(z, axis, self.rules)
        self.add_sums(sums)

    def add_sums(self, sums: Sums) -> None:
        """Enter what was read of one call of the site elsewhere."""
        with np.errstate(invalid="ignore", over="ignore"):
            self._step.enter(sums)

    def commit(self, number: int) -> Row | None:
        """Close the current step under its number; None where it had no samples."""
        seen = self._step
        if seen.samples == 0:
            return None
        with np.errstate(invalid="ignore", over="ignore"):
            self._note_activity(seen, number)
            row = self._row(seen)
            self.window.add(seen)
        seen.clear()
        return row

    def _note_activity(self, seen: Tally, number: int) -> None:
        active = seen.left < seen.samples
        self.silent_steps += 1
        self.silent_samples += seen.samples
        self.last_active[active] = number
        self.silent_steps[active] = 0
        self.silent_samples[active] = 0

    def _row(self, seen: Tally) -> Row:
        rules, samples = self.rules, seen.samples
        silent = (self.silent_samples >= rules.dead_samples) & (self.silent_steps >= rules.dead_steps)
        flat = seen.right if rules.dead_left else seen.left + seen.right
        mean = float(seen.mean.mean())
        variance = float(seen.m2.sum()) / (samples * rules.units) + float(np.square(seen.mean - mean).mean())
        return Row(
            samples=samples,
            inactive=float(seen.left.sum() + seen.right.sum()) / (samples * rules.units),
            dead=int(np.count_nonzero(silent)) if rules.dead_left else 0,
            saturated=int(np.count_nonzero(flat >= rules.saturated * samples)) if rules.bounded else 0,
            mean=mean,
            std=math.sqrt(variance) if variance >= 0 else math.nan,
            low=float(seen.low.min()),
            high=float(seen.high.max()),
            nonfinite=seen.nonfinite,
        )


def wrong_units(z: Tensor, axis: int, rules: Rules) -> InvalidValue:
    """The error for a tensor that belongs to another site."""
    return InvalidValue(
        f"A tensor {tuple(z.shape)} with {z.shape[axis]} units on axis {axis} cannot be added to the account of a site "
        f"of {rules.units}: give the axis of its units, or open another account."
    )
