"""A signal that is far too large when it arrives at the loss."""

from collections.abc import Iterator

import numpy as np

from limen.findings.figures import finite, median
from limen.findings.finding import Finding
from limen.findings.loss_trend import LossTrend, loss_trend
from limen.findings.numbers import number
from limen.findings.rules.registry import rule
from limen.findings.thresholds import Thresholds
from limen.findings.updates import NEWBORN
from limen.vitals import SiteVitals, Vitals

FIRST_STEPS = 3  # rows whose median is the beginning


@rule("exploding-activations")
def exploding_activations(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Pre-activations so large from the first step on that the loss begins far above that of a guess.

    Why it matters: the network is certain of nonsense before it has learned anything. It spends its first steps, or
    all of them, on unlearning that, with gradients as much too large as the signal.

    How it is measured: a classification whose loss begins at ten times that of a guess (the logarithm of the number of
    classes), while the pre-activations of some layer begin with a root mean square above 10. Standardised layers have
    about 1. Either alone is not reported: losses may be sums, and large pre-activations may be normalised behind. It is
    an error where the loss still stands at three times a guess after 200 steps.

    Known to misfire: nothing known; a network that is fine-tuned on other classes begins at a few times a guess.

    Answered by: reinitialise, scale-inputs, add-normalisation.

    Source: Karpathy 2019, "A recipe for training neural networks": verify the loss at initialisation.
    """
    trend = loss_trend(vitals, limits)
    if trend is None or not trend.began > limits.wild_loss * trend.chance:  # False for a chance of NaN
        return
    born = [(size, seen) for seen in vitals.sites if np.isfinite(size := _size_at_birth(seen))]
    if not born:
        return
    size, seen = max(born, key=lambda one: one[0])
    if size < limits.wild_signal:
        return
    yield Finding(
        symptom="exploding-activations",
        severity="error" if _lasts(trend, limits) else "warning",
        where=seen.site.name,
        layer=seen.site.layer,
        units=(),
        step=1,
        measured=size,
        limit=limits.wild_signal,
        unit="root mean square of the pre-activations",
        confidence=0.9,
        causes=(),
        remedies=(),
        message=f"The loss began at {number(trend.began, 4)}, where a guess has {number(trend.chance)}: the "
        f"pre-activations of {seen.site.title} began with a root mean square of {number(size)}, where about 1 is "
        "usual.",
    )


def _size_at_birth(seen: SiteVitals) -> float:
    """Root mean square of the pre-activations of the first rows; NaN where these were not looked at."""
    history = seen.history
    if len(history.step) == 0 or history.step[0] > NEWBORN:
        return float("nan")
    sizes = np.hypot(history.mean[:FIRST_STEPS], history.std[:FIRST_STEPS])
    return median(finite(sizes))


def _lasts(trend: LossTrend, limits: Thresholds) -> bool:
    """Whether it is still far above a guess after steps enough to have come down."""
    return trend.hopeless and trend.steps >= limits.patience
