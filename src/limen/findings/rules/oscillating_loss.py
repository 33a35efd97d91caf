"""A loss that swings instead of falling."""

from collections.abc import Iterator

import numpy as np

from limen.findings.figures import Floats, median
from limen.findings.finding import Finding
from limen.findings.looks import BEYOND
from limen.findings.numbers import number
from limen.findings.rules.registry import rule
from limen.findings.swings import Surge, alternation, surges, swing
from limen.findings.thresholds import Thresholds
from limen.findings.updates import Jump
from limen.findings.violence import large_step
from limen.vitals import LossVitals, Vitals

THROWN = 0.5  # of the start: a peak at which most of what was learned is lost
LATEST = 128  # rows over which turns are counted
FALLS = 0.9  # of the level of the first half of them: a loss that still falls may jump on its way


@rule("oscillating-loss")
def oscillating_loss(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A loss that swings far more than its batches differ, in step with updates that throw a weight.

    Why it matters: what one step gains the next one loses; the training spends its time on the edge of stability.

    How it is measured: one loss, above zero, from step 50 on, and one of two signs. Surges: three times or more the
    loss rose to three times its low before, beyond six standard deviations of its noise and to half of its start at
    least, read from medians of three rows, and came back; each time some weight moved by a tenth of its norm in one
    step on the way up; the last surge lies in the latter half of the run. Or turns: over the latest rows of steps that
    follow each other, at least 32, it goes up and down in turn more often than independent noise of any distribution
    would by four standard errors (less than 0.5 % of runs of any length by chance, however often it is asked), by 30 %
    of its level at a time, without falling, while some weight typically moves by a tenth of its norm in a step. What
    comes from batches drawn by chance (small ones, dropout, wrong labels, outliers) is independent from step to step.

    Known to misfire: targets that change suddenly, again and again, or a few unlike batches in the same order each
    time, with a learning rate at the edge.

    Answered by: lower-learning-rate, clip-gradients.

    Source: Cohen et al. 2021, "Gradient descent on neural networks typically occurs at the edge of stability",
    arXiv:2103.00065; Kendall 1973, "Time-Series", section 2.4, for the turning points.
    """
    if len(vitals.losses) != 1 or vitals.step < limits.early:
        return
    loss = vitals.losses[0]
    known = np.isfinite(loss.value)
    value = loss.value[known]
    thrown = large_step(vitals, limits, after=0, until=vitals.step)
    if len(value) < 3 or not known[-1] or float(value.min()) <= 0.0 or thrown is None:
        return
    found = _surges(vitals, loss, limits)
    if len(found) >= limits.surges and found[-1][0].step > vitals.step / 2:
        surge, jump = found[-1]
        yield _finding(
            found[0][0].left,
            float(len(found)),
            float(limits.surges),
            "surges",
            f"The loss was thrown up {len(found)} times and came back, the last time to {number(surge.peak, 4)} at "
            f"step {surge.step}; {_words(jump)}.",
        )
        return
    latest = _unbroken(loss)[-LATEST:]
    jump = large_step(vitals, limits, after=vitals.step - len(latest), until=vitals.step)
    if len(latest) >= limits.turning and jump is not None and _typical(vitals, limits):
        size = swing(latest)
        halves = np.array_split(latest, 2)
        falls = median(halves[1]) < FALLS * median(halves[0])
        if not falls and size >= limits.swing and alternation(latest) > BEYOND:
            yield _finding(
                vitals.step - len(latest) + 1,
                size,
                limits.swing,
                "change of the loss in a step / its level",
                f"The loss goes up and down in turn, by {100 * size:.0f} % of its level from one step to the next; "
                f"{_words(jump)}.",
            )


def _surges(vitals: Vitals, loss: LossVitals, limits: Thresholds) -> list[tuple[Surge, Jump]]:
    """Surges with the large step on the way up."""
    known = np.isfinite(loss.value)
    step, value = loss.step[known], loss.value[known]
    height = THROWN * min(float(value[0]), median(value[:3]))
    found = [
        (surge, large_step(vitals, limits, after=surge.left - 1, until=surge.step))
        for surge in surges(step, value, limits.risen, height)
    ]
    return [(surge, jump) for surge, jump in found if jump is not None]


def _unbroken(loss: LossVitals) -> Floats:
    """The latest values of steps that follow each other, none left out."""
    gaps = np.flatnonzero((np.diff(loss.step) != 1) | ~np.isfinite(loss.value[1:]))
    return loss.value[int(gaps[-1]) + 1 if len(gaps) else 0 :]


def _typical(vitals: Vitals, limits: Thresholds) -> bool:
    """Whether some weight typically moves far."""
    return any(
        median(one.history.update[-limits.window :]) >= limits.large_update
        for one in vitals.parameters
        if one.parameter.weight
    )


def _words(jump: Jump) -> str:
    return f"{jump.weight} moved by {100 * jump.ratio:.0f} % of its norm in step {jump.step}"


def _finding(step: int, measured: float, limit: float, unit: str, message: str) -> Finding:
    return Finding(
        symptom="oscillating-loss",
        severity="warning",
        where="model",
        layer=None,
        units=(),
        step=step,
        measured=measured,
        limit=limit,
        unit=unit,
        confidence=0.8,
        causes=(),
        remedies=(),
        message=message,
    )
