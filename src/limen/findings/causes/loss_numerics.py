"""A loss that overflows by itself."""

from __future__ import annotations

import numpy as np

from limen.findings.causes.registry import cause
from limen.findings.finding import Cause, Finding
from limen.findings.thresholds import Thresholds
from limen.vitals import SiteVitals, Vitals

STABLE = frozenset({"cross-entropy", "bce-with-logits", "bce", "mse", "l1", "smooth-l1", "huber"})
"""Losses that torch computes without a logarithm of zero: of them, finite outputs alone make no NaN or infinity."""

CALM = 1e6  # size of a pre-activation far below what overflows float32 in the next layer, 3e38, or in a square, 2e19


@cause("loss-numerics")
def loss_numerics(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """A loss that is NaN or infinite although all that the network gave it was finite.

    Why it matters: the gradient of such a loss is NaN everywhere, and one step with it loses the network; a lower
    learning rate only puts it off.

    How it is measured: at the first step whose loss is not finite every site was looked at, its pre-activations were
    finite and below a million, and no parameter or gradient had been otherwise before. For the losses that torch
    computes from raw scores what is left are the targets: a NaN among them, or a mean over none.

    Known to misfire: a last layer without an activation whose own weights are huge.

    Answered by: fix-loss.

    Source: Blanchard et al. 2021, "Accurately computing the log-sum-exp and softmax functions".
    """
    if finding.symptom != "non-finite" or finding.where != "loss":
        return None
    ranges = [_range(seen, finding.step) for seen in vitals.sites]
    known = [pair for pair in ranges if pair is not None]
    earlier = any(one.first_nonfinite is not None and one.first_nonfinite < finding.step for one in vitals.parameters)
    if not known or len(known) < len(ranges) or earlier:
        return None
    low, high = min(pair[0] for pair in known), max(pair[1] for pair in known)
    if not max(-low, high) < CALM:
        return None
    name, value = next(
        (loss.function, float(loss.value[loss.step == finding.step][0]))
        for loss in vitals.losses
        if (loss.step == finding.step).any()
    )
    stable = name in STABLE
    suspects = (
        f"{name} of finite outputs is finite, which leaves the targets: a NaN among them, or a mean over none"
        if stable
        else "look in the loss for a log, sqrt or division that meets a zero, and for a NaN among the targets"
    )
    evidence = (
        f"The loss ({name}) was {value:g} at step {finding.step}, where all pre-activations were finite, from "
        f"{low:.3g} to {high:.3g}, and every weight before it: {suspects}."
    )
    return Cause("loss-numerics", 0.8 if stable else 0.9, evidence)


def _range(seen: SiteVitals, step: int) -> tuple[float, float] | None:
    """Smallest and largest pre-activation of a site at a step; None where it was not looked at or not finite."""
    rows = np.flatnonzero(seen.history.step == step)
    if len(rows) == 0 or seen.history.nonfinite[rows[0]] > 0:
        return None
    pair = float(seen.history.low[rows[0]]), float(seen.history.high[rows[0]])
    return pair if np.isfinite(pair).all() else None
