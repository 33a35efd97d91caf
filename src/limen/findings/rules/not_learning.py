"""A loss that has not fallen, with a reason to think that it should have."""

from collections.abc import Iterator
from itertools import chain

from limen.findings.figures import finite, median, share
from limen.findings.finding import Finding
from limen.findings.loss_trend import LossTrend, loss_trend
from limen.findings.rules.dead_units import dead_units
from limen.findings.rules.registry import rule
from limen.findings.rules.saturated_units import saturated_units
from limen.findings.rules.vanishing_gradient import vanishing_gradient
from limen.findings.sameness import signal
from limen.findings.thresholds import Thresholds
from limen.findings.updates import typical_update
from limen.findings.violence import diverged
from limen.vitals import Vitals

MUTE = 1e-3  # of the input's spread: a hundredth of what three layers of torch's own initialisation leave


@rule("not-learning")
def not_learning(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A loss that never fell below its start, in a network that shows why.

    Why it matters: nothing is learned, and time passes.

    How it is measured: one loss, at least 200 steps; no eighth of the run has a median below the start by more than
    three standard errors of the noise and 5 % of the start; and something speaks against mere convergence: weights
    that hardly move (all update ratios below 1e-6) or are thrown about (above 30 %), a hidden layer that is dead,
    saturated, starved of gradient or blind to the input (its pre-activations vary over samples by less than a
    thousandth of the input's spread), or a loss that ended at three times its start (one whose level of a guess is
    unknown only beside a step that moved a weight by a tenth of itself: the task may have become harder). Without such
    a witness nothing is said: noise, random labels, a reward signal and a trained network all have a flat loss.

    Known to misfire: a network that was trained already, with an unknown kind of loss and a tiny learning rate.

    Answered by: lower-learning-rate, raise-learning-rate, reinitialise, swap-activation.

    Source: Mann 1945, "Nonparametric tests against trend", for judging a trend by ranks and medians; TheDeepChecker
    (Ben Braiek & Khomh 2023) for asking for a witness.
    """
    trend = loss_trend(vitals, limits)
    if trend is None or trend.steps < limits.patience or not trend.positive or not trend.finite:
        return
    if trend.ever_fell or trend.competent:
        return
    witness = _witness(vitals, trend, limits)
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
        message=f"After {trend.steps:,} steps the loss has not fallen: {trend.opening}, {trend.end:.4g} now, "
        f"{trend.lowest:.4g} at best over an eighth of the run; {witness}.",
    )


def _witness(vitals: Vitals, trend: LossTrend, limits: Thresholds) -> str | None:
    """What speaks against mere convergence; None where nothing does."""
    _, largest = typical_update(vitals, limits.window)
    if diverged(vitals, trend, limits):
        return f"it stands at {share(trend.end, trend.began):.2g} times its start"
    if largest <= limits.frozen_update:
        return f"no weight moves by more than {largest:.1e} of its norm in a step" if largest else "no weight moves"
    if largest >= limits.violent_update:
        return f"a weight moves by {100 * largest:.0f} % of its norm in a typical step"
    if _no_gradient(vitals, limits):
        return "no gradient reaches any weight"
    blocked = chain(dead_units(vitals, limits), saturated_units(vitals, limits), vanishing_gradient(vitals, limits))
    worst = next((one for one in blocked if one.severity == "error"), None)
    if worst is None:
        return _mute(vitals)
    seen = vitals.site(worst.where)
    return f"{worst.name} at {seen.site.title if seen is not None else worst.where}"


def _mute(vitals: Vitals) -> str | None:
    """A hidden layer that says the same whatever it is shown."""
    for seen in vitals.sites:
        left = signal(vitals, seen, seen.recent)
        if seen.site.layer is not None and not seen.site.head and left < MUTE:
            return f"{seen.site.title} varies over samples by {left:.1e} of the input's spread only"
    return None


def _no_gradient(vitals: Vitals, limits: Thresholds) -> bool:
    norms = [
        median(finite(one.history.gradient)[-limits.window :]) for one in vitals.parameters if one.parameter.weight
    ]
    known = finite(norms)
    return len(known) > 0 and float(known.max()) == 0.0
