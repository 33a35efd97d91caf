"""Steps that throw the weights away."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from limen.findings.causes.birth import born_share, born_stuck
from limen.findings.causes.clues import Clue, Doubt, inferred
from limen.findings.causes.missing_zero_grad import missing_zero_grad
from limen.findings.causes.registry import cause, fact
from limen.findings.causes.sighting import sighting
from limen.findings.figures import median
from limen.findings.finding import Cause, Finding
from limen.findings.loss_trend import loss_trend
from limen.findings.numbers import number
from limen.findings.profile import PROFILE, gradient_profiles
from limen.findings.silence import is_bounded, is_gate
from limen.findings.thresholds import Thresholds
from limen.findings.updates import NEARLY_ZERO, Jump, is_adaptive, largest_update, relative_gradient, scale_at_birth
from limen.findings.violence import Crowd, Spike, Violence, large_step, violence
from limen.sites import Site
from limen.vitals import ParameterVitals, Vitals

LASTING = frozenset({"not-learning", "diverging-loss", "exploding-gradient", "oscillating-loss", "saturated-units"})
EXPLAINS = LASTING | {"dead-units", "dying-units", "non-finite"}
FAINT = 0.25  # confidence below which it is not worth saying
EARLY = 50  # steps, the last of those that are always looked at
REPLACED = 3.0  # times its norm that a weight moved in one step: nothing of it is left
FEWEST = 16  # entries of a weight: one of two to four units may swing by its own size and learn
TIMES = 3  # large steps of one weight: Adam's first is one of its whole rate, whatever the gradient
LATEST = 10  # of the first steps
SLOPE = 0.5  # of samples, that may be flat in a layer that begins on the slope of its function
STEEP = 10.0  # gradient norm over weight norm at the start, above which the gradient is to blame: 0.03 to 4 is usual


@cause("learning-rate-too-high")
def learning_rate_too_high(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """Steps so large that one of them replaces a weight instead of adjusting it.

    Why it matters: one such step can move every unit of a layer to where it never fires, or the loss to where the
    gradient is larger still; what is lost does not come back by itself.

    How it is measured: the largest update ratio of any weight in the 20 steps before the harm, or earlier with less
    confidence (healthy is about 1e-3; evidence from 0.1 on, nearly certain from 1 on), a loss that jumped to three
    times its start, and many units that fell silent at the same moment. Units that never fired, a gradient that
    grows with depth and an input of huge numbers speak against it; steps of the head alone do not explain a loss that
    does not fall where the gradient vanishes before it.

    By itself it is seen where in the first 50 steps half of the weights or more moved by 30 % of themselves three times
    at least, or once by three times their norm, and the loss reached three times its start, was no number, or has not
    fallen; or most hidden layers of a function that is flat on both sides (gates apart), which began on its slope, have
    come to be flat on seven tenths of their samples. With an optimiser that is not adaptive, only where the gradients
    began no larger than ten times the weights: larger ones are no matter of the rate. Nor is an input of huge numbers,
    a loss that began at ten times a guess, or gradients that are not cleared.

    Known to misfire: weights that begin near zero move by a large share of themselves in health (left out here), and
    those of a very small scale that are not quite zero, too; exploding gradients of a bad initialisation look alike,
    and a smaller learning rate only hides them; random labels at a large rate.

    Answered by: lower-learning-rate, revive-units, clip-gradients.

    Source: LeCun et al. 1998, "Efficient BackProp"; update ratio of 1e-3: Karpathy, CS231n notes.
    """
    if finding.symptom not in EXPLAINS:
        return None
    seen = vitals.site(finding.where)
    units = list(finding.units) if finding.symptom in ("dead-units", "dying-units") else []
    died = seen.last_active[units] if seen is not None else np.array([], dtype=np.int64)
    until = vitals.step if finding.symptom in LASTING else max(finding.step + 1, limits.window)
    near = violence(vitals, died, limits, after=finding.step - limits.window - 1, until=until)
    last = min(until, _median_death(died) + 1) if finding.symptom == "dead-units" else until
    jump, weight = large_step(vitals, limits, after=finding.step - limits.window - 1, until=last), 1.0
    if jump is None:
        jump, weight = large_step(vitals, limits, after=0, until=last), 0.8
    if near.spike is None and finding.symptom == "not-learning" and _is_the_head_alone(vitals, jump, limits):
        return None
    near = replace(near, jump=jump)
    clues = (
        Clue("large-step", weight * _of_jump(jump), _jump_words(vitals, jump)),
        Clue("loss-jumped", 0.4 * (near.spike is not None), _spike_words(near.spike)),
        Clue("silent-together", _of_crowd(near), _crowd_words(near.crowd)),
    )
    return inferred("learning-rate-too-high", clues, _doubts(vitals, finding, limits), faint=FAINT)


def _median_death(died: npt.NDArray[np.int64]) -> int:
    """Half of the units that ever lived were last active by then: no later step killed them."""
    killed = died[died > 0]
    return int(np.median(killed)) if len(killed) else 0


def _is_the_head_alone(vitals: Vitals, jump: Jump | None, limits: Thresholds) -> bool:
    """Where the gradient vanishes, the head fits random features: its large steps keep nothing from learning."""
    return any(
        profile.vanishes(limits) and (jump is None or jump.weight not in {rung.weight for rung in profile.rungs})
        for profile in gradient_profiles(vitals, limits.window)
    )


def _of_crowd(near: Violence) -> float:
    """Deaths at the same time say much beside a large step or a jump of the loss, and little without."""
    if near.crowd is None:
        return 0.0
    return 0.5 if near.jump is not None or near.spike is not None else 0.15


def _of_jump(jump: Jump | None) -> float:
    """0.5 for an update ratio of 0.1, 0.9 for 1 and above: straight in the logarithm between."""
    return 0.0 if jump is None else float(np.clip(0.9 + 0.4 * np.log10(jump.ratio), 0.0, 0.9))


def _doubts(vitals: Vitals, finding: Finding, limits: Thresholds) -> list[Doubt]:
    """What other explanations leave of the suspicion."""
    doubts = [Doubt("never-alive", 1.0 - born_share(vitals, finding))]
    seen = vitals.site(finding.where)
    if finding.symptom == "saturated-units" and finding.step <= 1 and seen is not None:
        doubts.append(Doubt("born-stuck", 1.0 - born_stuck(seen)))
    if finding.unit == PROFILE:  # grows with depth at any learning rate
        doubts.append(Doubt("grows-with-depth", 0.7))
    inputs = vitals.inputs
    if inputs is not None and inputs.root_mean_square >= limits.huge_input:
        doubts.append(Doubt("huge-input", 0.85))
    return doubts


def _jump_words(vitals: Vitals, jump: Jump | None) -> str:
    if jump is None:
        return ""
    size = f"{100 * jump.ratio:.0f} % of its norm" if jump.ratio < 10.0 else f"{number(jump.ratio, 2)} times its norm"
    return f"step {jump.step} moved {jump.weight} by {size} (about 0.1 % is usual){_learning_rate(vitals, jump)}"


def _learning_rate(vitals: Vitals, jump: Jump) -> str:
    if jump.optimiser is None or jump.optimiser >= len(vitals.optimisers):
        return ""
    optimiser = vitals.optimisers[jump.optimiser]
    rows = np.flatnonzero(optimiser.step <= jump.step)
    if len(rows) == 0:
        return ""
    return f" at a learning rate of {optimiser.learning_rate[rows[-1]]:g} ({optimiser.name})"


def _spike_words(spike: Spike | None) -> str:
    return (
        ""
        if spike is None
        else f"the loss jumped from {number(spike.start)} to {number(spike.peak)} by step {spike.step}"
    )


def _crowd_words(crowd: Crowd | None) -> str:
    return "" if crowd is None else f"{crowd.units} units fell silent within 5 steps of step {crowd.step}"


@fact(
    "learning-rate-too-high",
    explains=EXPLAINS | {"exploding-activations", "oscillating-loss", "slow-learning", "collapsed-representation"},
)
def learning_rate_too_high_seen(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """First steps that replace most weights several times over, and a loss that is thrown up or does not fall."""
    known = [(one, ratios) for one in vitals.parameters if (ratios := _first_ratios(one)) is not None]
    thrown = [one for one, ratios in known if _is_thrown(ratios, limits) and _is_by_rate(one, vitals)]
    if not thrown or 2 * len(thrown) < len(known) or vitals.step < limits.window or _has_other_reason(vitals, limits):
        return
    harm = _early_harm(vitals, limits, few=all(np.prod(one.parameter.shape) < FEWEST for one in thrown))
    if not harm:
        return
    first = largest_update(vitals, until=EARLY)
    evidence = (
        f"{len(thrown)} of {len(known)} weights moved by {100 * limits.violent_update:.0f} % of their norm in at "
        f"least {TIMES} of the first {min(vitals.step, EARLY)} steps, or by {REPLACED:g} times their norm in one; "
        f"{_jump_words(vitals, first)}; {harm}."
    )
    yield sighting(
        "learning-rate-too-high",
        "warning",
        "model",
        evidence,
        confidence=0.9,
        measured=0.0 if first is None else first.ratio,
        limit=limits.violent_update,
        unit="update ratio",
        step=1 if first is None else first.step,
        message=f"The first steps threw {len(thrown)} of {len(known)} weights about: {_jump_words(vitals, first)}; "
        f"{harm}.",
    )


def _first_ratios(seen: ParameterVitals) -> npt.NDArray[np.float64] | None:
    """Update ratios of the first steps; None of what is no weight, or began at about zero."""
    if not seen.parameter.weight or not scale_at_birth(seen) >= NEARLY_ZERO:
        return None
    return seen.history.update[: np.searchsorted(seen.history.step, EARLY, "right")]


def _is_thrown(ratios: npt.NDArray[np.float64], limits: Thresholds) -> bool:
    """Whether a weight moved far, time and again; infinite is far."""
    return int((ratios >= limits.violent_update).sum()) >= TIMES or bool((ratios >= REPLACED).any())


def _is_by_rate(seen: ParameterVitals, vitals: Vitals) -> bool:
    """Whether the gradient was not so large at first that it moved the weight at any usual rate."""
    return is_adaptive(vitals, seen.optimiser) or bool(relative_gradient(seen)[0] <= STEEP)


def _has_other_reason(vitals: Vitals, limits: Thresholds) -> bool:
    inputs, trend = vitals.inputs, loss_trend(vitals, limits)
    huge = inputs is not None and inputs.root_mean_square >= limits.huge_input
    wild = trend is not None and trend.began > limits.wild_loss * trend.chance  # False for a chance of NaN
    return huge or wild or any(missing_zero_grad(vitals, limits))


def _early_harm(vitals: Vitals, limits: Thresholds, *, few: bool) -> str:
    """What became of the loss, in words; empty where it fell, has no size, or is one of several.

    With few weights, a loss that has not fallen yet is no harm.
    """
    trend = loss_trend(vitals, limits)
    values = vitals.losses[0].value[vitals.losses[0].step <= EARLY] if len(vitals.losses) == 1 else np.array([])
    if len(values) == 0 or not np.isfinite(values[0]) or (values < 0.0).any():
        return ""
    if not np.isfinite(values).all():
        return f"the loss, {number(values[0])} at first, is no longer finite"
    if values.max() >= limits.risen * values[0] > 0.0:
        return f"the loss rose from {number(values[0])} to {number(values.max())}"
    if few or trend is None or not trend.positive:
        return ""
    if trend.learned:
        return _driven_to_bounds(vitals, limits)
    return f"the loss has not fallen ({number(trend.began)} at first, {number(trend.end)} now)"


def _is_squashing(site: Site) -> bool:
    """Whether it is a hidden layer that is flat on both sides and no gate."""
    return is_bounded(site) and not is_gate(site.function) and not site.head


def _driven_to_bounds(vitals: Vitals, limits: Thresholds) -> str:
    """How flat bounded hidden layers have become over the first steps, in words; empty where most have not."""
    bounded = [one for one in vitals.sites if _is_squashing(one.site)]
    rows = [one.history.inactive[one.history.step <= EARLY] for one in bounded]
    known = [(seen, float(row[0]), median(row[-LATEST:])) for seen, row in zip(bounded, rows, strict=True) if len(row)]
    driven = [one for one in known if one[1] < SLOPE <= limits.saturated_samples <= one[2]]
    if not driven or 2 * len(driven) <= len(known):
        return ""
    seen, first, now = max(driven, key=lambda one: one[2])
    return f"{seen.site.title} is flat on {100 * now:.0f} % of its samples, after {100 * first:.0f} % at first"
