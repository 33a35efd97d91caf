"""A gradient that grows out of hand, from head to input or from step to step."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from limen.findings.figures import finite, median
from limen.findings.finding import Finding
from limen.findings.loss_trend import loss_trend
from limen.findings.numbers import number
from limen.findings.profile import PROFILE, Profile, gradient_profiles
from limen.findings.rules.registry import rule
from limen.findings.thresholds import Thresholds
from limen.findings.updates import typical_update
from limen.findings.violence import diverged
from limen.vitals import ParameterVitals, Vitals

SECOND_STEP = 2
FEWEST_ROWS = 3  # an explosion may leave no more before everything is NaN


@rule("exploding-gradient")
def exploding_gradient(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A gradient that grows from layer to layer or from step to step until its updates do harm.

    Why it matters: steps scale with the gradient; one that is thousands of times too large throws the weights away,
    and soon something overflows to infinity or NaN.

    How it is measured: either the gradient at the first site is more than a hundred times that at the last, growing
    by at least 1.5 for each of four layers or more, or that of some weight is a thousand times what it was in the first
    steps. And harm is seen: weights that typically move by 30 % of their norm in one step, a loss that ended at three
    times its start (see not-learning) or far above that of a guess, or a value that is not finite. A large gradient
    alone is never reported.

    Known to misfire: a cross-entropy that is meant to rise, as in adversarial training with a single optimiser.

    Answered by: lower-learning-rate, clip-gradients, reinitialise, add-normalisation.

    Source: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", arXiv:1211.5063; Philipp
    et al. 2018, "The exploding gradient problem demystified", arXiv:1712.05577.
    """
    harm = _harm(vitals, limits)
    if harm is None:
        return
    end = _end(vitals)
    grown = [one for one in gradient_profiles(vitals, limits.window, end) if _grows(one, limits)]
    if not grown and end is not None:  # the last steps before the first NaN are chaos: look at the first step alone
        grown = [one for one in gradient_profiles(vitals, 1, SECOND_STEP) if _grows(one, limits)]
    if grown:
        yield from (_in_depth(profile, harm, limits) for profile in grown)
        return
    finding = _in_time(vitals, harm, limits)
    if finding is not None:
        yield finding


def _harm(vitals: Vitals, limits: Thresholds) -> str | None:
    broken = _end(vitals)
    trend = loss_trend(vitals, limits)
    if broken is not None:
        return f"values stopped being finite at step {broken}"
    _, update = typical_update(vitals, limits.window)
    if update >= limits.violent_update:
        return f"a weight typically moves by {100 * update:.0f} % of its norm in one step"
    if trend is not None and diverged(vitals, trend, limits):
        return f"the loss went from {number(trend.began)} to {number(trend.end)}"
    if any(len(one.value) and not np.isfinite(one.value[-1]) for one in vitals.losses):
        return "the loss is no longer finite"
    if trend is not None and trend.hopeless and trend.steps >= limits.patience:
        return f"the loss of {number(trend.end)} is far above the {number(trend.chance)} of a guess"
    return None


def _end(vitals: Vitals) -> int | None:
    """The first step with a value that is not finite; None where there is none."""
    broken = [one.first_nonfinite for one in (*vitals.sites, *vitals.parameters) if one.first_nonfinite is not None]
    return min(broken, default=None)


def _grows(profile: Profile, limits: Thresholds) -> bool:
    enough = profile.depth >= limits.depth and profile.rows >= 1
    steady = profile.order <= -limits.ordered
    return enough and steady and profile.ratio >= limits.exploded and profile.factor >= limits.explosive_factor


def _in_depth(profile: Profile, harm: str, limits: Thresholds) -> Finding:
    first, last = profile.rungs[0], profile.rungs[-1]
    return Finding(
        symptom="exploding-gradient",
        severity="error",
        where=first.site.name,
        layer=first.site.layer,
        units=(),
        step=1,
        measured=profile.ratio,
        limit=limits.exploded,
        unit=PROFILE,
        confidence=0.9,
        causes=(),
        remedies=(),
        message=f"The gradient is {number(profile.ratio)} times as large at {first.site.title} as at "
        f"{last.site.title}, a factor of {number(profile.factor, 2)} for each of {profile.depth - 1} layers, and "
        f"{harm}.",
    )


def _in_time(vitals: Vitals, harm: str, limits: Thresholds) -> Finding | None:
    worst: tuple[float, ParameterVitals] | None = None
    for seen in vitals.parameters:
        growth = _growth(seen.history.gradient) if seen.parameter.weight else float("nan")
        if growth >= limits.runaway and (worst is None or growth > worst[0]):
            worst = (growth, seen)
    if worst is None:
        return None
    growth, seen = worst
    return Finding(
        symptom="exploding-gradient",
        severity="error",
        where=seen.parameter.name,
        layer=seen.parameter.layer,
        units=(),
        step=_since(seen, limits),
        measured=growth,
        limit=limits.runaway,
        unit="gradient now / at the start",
        confidence=0.85,
        causes=(),
        remedies=(),
        message=f"The gradient of {seen.parameter.name} is {number(growth)} times as large as in the first steps, and "
        f"{harm}.",
    )


def _growth(gradient: npt.NDArray[np.float64]) -> float:
    """Norm over the last rows over that of the first; NaN for too few rows or a start at zero."""
    known = finite(gradient)
    if len(known) < 2 * FEWEST_ROWS or median(known[:FEWEST_ROWS]) <= 0.0:
        return float("nan")
    return median(known[-FEWEST_ROWS:]) / median(known[:FEWEST_ROWS])


def _since(seen: ParameterVitals, limits: Thresholds) -> int:
    """First step from which the gradient stayed above a thirtieth of the limit: half-way there on a log scale."""
    known = np.isfinite(seen.history.gradient)
    steps, norms = seen.history.step[known], seen.history.gradient[known]
    below = np.flatnonzero(norms < np.sqrt(limits.runaway) * median(norms[:FEWEST_ROWS]))
    return int(steps[min(below[-1] + 1, len(steps) - 1)]) if len(below) else 1
