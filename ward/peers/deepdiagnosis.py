"""DeepDiagnosis' rules, with its limits, restated over the vitals.

Its decision tree, which only chooses the fix, is left out; ten parts of the run stand for its twenty epochs. It limits
the mean absolute gradient, for which the root of the mean square stands, and the variance of weights, for which their
mean square does. Of the histogram's bin from 4 to 6 half is counted as beyond 5.

Source: Wardat et al. 2022, "DeepDiagnosis: Automatically Diagnosing Faults and Recommending Actionable Fixes", ICSE.
"""

from __future__ import annotations

import numpy as np

from limen.vitals import EDGES, SiteVitals, Vitals
from ward.peers.reading import Rules, kernels, mean_gradient, not_finite, rectifiers, solved, squashers

__all__ = ["RULES"]

VANISHING = 1e-7
ZEROS = 0.7
SATURATED = 0.5
VARIANCES = (1e-5, 10.0)
UNCHANGED_ROWS = 5

FAR = np.minimum(np.abs(EDGES[:-1]), np.abs(EDGES[1:]))
BEYOND_5 = np.where(FAR >= 6, 1.0, np.where(FAR >= 4, 0.5, 0.0))


def saturated(one: SiteVitals) -> bool:
    counts = one.total.histogram.counts
    return float(counts @ BEYOND_5) > SATURATED * max(int(counts.sum()), 1)


def vanishing(vitals: Vitals) -> bool:
    return any(mean_gradient(one)[-1] < VANISHING for one in kernels(vitals))


def dead_node(vitals: Vitals) -> bool:
    return any(one.history.inactive[-1] >= ZEROS for one in rectifiers(vitals))


def poor_weight(vitals: Vitals) -> bool:
    squares = [one.history.weight[0] ** 2 / np.prod(one.parameter.shape) for one in kernels(vitals)]
    return any(not VARIANCES[0] <= square <= VARIANCES[1] for square in squares)


def unchanged(vitals: Vitals) -> bool:
    latest = [one.history.update[-UNCHANGED_ROWS:] for one in kernels(vitals)]
    return any(len(rows) == UNCHANGED_ROWS and bool((rows == 0).all()) for rows in latest)


def loss_not_decreasing(vitals: Vitals) -> bool:
    found = solved(vitals)
    return len(found) > 0 and not found[-1] > found[0]


RULES: Rules = {
    "vanishing gradient": vanishing,
    "dead node": dead_node,
    "saturated activation": lambda vitals: any(map(saturated, squashers(vitals))),
    "poor weight": poor_weight,
    "unchanged weight": unchanged,
    "exploding tensor": not_finite,
    "loss not decreasing": loss_not_decreasing,
}
