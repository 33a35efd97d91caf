"""Steps that lead nowhere."""

import numpy as np

from limen.findings.causes.registry import cause
from limen.findings.figures import finite, median
from limen.findings.finding import Cause, Finding
from limen.findings.thresholds import Thresholds
from limen.findings.updates import typical_update
from limen.vitals import Vitals

HEARD = 1e-4  # gradient norm over weight norm from which a gradient is clearly there


@cause("learning-rate-too-low")
def learning_rate_too_low(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """Steps so small that no weight gets anywhere, although a gradient is there.

    Why it matters: the training is sound and will not arrive.

    How it is measured: every weight's update ratio below 1e-6 over the latest steps (of slow-learning below its own
    limit), while the gradient norm of some
    weight is above 1e-4 of its norm. A gradient that is missing as well is not the learning rate's fault.

    Known to misfire: a warm-up that has only begun.

    Answered by: raise-learning-rate, change-optimiser.

    Source: update ratio of 1e-3: Karpathy, CS231n notes; a thousandth of it needs a million steps.
    """
    if finding.symptom not in ("not-learning", "slow-learning"):
        return None
    most = limits.frozen_update if finding.symptom == "not-learning" else finding.limit
    _, largest = typical_update(vitals, limits.window)
    gradients = [_relative(vitals, index, limits) for index in range(len(vitals.parameters))]
    known = finite(gradients)
    heard = float(known.max()) if len(known) else 0.0
    if not largest <= most or heard < HEARD:
        return None
    evidence = (
        f"The fastest weight moves by {largest:.1e} of its norm in a step (about 1e-03 is usual) while gradients reach "
        f"{heard:.1e} of the norm of their weight."
    )
    return Cause("learning-rate-too-low", 0.85, evidence)


def _relative(vitals: Vitals, index: int, limits: Thresholds) -> float:
    seen = vitals.parameters[index]
    if not seen.parameter.weight:
        return float("nan")
    with np.errstate(divide="ignore", invalid="ignore"):
        return median((seen.history.gradient / seen.history.weight)[-limits.window :])
