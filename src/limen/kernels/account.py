"""The running account of one site, per unit: the current step, the current window, and when each unit last was active.

In numpy; ``compiled_account`` does the same in a few microseconds.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from limen.errors import InvalidValue
from limen.kernels.silence import Silence
from limen.kernels.torch_pass import Floats, Integers, Sums, measure

__all__ = ["MOST_SAMPLES", "Account", "Counts", "Row", "Rules", "forget", "no_counts", "too_many", "wrong_units"]

Counts = npt.NDArray[np.uint32]

MOST_SAMPLES = 2**31 - 1  # of a unit in one step; a window may be as long before its last step, and 32 bits hold both


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
        panel: units of which moments and extremes are kept, ``[panel]``, rising; None for all.
    """

    units: int
    left: float | None
    right: float | None
    dead_left: bool
    dead_samples: int
    dead_steps: int
    saturated: float
    panel: Integers | None = None

    @property
    def panel_size(self) -> int:
        """Of how many units moments and extremes are kept."""
        return self.units if self.panel is None else len(self.panel)

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


class Part(NamedTuple):
    """Some samples of all units; arrays are ``[units]``. A unit with a value that is not finite has no mean."""

    samples: int
    nonfinite: int
    left: Integers
    right: Integers
    mean: Floats
    m2: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, sums: Sums) -> Part:
        """From the sums of one tensor. An infinite mean is none: it would depend on the order of the parts."""
        centre = sums.total / sums.samples
        mean = centre + sums.shift
        if sums.nonfinite:
            mean[~np.isfinite(mean)] = np.nan
        m2 = np.maximum(sums.squares - centre * sums.total, 0.0)
        return cls(sums.samples, sums.nonfinite, sums.left, sums.right, mean, m2, sums.low, sums.high)


class Whole:
    """All units of a step together."""

    def __init__(self) -> None:
        self.samples = self.flat = 0
        self.mean = self.m2 = 0.0
        self.low, self.high = math.inf, -math.inf

    def add(self, part: Part) -> None:
        """Add some samples (Chan, Golub & LeVeque 1983)."""
        samples = self.samples + part.samples
        mean = float(part.mean.mean())
        m2 = float(part.m2.sum()) + part.samples * float(np.square(part.mean - mean).sum())
        gap = mean - self.mean
        self.mean += gap * (part.samples / samples)
        self.m2 += m2 + gap * gap * (self.samples * part.samples / samples) * len(part.mean)
        self.flat += int(part.left.sum() + part.right.sum())
        self.low, self.high = min(self.low, float(part.low.min())), max(self.high, float(part.high.max()))
        self.samples = samples


class Tally:
    """Sums over fewer than 2³² samples, added to in place.

    Attributes:
        left: ``[units]``, samples on the flat left side.
        right: ``[units]``, samples on the flat right side; read only where there is none.
        mean: ``[panel]``, as are ``m2``, ``low`` and ``high``.
    """

    def __init__(self, rules: Rules) -> None:
        self.samples = self.nonfinite = 0
        self.left: Counts = np.zeros(rules.units, np.uint32)
        self.right: Counts = no_counts(rules.units) if rules.right is None else np.zeros(rules.units, np.uint32)
        self.mean, self.m2, self.low, self.high = np.zeros((4, rules.panel_size))
        self.clear()

    def clear(self) -> None:
        """Forget all samples."""
        self.samples = self.nonfinite = 0
        forget(self)

    def add(self, part: Part | Tally) -> None:
        """Add other samples (Chan, Golub & LeVeque 1983); of a part, what the panel saw."""
        whole = self.samples + part.samples
        gap = part.mean - self.mean
        self.mean += gap * (part.samples / whole)
        self.m2 += part.m2 + gap * gap * (self.samples * part.samples / whole)
        np.add(self.left, part.left, out=self.left, casting="unsafe")
        if self.right.flags.writeable:
            np.add(self.right, part.right, out=self.right, casting="unsafe")
        np.fmin(self.low, part.low, out=self.low)
        np.fmax(self.high, part.high, out=self.high)
        self.samples = whole
        self.nonfinite += part.nonfinite


class Account:
    """The account of one site.

    Attributes:
        window: the steps closed since it was last cleared.
        silence: when each unit was last active.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.window = Tally(rules)
        self.silence = Silence(rules.units, rules.dead_samples, rules.dead_steps)
        self._step = Tally(rules)
        self._whole = Whole()
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
            self._whole.add(part)
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
            self.window.add(seen)
        seen.clear()
        self._whole = Whole()
        return row

    def _row(self, seen: Tally, dead: int, gradient: float) -> Row:
        rules, whole, samples = self.rules, self._whole, seen.samples
        flat = seen.right if rules.dead_left else seen.left.astype(np.int64) + seen.right
        variance = whole.m2 / (samples * rules.units)
        return Row(
            samples=samples,
            inactive=whole.flat / (samples * rules.units),
            dead=dead if rules.dead_left else 0,
            saturated=int(np.count_nonzero(flat >= rules.saturated * samples)) if rules.bounded else 0,
            mean=whole.mean,
            std=math.sqrt(variance) if variance >= 0 else math.nan,
            low=whole.low,
            high=whole.high,
            gradient=gradient,
            nonfinite=seen.nonfinite,
        )


def no_counts(units: int) -> Counts:
    """``[units]``, zeros that take no memory."""
    return np.broadcast_to(np.zeros((), np.uint32), units)


def forget(tally: Any) -> None:
    """Bring the arrays of a tally back to those of no samples."""
    for sums in (tally.left, tally.mean, tally.m2, *([tally.right] if tally.right.flags.writeable else [])):
        sums.fill(0)
    tally.low.fill(math.inf)
    tally.high.fill(-math.inf)


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
