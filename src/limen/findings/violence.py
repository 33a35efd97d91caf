"""Signs that one step did harm: a weight replaced, a loss thrown up, units that fell silent together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.findings.figures import noise
from limen.findings.loss_trend import LossTrend
from limen.findings.once import once
from limen.findings.thresholds import Thresholds
from limen.findings.updates import Jump, largest_update
from limen.vitals import Vitals

__all__ = ["Crowd", "Spike", "Violence", "diverged", "large_step", "violence"]

Integers = npt.NDArray[np.int64]

BEYOND_NOISE = 10.0  # standard deviations
TOGETHER = 5  # steps within which deaths count as one event


@dataclass(frozen=True)
class Spike:
    """A loss that left its start far below.

    Attributes:
        start: the first value, in units of the loss.
        peak: the largest until the harm.
        step: where that was.
    """

    start: float
    peak: float
    step: int


@dataclass(frozen=True)
class Crowd:
    """Units that fell silent within five steps of each other.

    Attributes:
        units: how many.
        step: the first step without them.
    """

    units: int
    step: int


@dataclass(frozen=True)
class Violence:
    """What was seen around the time of a harm.

    Attributes:
        jump: the largest update of a weight, where it was large.
        spike: the loss, where it jumped.
        crowd: most of the units concerned, where they fell silent at once.
    """

    jump: Jump | None
    spike: Spike | None
    crowd: Crowd | None

    def __bool__(self) -> bool:
        return self.jump is not None or self.spike is not None or self.crowd is not None


def diverged(vitals: Vitals, trend: LossTrend, limits: Thresholds) -> bool:
    """True when the loss ended far above its start, and not because its task has become harder.

    Targets of Q-learning, curricula and annealed terms make a loss rise in health. One whose level of a guess is known
    is above it for no such reason; of any other, a step that moved a weight far must speak against it as well.
    """
    jump = largest_update(vitals)
    thrown = jump is not None and jump.ratio >= limits.large_update
    return trend.risen and (bool(np.isfinite(trend.chance)) or thrown)


def violence(vitals: Vitals, died: Integers, limits: Thresholds, *, after: int, until: int) -> Violence:
    """Signs of violence in steps ``after < step <= until``.

    Args:
        vitals: What was seen.
        died: ``[units]``, the last active step of each unit concerned; 0 for units that never were, empty where it
            is not about units.
        limits: What counts as large.
        after: The step before the first to look at.
        until: The last step to look at.
    """
    return Violence(
        large_step(vitals, limits, after=after, until=until),
        _spike(vitals, until, limits),
        _crowd(died, limits),
    )


def large_step(vitals: Vitals, limits: Thresholds, *, after: int, until: int) -> Jump | None:
    """The largest update of a weight in steps ``after < step <= until``, where it was large."""
    jump = largest_update(vitals, after=after, until=until)
    return jump if jump is not None and jump.ratio >= limits.large_update else None


@once
def _spike(vitals: Vitals, until: int, limits: Thresholds) -> Spike | None:
    """Of a single loss only: where there are several, one rises as the other falls."""
    if len(vitals.losses) != 1:
        return None
    loss = vitals.losses[0]
    rows = np.flatnonzero((loss.step <= until) & np.isfinite(loss.value))
    if len(rows) < 2 or float(loss.value[np.isfinite(loss.value)].min()) <= 0.0:
        return None  # a loss that reaches zero or below has no size to compare with
    start, top = float(loss.value[rows[0]]), int(rows[np.argmax(loss.value[rows])])
    peak = float(loss.value[top])
    beyond_noise = peak - start > BEYOND_NOISE * noise(loss.value)
    return Spike(start, peak, int(loss.step[top])) if limits.risen * start <= peak and beyond_noise else None


def _crowd(died: Integers, limits: Thresholds) -> Crowd | None:
    alive = np.sort(died[died > 0])
    if len(alive) < limits.fewest_units:
        return None
    ends = np.searchsorted(alive, alive + TOGETHER)
    near = ends - np.arange(len(alive))
    most = int(np.argmax(near))
    enough = max(limits.fewest_units, len(died) // 2)
    return Crowd(int(near[most]), int(alive[most]) + 1) if near[most] >= enough else None
