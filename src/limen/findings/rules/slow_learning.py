"""A loss that falls too slowly to arrive."""

from collections.abc import Iterator

import numpy as np

from limen.findings.figures import share
from limen.findings.finding import Finding
from limen.findings.loss_trend import LossTrend, loss_trend
from limen.findings.numbers import number
from limen.findings.rules.registry import rule
from limen.findings.thresholds import Thresholds
from limen.findings.updates import largest_typical, typical_update, warming_up
from limen.vitals import Vitals

TENTH = 0.1  # of the first level: a fall that is worth waiting for
KNOWN = 10.0  # times slow_update, where the level of a guess is known: nothing else excuses standing above it


@rule("slow-learning")
def slow_learning(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Weights that crawl, and a loss that will not arrive at their pace.

    Why it matters: nothing is wrong that time could not mend, and there is not that much time.

    How it is measured: one loss, never negative, from step 50 on, at a learning rate that does not rise; the largest
    typical update ratio of any weight was at most 1e-5 all along (a weight would need 100,000 steps to be replaced),
    and above the 1e-6 of not-learning; and the loss has not fallen, or even with three standard errors of its noise
    added to its fall it would take 10,000 more steps to fall by a tenth. With updates up to 1e-4 only the latter
    counts, and only where the level of a guess is known and the loss is not clearly below it. A training that has come
    to rest moved before, so its weights did not crawl all along.

    Known to misfire: a network that was trained already, with an unknown kind of loss and a tiny learning rate.

    Answered by: raise-learning-rate, fix-loss.

    Source: TheDeepChecker (Ben Braiek & Khomh 2023, arXiv:2204.00694): update ratios of 1e-4 to 1e-1 are healthy.
    """
    trend = loss_trend(vitals, limits)
    if trend is None or trend.steps < limits.early or not (trend.positive and trend.finite) or trend.competent:
        return
    _, now = typical_update(vitals, limits.window)
    if not limits.frozen_update < now <= KNOWN * limits.slow_update or warming_up(vitals, limits.window):
        return
    fastest = largest_typical(vitals, limits.window)
    steps = _steps_for_a_tenth(trend)
    crawls = fastest <= limits.slow_update and not trend.ever_fell and trend.resolved
    most = KNOWN * limits.slow_update if np.isfinite(trend.guess) else limits.slow_update
    if not crawls and not (steps >= limits.far and fastest <= most):
        return
    fallen = 100.0 * share(trend.began - trend.end, abs(trend.began))
    yield Finding(
        symptom="slow-learning",
        severity="warning",
        where="model",
        layer=None,
        units=(),
        step=1,
        measured=fastest,
        limit=limits.slow_update if fastest <= limits.slow_update else most,
        unit="update ratio",
        confidence=0.8,
        causes=(),
        remedies=(),
        message=f"The fastest weight moves by {number(fastest)} of its norm in a step (about 0.001 is usual), and "
        f"after {trend.steps:,} steps the loss is {number(trend.end, 4)}, {fallen:.2g} % below the "
        f"{number(trend.began, 4)} that it began at{_wait(steps)}.",
    )


def _steps_for_a_tenth(trend: LossTrend) -> float:
    """At the fastest pace that its noise allows."""
    fall = max(trend.start - trend.end + trend.error, trend.first - trend.end + trend.block_error)
    return TENTH * abs(trend.start) * trend.steps / fall if fall > 0.0 else float("inf")


def _wait(steps: float) -> str:
    return f"; a tenth takes {steps:,.0f} steps or more" if 1e3 <= steps < float("inf") else ""
