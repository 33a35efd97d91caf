"""A loss that overflows by itself, or whose slope does."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from limen.findings.causes.registry import cause, fact
from limen.findings.causes.sighting import sighting
from limen.findings.finding import Cause, Finding
from limen.findings.numbers import number
from limen.findings.output_fit import REGRESSION
from limen.findings.thresholds import Thresholds
from limen.vitals import SiteVitals, Vitals

STABLE = frozenset({"cross-entropy", "bce-with-logits", "bce", *REGRESSION})
"""Losses that torch computes without a logarithm of zero: of them, finite outputs alone make no NaN or infinity."""

CALM = 1e6  # size of a pre-activation far below what overflows float32 in the next layer, 3e38, or in a square, 2e19

LOGARITHMS = {"log-probability": "softmax sigmoid", "nll": "log"}
"""Losses that take a logarithm of a probability, by the heads with which they do."""

UNLIKELY = 1e-5  # a probability in the first steps: an even guess among 10,000 classes gives ten times as much


@fact("loss-numerics", explains=("non-finite",))
def loss_numerics_seen(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A logarithm of a probability, taken by hand."""
    for loss in vitals.losses:
        if loss.head not in LOGARITHMS.get(loss.function, "").split():
            continue
        least = 1.0 if loss.outputs is None else loss.outputs.low
        if least >= UNLIKELY and loss.head == "sigmoid":  # what trains against a discriminator is written so
            continue
        kind = "softmax" if loss.head == "log" else loss.head
        better = "log_softmax or cross_entropy" if kind == "softmax" else "logsigmoid or the binary one with logits"
        came = f" It came down to {number(least)} in the first steps." if least < UNLIKELY else ""
        message = f"The loss takes the logarithm of a {kind}; from raw scores, {better} is finite always."
        why = f"The logarithm of a {kind} is minus infinity as soon as a probability rounds to 0.{came}"
        yield sighting(
            "loss-numerics",
            "warning" if least < UNLIKELY else "info",
            "loss",
            why,
            confidence=0.95,
            measured=least,
            limit=UNLIKELY,
            unit="probability",
            message=message,
            step=loss.first_step,
        )
        return


@cause("loss-numerics")
def loss_numerics(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """A loss that is NaN or infinite although all that the network gave it was finite.

    Why it matters: the gradient of such a loss is NaN everywhere, and one step with it loses the network; a lower
    learning rate only puts it off.

    How it is measured: at the first step whose loss is not finite every site was looked at, its pre-activations were
    finite and below a million, and no parameter or gradient had been otherwise before. For the losses that torch
    computes from raw scores what is left are the targets: a NaN among them, or a mean over none. Of a loss that is
    finite itself the slope is to blame where, under the same conditions, the gradients of all weights that its
    optimiser moves are NaN or infinite in the same step: a square root has none at 0.

    By itself, before any harm, it is seen where a script takes the logarithm of a softmax: a remark, and a warning
    where a probability below 1e-5 met it in the first steps; of a sigmoid only then.

    Known to misfire: a last layer without an activation whose own weights are huge.

    Answered by: fix-loss.

    Source: Blanchard et al. 2021, "Accurately computing the log-sum-exp and softmax functions".
    """
    if finding.symptom != "non-finite":
        return None
    calm = _calm(vitals, finding.step)
    loss = next((one for one in vitals.losses if (one.step == finding.step).any()), None)
    if calm is None or loss is None:
        return None
    value = float(loss.value[loss.step == finding.step][0])
    where = (
        f"at step {finding.step}, where all pre-activations were finite, from {number(calm[0])} to {number(calm[1])}"
    )
    kind = "" if loss.function == "other" else f" ({loss.function})"
    if finding.where != "loss":
        broken = [one.first_nonfinite == finding.step for one in vitals.parameters]
        if not np.isfinite(value) or len(broken) < 2 or not all(broken):
            return None
        evidence = (
            f"The loss{kind} was {value:g} {where}; and yet no gradient was finite, up to the last layer: "
            "look in the loss for a sqrt, norm or division that meets a zero, of which the slope is infinite."
        )
        return Cause("loss-numerics", 0.85, evidence)
    stable = loss.function in STABLE
    suspects = (
        f"{loss.function} of finite outputs is finite, which leaves the targets: a NaN among them, or a mean over none"
        if stable
        else "look in the loss for a log, sqrt or division that meets a zero, and for a NaN among the targets"
    )
    evidence = f"The loss{kind} was {value:g} {where}, and every weight before it: {suspects}."
    return Cause("loss-numerics", 0.8 if stable else 0.9, evidence)


def _calm(vitals: Vitals, step: int) -> tuple[float, float] | None:
    """Smallest and largest pre-activation of a step where all were far from an overflow and no weight broken before."""
    ranges = [_range(seen, step) for seen in vitals.sites]
    known = [pair for pair in ranges if pair is not None]
    earlier = any(one.first_nonfinite is not None and one.first_nonfinite < step for one in vitals.parameters)
    if not known or len(known) < len(ranges) or earlier:
        return None
    low, high = min(pair[0] for pair in known), max(pair[1] for pair in known)
    return (low, high) if max(-low, high) < CALM else None


def _range(seen: SiteVitals, step: int) -> tuple[float, float] | None:
    """Smallest and largest pre-activation of a site at a step; None where it was not looked at or not finite."""
    rows = np.flatnonzero(seen.history.step == step)
    if len(rows) == 0 or seen.history.nonfinite[rows[0]] > 0:
        return None
    pair = float(seen.history.low[rows[0]]), float(seen.history.high[rows[0]])
    return pair if np.isfinite(pair).all() else None
