"""SageMaker Debugger's rules, with their default limits, restated over the vitals.

The rules themselves run closed in AWS; these are their definitions. Saturation is taken unit by unit where no sample of
the latest window was inside the bounds; the poor initialisation where both the spread of the variances and a loss that
does not fall in the first steps speak for it. Rules that need a validation loss are left out.

Source: Amazon SageMaker Developer Guide, "List of Debugger Built-in Rules", 2023.
"""

from __future__ import annotations

import numpy as np

from limen.vitals import ParameterVitals, SiteVitals, Vitals
from ward.peers.reading import Rules, kernels, mean_gradient, not_finite, rectifiers, squashers

__all__ = ["RULES"]

INACTIVITY, LAYER = 0.01, 0.5
BOUNDS = {"tanh": (-9.4999, 9.4999), "sigmoid": (-23.0, 16.99999)}
VANISHING = 1e-7
SPREAD, FIRST_STEPS = 10.0, 10
UPDATES = (1e-8, 10.0)
UNCHANGED_ROWS, UNCHANGED = 3, 1e-5
LOSS_STEPS, LOSS_DROP = 10, 0.001


def dead_relu(one: SiteVitals) -> bool:
    active = 1 - one.total.left / max(one.total.moments.count, 1)
    return float((active < INACTIVITY).mean()) > LAYER


def saturated(one: SiteVitals) -> bool:
    low, high = BOUNDS[one.site.function]
    return float(((one.recent.low > high) | (one.recent.high < low)).mean()) > LAYER


def poor_initialisation(vitals: Vitals) -> bool:
    variances = [float(np.mean(one.history.std[:FIRST_STEPS] ** 2)) for one in rectifiers(vitals)]
    losses = vitals.losses[0].value[: FIRST_STEPS + 1] if vitals.losses else np.empty(0)
    spread = len(variances) > 1 and max(variances) > SPREAD * min(variances)
    return spread and len(losses) > FIRST_STEPS and not losses[-1] < losses[0]


def wrong_ratio(one: ParameterVitals) -> bool:
    ratio = one.history.update[np.isfinite(one.history.update)]
    return bool(((ratio > UPDATES[1]) | (ratio < UPDATES[0])).any())


def unchanged(one: ParameterVitals) -> bool:
    still = one.history.update < UNCHANGED
    return any(still[row : row + UNCHANGED_ROWS].all() for row in range(len(still) - UNCHANGED_ROWS + 1))


def all_zero(vitals: Vitals) -> bool:
    silent = any(bool((one.history.inactive == 1).any()) for one in rectifiers(vitals))
    blank = [bool(((one.history.gradient == 0) | (one.history.weight == 0)).any()) for one in kernels(vitals)]
    return silent or any(blank)


def loss_not_decreasing(vitals: Vitals) -> bool:
    for loss in vitals.losses[:1]:
        value = loss.value[::LOSS_STEPS]
        return bool((np.diff(value) > -LOSS_DROP * np.abs(value[:-1])).any())
    return False


RULES: Rules = {
    "DeadRelu": lambda vitals: any(map(dead_relu, rectifiers(vitals))),
    "SaturatedActivation": lambda vitals: any(map(saturated, squashers(vitals))),
    "VanishingGradient": lambda vitals: any(bool((mean_gradient(one) < VANISHING).any()) for one in kernels(vitals)),
    "ExplodingTensor": not_finite,
    "PoorWeightInitialization": poor_initialisation,
    "WeightUpdateRatio": lambda vitals: any(map(wrong_ratio, kernels(vitals))),
    "AllZero": all_zero,
    "UnchangedTensor": lambda vitals: any(map(unchanged, kernels(vitals))),
    "LossNotDecreasing": loss_not_decreasing,
}
