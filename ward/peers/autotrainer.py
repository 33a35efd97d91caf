"""AutoTrainer's rules, with its limits, restated over the vitals.

It checks every three epochs and gates all but two rules by an accuracy below 0.6. The vitals hold no accuracy: the
share of the first loss that is gone stands for it, and ten parts of the run for the checks. Its share of gradient
entries that are exactly zero becomes the share of units that are dead.

Source: Zhang et al. 2021, "AutoTrainer: An Automatic DNN Training Problem Detection and Repair System", ICSE.
"""

from __future__ import annotations

import itertools

import numpy as np

from limen.vitals import Vitals
from ward.peers.reading import Floats, Rules, kernels, not_finite, rectifiers, solved

__all__ = ["RULES"]

ACCURACY = 0.6
VANISHING_RATIO, VANISHING_NORM, EXPLODING_RATIO = 1e-3, 1e-4, 70.0
DYING_SHARE = 0.7
OSCILLATION, OSCILLATIONS = 0.03, 0.2
SLOWEST_GAIN = 0.01


def poor(vitals: Vitals) -> bool:
    """Whether the gate is open: the network does not do well, or does not get better."""
    found = solved(vitals)
    return len(found) > 0 and (not found[-1] >= ACCURACY or slow(vitals))


def first_and_ratio(vitals: Vitals) -> tuple[Floats, Floats]:
    """Gradient norms of the first kernel, and their ratio to those of the last, at ten moments."""
    found = kernels(vitals)
    if len(found) < 2:
        return np.empty(0), np.empty(0)
    first, last = found[0].history.gradient, found[-1].history.gradient
    rows = np.unique(np.linspace(0, min(len(first), len(last)) - 1, 10).astype(int))
    with np.errstate(divide="ignore", invalid="ignore"):
        return first[rows], first[rows] / last[rows]


def vanishing(vitals: Vitals) -> bool:
    first, ratio = first_and_ratio(vitals)
    return bool(((ratio < VANISHING_RATIO) & (first < VANISHING_NORM)).any()) and poor(vitals)


def exploding(vitals: Vitals) -> bool:
    _, ratio = first_and_ratio(vitals)
    return not_finite(vitals) or (bool((ratio > EXPLODING_RATIO).any()) and poor(vitals))


def dying(vitals: Vitals) -> bool:
    found = rectifiers(vitals)
    units = sum(one.site.units for one in found)
    return units > 0 and sum(one.history.dead[-1] for one in found) / units >= DYING_SHARE and poor(vitals)


def oscillating(vitals: Vitals) -> bool:
    found = solved(vitals)
    turns = [found[0]] if len(found) else []
    for before, here, after in zip(found, found[1:], found[2:], strict=False):
        if (here - before) * (after - here) < 0:
            turns.append(here)
    falls = sum(high - low >= OSCILLATION for high, low in itertools.pairwise(turns))
    return falls >= OSCILLATIONS * max(len(found), 1)


def slow(vitals: Vitals) -> bool:
    found = solved(vitals)
    return len(found) > 0 and not float(np.diff(found).max()) >= SLOWEST_GAIN


RULES: Rules = {
    "gradient vanish": vanishing,
    "gradient explode": exploding,
    "dying ReLU": dying,
    "oscillating loss": oscillating,
    "slow convergence": slow,
}
