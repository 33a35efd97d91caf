"""Gradients that nobody clears."""

from collections.abc import Iterator

import numpy as np

from limen.findings.causes.registry import fact
from limen.findings.causes.sighting import sighting
from limen.findings.figures import finite, median
from limen.findings.finding import Finding
from limen.findings.numbers import number
from limen.findings.thresholds import Thresholds
from limen.vitals import ParameterVitals, Vitals

FEWEST = 10  # steps: a script may begin with a few on purpose, as in looking for a learning rate
SHARE = 0.9  # of the steps seen: gradients gathered over nine steps and more, and used at each, are no plan
GROWN = 1.5  # times: of a gradient norm that is worth telling of

EXPLAINS = frozenset(
    {
        "dead-units",
        "dying-units",
        "saturated-units",
        "exploding-gradient",
        "exploding-activations",
        "non-finite",
        "not-learning",
        "diverging-loss",
        "oscillating-loss",
        "slow-learning",
        "collapsed-representation",
    }
)


@fact("missing-zero-grad", explains=EXPLAINS)
def missing_zero_grad(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Gradients that are never cleared, so that each step uses those of all steps before it again.

    Why it matters: ``backward`` adds to what is there. After a hundred steps the update is the sum of a hundred
    gradients, most of them of weights long gone: the loss swings, or grows until it is infinite.

    How it is measured: after a step of an optimiser the gradients of some of its parameters are marked; where they are
    still there, unchanged and not zero, when the next backward pass begins, and that pass adds to them, the step after
    it uses what has been used before. At least nine in ten of the steps seen, from the second on, and at least ten.
    Several backward passes for one step are gradient accumulation and not meant.

    Known to misfire: gradients kept on purpose as a momentum without decay.

    Answered by: fix-training-loop.

    Source: the documentation of ``torch.optim.Optimizer.zero_grad``.
    """
    seen = max(vitals.looked, int(vitals.step > 0)) - 1
    for index, optimiser in enumerate(vitals.optimisers):
        uncleared = min(optimiser.uncleared, seen)
        if uncleared < max(FEWEST, SHARE * seen):
            continue
        several = len(vitals.optimisers) > 1
        evidence = (
            f"At {uncleared:,} of the {seen:,} steps seen from the second on, the gradients still held those of the "
            f"step before when the backward pass added to them{_growth(vitals, index)}."
        )
        yield sighting(
            "missing-zero-grad",
            "warning",
            f"optimiser {index + 1}" if several else "model",
            evidence,
            confidence=0.99,
            measured=uncleared / seen,
            limit=SHARE,
            unit="share of steps",
            step=2,
            message=f"{optimiser.name} uses the gradients of earlier steps again: nothing cleared them before "
            f"{uncleared:,} of {seen:,} steps.",
        )


def _growth(vitals: Vitals, index: int) -> str:
    """How the gradients grew, where they did."""
    grown = [_of_one(one) for one in vitals.parameters if one.optimiser == index and one.parameter.weight]
    factor = median(finite(grown)) if grown else float("nan")
    return f"; their norms have grown {number(factor, 2)} times since the first step" if factor >= GROWN else ""


def _of_one(seen: ParameterVitals) -> float:
    norms = finite(seen.history.gradient)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return float(np.median(norms[-5:]) / norms[0]) if len(norms) else float("nan")
