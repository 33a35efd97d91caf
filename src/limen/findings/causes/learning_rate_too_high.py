"""Steps that throw the weights away."""

import numpy as np

from limen.findings.causes.birth import born_share, born_stuck
from limen.findings.causes.registry import cause
from limen.findings.finding import Cause, Finding
from limen.findings.loss_trend import loss_trend
from limen.findings.thresholds import Thresholds
from limen.findings.updates import Jump, largest_update
from limen.vitals import Vitals

LEAD = 20  # steps before the harm in which its cause is sought
LARGE = 0.1  # update ratio: a hundred times the usual 1e-3
SPIKE = 3.0  # loss over its start
PROFILE = "gradient at first site / last site"  # unit of findings about depth

EXPLAINS = frozenset(
    {"dead-units", "dying-units", "saturated-units", "exploding-gradient", "non-finite", "not-learning"}
)


@cause("learning-rate-too-high")
def learning_rate_too_high(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """Steps so large that one of them replaces a weight instead of adjusting it.

    Why it matters: one such step can move every unit of a layer to where it never fires, or the loss to where the
    gradient is larger still; what is lost does not come back by itself.

    How it is measured: the largest update ratio of any weight in the 20 steps before the harm (healthy is about
    1e-3; evidence from 0.1 on, nearly certain from 1 on), a loss that jumped to three times its start there, and
    many units that fell silent at the same moment. Units that never fired speak against it.

    Known to misfire: weights that begin near zero move by a large share of themselves in health (left out here);
    exploding gradients of a bad initialisation look alike, and a smaller learning rate only hides them.

    Answered by: lower-learning-rate, revive-units, clip-gradients.

    Source: LeCun et al. 1998, "Efficient BackProp"; update ratio of 1e-3: Karpathy, CS231n notes.
    """
    if finding.symptom not in EXPLAINS:
        return None
    innocent = max(born_share(vitals, finding), _stuck_at_birth(vitals, finding))
    jump = largest_update(vitals, after=max(0, finding.step - LEAD - 1), until=_until(vitals, finding))
    confidence = _of_jump(jump)
    clues = [_jump_words(vitals, jump)] if jump is not None and jump.ratio >= LARGE else []
    spike = _spike(vitals, finding, limits)
    if spike is not None:
        confidence = 1.0 - (1.0 - confidence) * 0.6
        clues.append(spike)
    together = _together(vitals, finding)
    if together is not None:
        confidence = 1.0 - (1.0 - confidence) * 0.5
        clues.append(together)
    confidence *= 1.0 - innocent
    if finding.unit == PROFILE:
        confidence *= 0.7  # a gradient that grows with depth does so at any learning rate
    if not clues or confidence < 0.25:
        return None
    return Cause("learning-rate-too-high", round(confidence, 3), _sentence(clues))


def _until(vitals: Vitals, finding: Finding) -> int:
    """The last step that may have done it: of a lasting state, any; of an event, the one at its step."""
    if finding.symptom in ("not-learning", "exploding-gradient", "saturated-units"):
        return vitals.step
    return max(finding.step + 1, LEAD)


def _stuck_at_birth(vitals: Vitals, finding: Finding) -> float:
    seen = vitals.site(finding.where)
    return born_stuck(seen) if finding.symptom == "saturated-units" and finding.step <= 1 and seen is not None else 0.0


def _of_jump(jump: Jump | None) -> float:
    """0 below 0.1, 0.5 there, 0.9 at 1 and above: straight in the logarithm between."""
    if jump is None or jump.ratio < LARGE:
        return 0.0
    return float(min(0.9, 0.9 + 0.4 * np.log10(jump.ratio)))


def _jump_words(vitals: Vitals, jump: Jump) -> str:
    rate = _learning_rate(vitals, jump)
    return f"step {jump.step} moved {jump.weight} by {jump.ratio:.0%} of its norm (about 0.1% is usual){rate}"


def _learning_rate(vitals: Vitals, jump: Jump) -> str:
    if jump.optimiser is None or jump.optimiser >= len(vitals.optimisers):
        return ""
    optimiser = vitals.optimisers[jump.optimiser]
    rows = np.flatnonzero(optimiser.step <= jump.step)
    if len(rows) == 0:
        return ""
    return f" at a learning rate of {optimiser.learning_rate[rows[-1]]:g} ({optimiser.name})"


def _spike(vitals: Vitals, finding: Finding, limits: Thresholds) -> str | None:
    trend = loss_trend(vitals, limits)
    for loss in vitals.losses if len(vitals.losses) == 1 else ():
        near = (loss.step <= _until(vitals, finding)) & np.isfinite(loss.value)
        rows = np.flatnonzero(near)
        if len(rows) < 2 or (trend is not None and trend.start <= 0.0):
            continue
        start, peak = float(loss.value[rows[0]]), int(rows[np.argmax(loss.value[rows])])
        if 0.0 < SPIKE * start <= loss.value[peak]:
            return f"the loss jumped from {start:.3g} to {loss.value[peak]:.3g} by step {loss.step[peak]}"
    return None


def _together(vitals: Vitals, finding: Finding) -> str | None:
    """Half of the units, which had been alive, fell silent within five steps of each other."""
    seen = vitals.site(finding.where)
    if finding.symptom != "dead-units" or seen is None or not finding.units:
        return None
    died = np.sort(seen.last_active[list(finding.units)])
    alive = died[died > 0]
    if len(alive) < limits_of_a_crowd(len(died)):
        return None
    near = [int(((alive >= first) & (alive < first + 5)).sum()) for first in alive]
    most = int(np.argmax(near))
    if near[most] < limits_of_a_crowd(len(died)):
        return None
    return f"{near[most]} units fell silent within 5 steps of step {int(alive[most]) + 1}"


def limits_of_a_crowd(units: int) -> int:
    """How many units must fall silent together to speak of one event: half of those concerned, four at least."""
    return max(4, units // 2)


def _sentence(clues: list[str]) -> str:
    joined = "; ".join(clues)
    return joined[0].upper() + joined[1:] + "."
