"""A loss that has not fallen, with a reason to think that it should have."""

from collections.abc import Iterator
from itertools import chain

import numpy as np

from limen.findings.figures import finite, share
from limen.findings.finding import Finding
from limen.findings.loss_trend import LossTrend, loss_trend
from limen.findings.numbers import number
from limen.findings.rules.dead_units import dead_units
from limen.findings.rules.registry import rule
from limen.findings.rules.saturated_units import saturated_units
from limen.findings.rules.vanishing_gradient import vanishing_gradient
from limen.findings.sameness import signal
from limen.findings.thresholds import Thresholds
from limen.findings.updates import largest_typical, typical_update, warming_up
from limen.findings.violence import diverged
from limen.vitals import Vitals

MUTE = 1e-3  # of the input's spread: a hundredth of what three layers of torch's own initialisation leave
BLANK = 1e-6  # of the same: what rounding to float32 leaves of nothing


@rule("not-learning")
def not_learning(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A loss that never fell below its start, in a network that shows why.

    Why it matters: nothing is learned, and time passes.

    How it is measured: one loss; no eighth of the run has a median below the start by more than three standard errors
    of the noise and 5 % of the start, nor below the first eighth; and something speaks against mere convergence. From
    step 20 on: no weight moves (all update ratios below 1e-6, at a learning rate that does not rise), or no gradient
    reaches any. From step 50 on: weights are thrown about (above 30 % in a typical step), or a hidden layer is dead,
    saturated, starved of gradient or blank (its pre-activations do not vary over samples at all). From step 100 on:
    the loss stands at three times its start (one whose level of a guess is unknown only beside a step that moved a
    weight by a tenth of itself: the task may have become harder). From step 200 on: a layer is blind to the input (they
    vary by less than a thousandth of its spread). Without such a witness nothing is said: noise, random labels, a
    reward signal and a trained network all have a flat loss. The rule looks again and again, and at every look noise
    may hide a fall; so it is silent where a fall by a quarter would not have been seen, unless no weight ever moved.
    Then there is none to see, and only one beyond four standard errors counts, that chance brings in less than 0.5 % of
    runs however often it is asked. It is an error where the level of a guess is known or the loss has risen, and a
    warning elsewhere.

    Known to misfire: a network that was trained already, with an unknown kind of loss and a tiny learning rate.

    Answered by: lower-learning-rate, raise-learning-rate, reinitialise, swap-activation.

    Source: Mann 1945, "Nonparametric tests against trend", for judging a trend by ranks and medians; TheDeepChecker
    (Ben Braiek & Khomh 2023) for asking for a witness.
    """
    trend = loss_trend(vitals, limits)
    if trend is None or not trend.positive or not trend.finite or trend.surely_fell or trend.competent:
        return
    witness = next(_witnesses(vitals, trend, limits), None)
    if witness is None:
        return
    yield Finding(
        symptom="not-learning",
        severity="error" if trend.chance == trend.chance or diverged(vitals, trend, limits) else "warning",
        where="model",
        layer=None,
        units=(),
        step=1,
        measured=share(trend.start - trend.lowest, abs(trend.start)),
        limit=max(trend.required, share(trend.error, abs(trend.start))),
        unit="share of the loss at the start",
        confidence=0.8,
        causes=(),
        remedies=(),
        message=f"After {trend.steps:,} steps the loss has not fallen: {trend.opening}, {number(trend.end, 4)} now, "
        f"{number(trend.lowest, 4)} at best over an eighth of the run; {witness}.",
    )


def _witnesses(vitals: Vitals, trend: LossTrend, limits: Thresholds) -> Iterator[str]:
    """What speaks against mere convergence, each from the step on at which it says enough."""
    if trend.steps < limits.window:
        return
    patient = trend.steps >= limits.patience
    _, largest = typical_update(vitals, limits.window)
    frozen = largest <= limits.frozen_update and (patient or not warming_up(vitals, limits.window))
    if frozen and (trend.resolved or largest_typical(vitals, limits.window) <= limits.frozen_update):
        yield f"no weight moves by more than {number(largest)} of its norm in a step" if largest else "no weight moves"
    if trend.ever_fell:
        return
    if trend.steps >= limits.lasting and diverged(vitals, trend, limits):
        yield f"it stands at {number(share(trend.end, trend.began), 2)} times its start"
    if _no_gradient(vitals, limits):
        yield "no gradient reaches any weight"
    if not trend.resolved or trend.steps < limits.early:
        return
    if largest >= limits.violent_update:
        yield f"a weight moves by {100 * largest:.0f} % of its norm in a typical step"
    blocked = chain(dead_units(vitals, limits), saturated_units(vitals, limits), vanishing_gradient(vitals, limits))
    for one in blocked:
        if one.severity == "error":
            seen = vitals.site(one.where)
            yield f"{one.name} at {seen.site.title if seen is not None else one.where}"
    yield from _mute(vitals, MUTE if patient else BLANK)


def _mute(vitals: Vitals, most: float) -> Iterator[str]:
    """Hidden layers that say the same whatever they are shown."""
    for seen in vitals.sites:
        left = signal(vitals, seen, seen.recent)
        if seen.site.layer is not None and not seen.site.head and left < most:
            yield f"{seen.site.title} varies over samples by {number(left)} of the input's spread only"


def _no_gradient(vitals: Vitals, limits: Thresholds) -> bool:
    rows = [finite(one.history.gradient)[-limits.window :] for one in vitals.parameters if one.parameter.weight]
    known = [float(np.median(row)) for row in rows if len(row) >= limits.window]
    return len(known) > 0 and max(known) == 0.0
