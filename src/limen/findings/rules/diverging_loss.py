"""A loss that had fallen and is thrown up again."""

from collections.abc import Iterator

from limen.findings.finding import Finding
from limen.findings.loss_trend import LossTrend, loss_trend
from limen.findings.numbers import number
from limen.findings.rules.registry import rule
from limen.findings.thresholds import Thresholds
from limen.findings.violence import large_step
from limen.vitals import Vitals


@rule("diverging-loss")
def diverging_loss(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A loss that had fallen and then rose above where it began, with a step that threw a weight.

    Why it matters: what was learned is lost, and a loss above that of an untrained network does not come back by
    itself.

    How it is measured: one loss, never negative, that had fallen; at least 100 steps after its lowest eighth, the
    median of its last eighth is above its start and three times that lowest; and since then some weight moved by a
    tenth of its norm in one step. Every difference is beyond four standard errors of the noise, and more where rows are
    few: however often it is asked, chance alone is told in less than 0.5 % of runs of any length. A loss that never
    fell is not-learning.

    Known to misfire: a curriculum whose next task is harder, trained with a learning rate at the edge.

    Answered by: lower-learning-rate, clip-gradients.

    Source: Cohen et al. 2021, "Gradient descent on neural networks typically occurs at the edge of stability",
    arXiv:2103.00065, for the step sizes beyond which a loss diverges.
    """
    trend = loss_trend(vitals, limits)
    if trend is None or not (trend.positive and trend.finite and trend.surely_fell):
        return
    if vitals.step - trend.lowest_step < limits.lasting:  # a new task is learned, too
        return
    jump = large_step(vitals, limits, after=trend.lowest_step, until=vitals.step)
    if jump is None or not _thrown_up(trend, limits):
        return
    yield Finding(
        symptom="diverging-loss",
        severity="error",
        where="model",
        layer=None,
        units=(),
        step=trend.lowest_step,
        measured=trend.end / trend.lowest if trend.lowest > 0.0 else float("inf"),
        limit=limits.risen,
        unit="loss now / at its lowest",
        confidence=0.85,
        causes=(),
        remedies=(),
        message=f"The loss fell from {number(trend.start, 4)} to {number(trend.lowest, 4)} until step "
        f"{trend.lowest_step} and has risen to {number(trend.end, 4)}; {jump.weight} moved by {100 * jump.ratio:.0f} % "
        f"of its norm in step {jump.step}.",
    )


def _thrown_up(trend: LossTrend, limits: Thresholds) -> bool:
    """Above its start, and far above its lowest."""
    back = trend.end - trend.start > trend.rise
    return back and trend.end - trend.lowest > max(trend.block_rise, (limits.risen - 1.0) * trend.lowest)
