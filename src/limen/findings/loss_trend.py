"""Did the loss fall? Read with its noise, from one loss only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limen.findings.figures import Floats, finite, median, noise
from limen.findings.looks import margin
from limen.findings.once import once
from limen.findings.thresholds import Thresholds
from limen.vitals import LossVitals, Vitals

__all__ = ["LossTrend", "loss_trend"]

BLOCKS = 8  # medians of eighths of the run: a short dip is noise, an eighth of the run is not
FEWEST_ROWS = 16  # two rows for each block
CREDITED = 3.0  # standard errors; fewer than `margin`: a fall that is none makes a rule silent, not loud
RESOLVED = 0.25  # of the first level: a fall by a quarter would have been seen
FIRST_OF_THREE = 0.449  # variance of the median of three normal values, in units of theirs


@dataclass(frozen=True)
class LossTrend:
    """The course of the single loss of a training.

    Attributes:
        began: its first value, in units of the loss.
        start: the same, or the median of the first three where that is lower: a first value may be high by chance.
        first: its level over the first eighth of the rows.
        end: its level over the last eighth.
        lowest: the lowest level over any eighth.
        lowest_step: the last training step of that eighth.
        error: three standard errors of the difference between the start and a level: what a fall must pass.
        block_error: the same between two levels.
        strictness: what a rise must pass, as a multiple of ``error`` or ``block_error``; see ``limen.findings.looks``.
        steps: training steps from the first row to the last.
        chance: level of a guess where the loss tells it (ln classes); NaN elsewhere.
        positive: False when it was negative anywhere: then it is no distance, and its fall or rise means little.
        finite: False when its latest value is NaN or infinite.
        guess: the same, or the variance of the targets of a mean squared error; NaN where neither is known.
        required: share of ``start`` by which it must have fallen to count as learning.
        risen_limit: multiple of ``start`` from which it counts as risen.
    """

    began: float
    start: float
    first: float
    end: float
    lowest: float
    lowest_step: int
    error: float
    block_error: float
    strictness: float
    steps: int
    chance: float
    guess: float
    positive: bool
    finite: bool
    required: float
    risen_limit: float

    @property
    def opening(self) -> str:
        """Where it started, in words: the first value, and what it was taken to be where that is clearly less."""
        early = f", {self.start:.4g} as the median of the first three"
        return f"{self.began:.4g} at the start" + early * (self.began - self.start > self.required * abs(self.began))

    @property
    def learned(self) -> bool:
        """True when it fell from its start beyond noise, or stands clearly below the level of a guess."""
        fell = self.start - self.end > max(self.error, self.required * abs(self.start))
        return self.finite and (fell or self.competent)

    @property
    def falls(self) -> bool:
        """True when it stands below its start beyond noise, by however little, or clearly below a guess."""
        since_start = self.start - self.end > self.error
        since_first = self.first - self.end > self.block_error
        return self.finite and (since_start or since_first or self.competent)

    @property
    def stuck(self) -> bool:
        """True when it neither fell nor stands where a trained network stands, and is a loss that could fall.

        One that is no longer finite is not stuck: it may have fallen until then.
        """
        return self.positive and self.finite and not (self.learned or self.falls)

    @property
    def hopeless(self) -> bool:
        """True when it stands far above the level of a guess."""
        return self.end > self.risen_limit * self.chance  # False for a chance of NaN

    @property
    def ever_fell(self) -> bool:
        """True when any eighth of the run was below the start beyond noise, or below the first eighth."""
        since_start = self.start - self.lowest > max(self.error, self.required * abs(self.start))
        since_first = self.first - self.lowest > max(self.block_rise, self.required * abs(self.first))
        return since_start or since_first

    @property
    def surely_fell(self) -> bool:
        """The same, whatever the number of times that was asked."""
        since_start = self.start - self.lowest > max(self.rise, self.required * abs(self.start))
        since_first = self.first - self.lowest > max(self.block_rise, self.required * abs(self.first))
        return since_start or since_first

    @property
    def rise(self) -> float:
        """By how much a level must be above the start to have risen, however often that is asked."""
        return self.strictness * self.error

    @property
    def block_rise(self) -> float:
        """The same between two levels."""
        return self.strictness * self.block_error

    @property
    def resolved(self) -> bool:
        """True when a fall by a quarter would have been seen: only then is a fall that was not seen none."""
        return self.block_error <= RESOLVED * abs(self.first)

    @property
    def competent(self) -> bool:
        """True when the loss stands clearly below the level of a guess, as in fine-tuning."""
        return self.end < 0.75 * self.guess  # False for a guess of NaN

    @property
    def risen(self) -> bool:
        """True when it ended far above its start, and is a loss that has a size."""
        return self.positive and self.end - self.start > max(self.rise, (self.risen_limit - 1.0) * abs(self.start))


@once
def loss_trend(vitals: Vitals, limits: Thresholds) -> LossTrend | None:
    """The trend of the loss; None where there are several losses (their fall means nothing) or too few rows."""
    if len(vitals.losses) != 1:
        return None
    loss = vitals.losses[0]
    values = finite(loss.value)
    if len(values) < FEWEST_ROWS:
        return None
    levels = _levels(values)
    tail = len(values) // BLOCKS
    spread, chance = noise(values), _chance(vitals, loss)
    return LossTrend(
        began=float(values[0]),
        start=min(float(values[0]), median(values[:3])),
        first=levels[0],
        end=levels[-1],
        lowest=min(levels),
        lowest_step=_last_step(loss, levels.index(min(levels))),
        # the variance of a median of n values is pi/2 times that of their mean
        error=CREDITED * spread * float(np.sqrt(FIRST_OF_THREE + np.pi / (2.0 * tail))),
        block_error=CREDITED * spread * float(np.sqrt(np.pi / tail)),
        strictness=margin(len(values)) / CREDITED,
        positive=bool((values >= 0.0).all()),
        steps=int(loss.step[-1] - loss.step[0]) + 1,
        chance=chance,
        guess=chance if np.isfinite(chance) else _variance(loss),
        finite=bool(np.isfinite(loss.value[-1])),
        required=limits.fell,
        risen_limit=limits.risen,
    )


def _levels(values: Floats) -> list[float]:
    """Medians of the eighths of the rows."""
    return [median(block) for block in np.array_split(values, BLOCKS)]


def _last_step(loss: LossVitals, eighth: int) -> int:
    return int(np.array_split(loss.step[np.isfinite(loss.value)], BLOCKS)[eighth][-1])


def _chance(vitals: Vitals, loss: LossVitals) -> float:
    """Loss of a guess without looking at the input: ln(classes) for a cross-entropy, ln 2 for a binary one."""
    if loss.function.startswith("bce"):
        return float(np.log(2.0))
    weights = [one.parameter for one in vitals.parameters if one.parameter.weight]
    if loss.function != "cross-entropy" or not weights:
        return float("nan")
    classes = max(weights, key=lambda weight: weight.order).shape[0]
    return float(np.log(classes)) if classes > 1 else float("nan")


def _variance(loss: LossVitals) -> float:
    """Loss of a guess at the mean of the targets, for a mean squared error whose targets were seen."""
    return loss.targets.std**2 if loss.function == "mse" and loss.targets is not None else float("nan")
