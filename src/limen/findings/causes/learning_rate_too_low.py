"""Steps that lead nowhere."""

from collections.abc import Iterator

import numpy as np

from limen.findings.causes.registry import cause, fact
from limen.findings.causes.sighting import sighting
from limen.findings.figures import finite, median
from limen.findings.finding import Cause, Finding
from limen.findings.loss_trend import loss_trend
from limen.findings.numbers import number
from limen.findings.thresholds import Thresholds
from limen.findings.updates import NEARLY_ZERO, relative_gradient, scale_at_birth, typical_update
from limen.vitals import OptimiserVitals, ParameterVitals, Vitals

HEARD = 1e-4  # gradient norm over weight norm from which a gradient is clearly there
LOUD = 1e-2  # the same where no harm is seen yet: of a batch, a network that has yet to learn gives 0.03 to 4
RISING = 1.05  # times the first rate: a warm-up
NEARLY_ALL = 0.9  # of the steps: the first ones of RMSprop are ten times as large as the others


@cause("learning-rate-too-low")
def learning_rate_too_low(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """Steps so small that no weight gets anywhere, although a gradient is there.

    Why it matters: the training is sound and will not arrive.

    How it is measured: every weight's update ratio below 1e-6 over the latest steps (of slow-learning below its own
    limit), while the gradient norm of some weight is above 1e-4 of its norm. A gradient that is missing as well is not
    the learning rate's fault.

    By itself it is seen where in nine of ten of 20 recorded steps every weight's update ratio is below 1e-6, while the
    gradient norm of some weight is above a hundredth of its norm. Nothing is said while a learning rate rises or is
    zero, nor when it has fallen by half, nor of a loss that stands clearly below that of a guess.

    Known to misfire: a warm-up that has only begun, or stays at its first rate for more than 20 steps.

    Answered by: raise-learning-rate, change-optimiser.

    Source: update ratio of 1e-3: Karpathy, CS231n notes; a thousandth of it needs a million steps.
    """
    if finding.symptom not in ("not-learning", "slow-learning"):
        return None
    most = limits.frozen_update if finding.symptom == "not-learning" else finding.limit
    _, largest = typical_update(vitals, limits.window)
    heard = _loudest(vitals, limits)
    if not largest <= most or heard < HEARD:
        return None
    evidence = (
        f"The fastest weight moves by {number(largest)} of its norm in a step (about 0.001 is usual) while gradients "
        f"reach {number(heard)} of the norm of their weight."
    )
    return Cause("learning-rate-too-low", 0.85, evidence)


def _loudest(vitals: Vitals, limits: Thresholds) -> float:
    """The largest gradient of a weight over the latest steps, as a share of it; 0 where none is known."""
    weights = [one for one in vitals.parameters if one.parameter.weight]
    return max(finite([median(relative_gradient(one)[-limits.window :]) for one in weights]), default=0.0)


@fact("learning-rate-too-low", explains={"not-learning", "slow-learning"})
def learning_rate_too_low_seen(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Steps so small from the start that no weight moves by a millionth of itself, although gradients are large."""
    weights = [one for one in vitals.parameters if one.parameter.weight]
    if not weights or not all(_stands_still(one, limits) for one in weights):
        return
    trend = loss_trend(vitals, limits)
    heard = _loudest(vitals, limits)
    if heard < LOUD or not all(map(_is_steady, vitals.optimisers)) or (trend is not None and trend.competent):
        return
    _, largest = typical_update(vitals, limits.window)
    rates = " and ".join(f"{one.learning_rate[-1]:g} ({one.name})" for one in vitals.optimisers)
    at = f" at a learning rate of {rates}" if rates else ""
    evidence = (
        f"The fastest weight moves by {number(largest)} of its norm in a step (about 0.001 is usual) while gradients "
        f"reach {number(heard)} of the norm of their weight."
    )
    yield sighting(
        "learning-rate-too-low",
        "warning",
        "model",
        evidence,
        confidence=0.9,
        measured=largest,
        limit=limits.frozen_update,
        unit="update ratio",
        message=f"No weight moves by more than {number(largest)} of its norm in a step{at}.",
    )


def _stands_still(seen: ParameterVitals, limits: Thresholds) -> bool:
    """Whether it was measured long enough and hardly moved; one that began at about zero may, for all that is known."""
    ratios = finite(seen.history.update)[-limits.window :]
    enough = len(ratios) >= limits.window and not scale_at_birth(seen) < NEARLY_ZERO
    return enough and bool(np.quantile(ratios, NEARLY_ALL) <= limits.frozen_update)


def _is_steady(optimiser: OptimiserVitals) -> bool:
    """Whether a rate is neither zero nor on its way up, and not on its way down by half."""
    rates = finite(optimiser.learning_rate)
    if len(rates) == 0 or rates[-1] <= 0.0:
        return False
    return bool(rates[-1] <= RISING * rates[0] and rates[-1] >= 0.5 * rates.max())
