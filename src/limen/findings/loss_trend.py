"""Did the loss fall? Read with its noise, from one loss only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limen.findings.figures import Floats, finite, median, noise
from limen.findings.looks import margin
from limen.findings.numbers import number
from limen.findings.once import once
from limen.findings.thresholds import Thresholds
from limen.vitals import LossVitals, Vitals

__all__ = ["BELOW_A_GUESS", "LossTrend", "classes_of", "loss_trend"]

BLOCKS = 8  # medians of eighths of the run: a short dip is noise, an eighth of the run is not
FEWEST_ROWS = 16  # two rows for each block
CREDITED = 3.0  # standard errors; fewer than `margin`: a fall that is none makes a rule silent, not loud
RESOLVED = 0.25  # of the first level: a fall by a quarter would have been seen
TOLERANCE = 0.9  # of what the outputs can reach: they are those of one batch of the first step
BELOW_A_GUESS = 0.75  # of the level of a guess: a loss there has learned, now or before
EARLIEST = 4  # steps between the first row and the third: as many as do not matter
FIRST_OF_THREE = 0.449  # variance of the median of three normal values, in units of theirs


@dataclass(frozen=True)
class LossTrend:
    """The course of the single loss of a training.

    Attributes:
        began: its first value, in units of the loss.
        start: the same, or the median of the first three where that is lower: a first value may be high by chance. The
            same in a history so thinned that the other two may have fallen already.
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
        early = f", {number(self.start, 4)} as the median of the first three"
        return f"{number(self.began, 4)} at the start" + early * (
            self.began - self.start > self.required * abs(self.began)
        )

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
        """True when a fall by a quarter would have been seen, or one by half that was over within the first eighth.

        Only then is a fall that was not seen none.
        """
        return self.block_error <= RESOLVED * abs(self.first) and self.error <= 2.0 * RESOLVED * abs(self.start)

    @property
    def competent(self) -> bool:
        """True when the loss stands clearly below the level of a guess, as in fine-tuning."""
        return self.end < BELOW_A_GUESS * self.guess  # False for a guess of NaN

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
    steps = loss.step[np.isfinite(loss.value)]
    dense = int(steps[2] - steps[0]) <= EARLIEST
    return LossTrend(
        began=float(values[0]),
        start=min(float(values[0]), median(values[:3])) if dense else float(values[0]),
        first=levels[0],
        end=levels[-1],
        lowest=min(levels),
        lowest_step=_last_step(loss, levels.index(min(levels))),
        # the variance of a median of n values is pi/2 times that of their mean
        error=CREDITED * spread * float(np.sqrt((FIRST_OF_THREE if dense else 1.0) + np.pi / (2.0 * tail))),
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
    """Loss of a guess without looking at the input: ln(classes) for a cross-entropy, ln 2 for a binary one.

    Unknown for a loss that its outputs could not have: it is a multiple of what it is called.
    """
    if loss.function.startswith("bce"):
        chance = float(np.log(2.0))
        return chance if loss.function != "bce-with-logits" or _is_whole(loss, 2) else float("nan")
    classes = classes_of(vitals) if loss.function == "cross-entropy" else 0
    return float(np.log(classes)) if classes > 1 and _is_whole(loss, classes) else float("nan")


def classes_of(vitals: Vitals) -> int:
    """Classes that a cross-entropy tells apart: the units of the last weight; 0 where there is none."""
    weights = [one.parameter for one in vitals.parameters if one.parameter.weight]
    return max(weights, key=lambda weight: weight.order).shape[0] if weights else 0


def _is_whole(loss: LossVitals, classes: int) -> bool:
    """False where the first loss is out of reach of the first outputs: a sum over samples, or a term with a weight."""
    if loss.outputs is None or len(loss.value) == 0 or not np.isfinite(loss.value[0]):
        return True
    widest = 2.0 * max(abs(loss.outputs.low), abs(loss.outputs.high)) if classes == 2 else 0.0
    reach = max(loss.outputs.high - loss.outputs.low, widest)
    least, most = (float(np.log1p((classes - 1) * np.exp(sign * reach))) for sign in (-1.0, 1.0))
    return TOLERANCE * least <= float(loss.value[0]) <= most / TOLERANCE


def _variance(loss: LossVitals) -> float:
    """Loss of a guess at the mean of the targets, for a mean squared error whose targets were seen."""
    return loss.targets.std**2 if loss.function == "mse" and loss.targets is not None else float("nan")
