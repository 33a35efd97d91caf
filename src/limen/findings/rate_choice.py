"""By how much to lower a learning rate, from what its updates did to the weights."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.findings.finding import Finding
from limen.findings.indications import RATE_SYMPTOMS
from limen.vitals import ParameterVitals, Vitals

__all__ = [
    "RATE_LIMITS",
    "RateLimits",
    "learning_rate_factor",
    "optimiser_of",
    "rate_at",
    "telling_window",
    "update_ratio",
]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RateLimits:
    """What is aimed at when a learning rate is lowered.

    Attributes:
        healthy: update ratio ``‖Δw‖ / ‖w‖`` per step that is aimed at, dimensionless. TheDeepChecker accepts
            10⁻⁴ to 10⁻¹ (Ben Braiek & Khomh 2023, arXiv:2204.00694); a tenth of its upper end leaves room on both
            sides.
        tolerated: update ratio up to which a rate that was lowered once is left alone: half-way, on a logarithmic
            scale, between what is aimed at and the upper end of that range.
        strongest: the smallest factor ever applied at once.
        weakest: the largest factor that is worth calling a treatment.
        window: steps up to the onset of a finding over which update ratios are looked at.
    """

    healthy: float = 1e-2
    tolerated: float = 3e-2
    strongest: float = 1 / 100
    weakest: float = 1 / 2
    window: int = 20


RATE_LIMITS = RateLimits()
"""The limits of the documentation: 1e-2, between 1/100 and 1/2."""


def learning_rate_factor(ratio: float, limits: RateLimits = RATE_LIMITS) -> float:
    """The factor that brings an update ratio down to the healthy one, within the limits.

    The update of SGD, with or without momentum, and of Adam is proportional to the learning rate, so its ratio is.

    >>> learning_rate_factor(0.0625)
    0.16
    >>> learning_rate_factor(0.011), learning_rate_factor(50.0), learning_rate_factor(float("nan"))
    (0.5, 0.01, 0.5)
    """
    if not ratio > 0:  # not measured: the mildest treatment
        return limits.weakest
    return float(min(max(limits.healthy / ratio, limits.strongest), limits.weakest))


def update_ratio(vitals: Vitals, optimiser: int, after: int, until: int) -> float:
    """Median over the weights of an optimiser of their largest update ratio in the steps ``after < step <= until``.

    The largest of the window, because a few wild updates do the harm; the median over the weights, because one small
    weight may move far without harm. The latest figure before the window where none was recorded in it (old history
    is thinned); NaN where nothing was measured.
    """
    largest = [float(ratios.max()) for ratios in ratios_within(vitals, optimiser, after, until) if ratios.size]
    return float(np.median(largest)) if largest else float("nan")


def ratios_within(vitals: Vitals, optimiser: int, after: int, until: int) -> Iterator[Floats]:
    """The finite update ratios of each weight in the window."""
    for weight in weights_of(vitals, optimiser):
        history = weight.history
        earlier = np.isfinite(history.update) & (history.step <= until)
        inside = earlier & (history.step > after)
        yield history.update[inside] if inside.any() else history.update[earlier][-1:]


def weights_of(vitals: Vitals, optimiser: int) -> Iterator[ParameterVitals]:
    """The matrices and kernels that an optimiser updates."""
    return (p for p in vitals.parameters if p.parameter.weight and p.optimiser == optimiser)


def telling_window(finding: Finding, vitals: Vitals) -> tuple[int, int]:
    """The steps whose updates speak for a finding: up to its onset; of one that no rate is lowered for, all steps."""
    if finding.symptom not in RATE_SYMPTOMS:
        return 0, vitals.step
    return finding.step - RATE_LIMITS.window, max(finding.step, RATE_LIMITS.window)


def optimiser_of(finding: Finding, vitals: Vitals) -> int | None:
    """The optimiser of the layer concerned, or the only one; None for a hand-written update."""
    own = [one.optimiser for one in vitals.parameters if one.parameter.layer == finding.layer]
    owners = [owner for owner in own if owner is not None and owner < len(vitals.optimisers)]
    return min(owners) if owners else (0 if len(vitals.optimisers) == 1 else None)


def rate_at(vitals: Vitals, optimiser: int, step: int) -> float:
    """The learning rate at the last recorded step up to ``step``, or the first recorded one; NaN without any."""
    history = vitals.optimisers[optimiser]
    if not history.step.size:
        return float("nan")
    return float(history.learning_rate[max(int(np.searchsorted(history.step, step, side="right")) - 1, 0)])
