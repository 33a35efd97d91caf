"""Dropout that leaves hardly anything."""

from __future__ import annotations

import math
from collections.abc import Iterator

from limen.findings.causes.registry import cause, fact
from limen.findings.causes.sighting import sighting
from limen.findings.finding import Cause, Finding
from limen.findings.numbers import number
from limen.findings.thresholds import Thresholds
from limen.findings.words import listed
from limen.vitals import Dropout, Vitals

NEARLY_ALL = 0.95  # share from which the noise is 19 times the variance of the signal, whatever the width
MOST = 0.9  # share that harms where few values are left; Srivastava et al. 2014 find harm from 0.8 on at 2,048 units
FEW = 16.0  # values left of a sample
STRONG = 0.5  # share from which dropouts of several layers in a row are multiplied; those of residual branches are less
LITTLE = 0.05  # of the values, over the layers in a row

EXPLAINS = frozenset({"not-learning", "slow-learning", "oscillating-loss", "collapsed-representation", "dead-units"})


@fact("excess-dropout", explains=EXPLAINS)
def excess_dropout_seen(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Dropouts that drop nearly all."""
    for one in vitals.program.dropouts:
        if one.share < MOST:
            continue
        left = one.width * (1.0 - one.share)
        harms = one.share >= NEARLY_ALL or 0.0 < left < FEW
        yield sighting(
            "excess-dropout",
            ("error" if one.share >= 1.0 else "warning") if harms else "info",
            one.name,
            f"{one.name or one.kind} drops {100 * one.share:.4g} % of what it is given{_left(one, left)}.",
            confidence=0.95 if harms else 0.4,
            measured=one.share,
            limit=MOST,
            unit="probability",
            layer=one.name or None,
        )


@cause("excess-dropout")
def excess_dropout(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """Dropout of so many values that little of the signal is left.

    Why it matters: what is kept is enlarged by 1 / (1 - p), so that a layer passes its signal with noise of p / (1 - p)
    times its variance: 1 at a half, 32 at 0.97. The gradient is as noisy.

    How it is measured: the probability of each dropout module that a training step used: from 0.95 on, or from 0.9 on
    where fewer than 16 values of a sample are left, it is a finding by itself; where more are left, a remark. For a
    loss that does not fall, or falls slowly or unsteadily, the shares that dropouts of a half and more leave are
    multiplied: below 5 % they are a cause.

    Known to misfire: dropout of an input with tens of thousands of values, or of a branch beside a shortcut.

    Answered by: reduce-dropout.

    Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", section 7.3.
    """
    strong = [one for one in vitals.program.dropouts if one.share >= STRONG]
    left = math.prod(1.0 - one.share for one in strong)
    if finding.symptom not in ("not-learning", "slow-learning", "oscillating-loss") or not strong or left > LITTLE:
        return None
    shares = listed([f"{100 * one.share:.4g} % at {one.name or one.kind}" for one in strong])
    return Cause("excess-dropout", 0.6, f"Dropout takes {shares}: {100 * left:.2g} % is left after all of them.")


def _left(one: Dropout, left: float) -> str:
    return f": about {number(left)} of {one.width:,} values of a sample are left" if one.width else ""
