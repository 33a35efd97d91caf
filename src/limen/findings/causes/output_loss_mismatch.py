"""A loss and an output that do not fit each other."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from limen.findings.causes.registry import cause, fact
from limen.findings.causes.sighting import sighting
from limen.findings.figures import finite, median, share
from limen.findings.finding import Cause, Finding, Severity
from limen.findings.loss_trend import BELOW_A_GUESS, classes_of
from limen.findings.numbers import number
from limen.findings.output_fit import CLASS_LOSSES, CLIMB, MISFIT, RANGES, REGRESSION, misfit, outside
from limen.findings.thresholds import Thresholds
from limen.vitals import LossVitals, Scale, SiteVitals, Vitals

NAME = "output-loss-mismatch"
ROOM = 0.05  # by which targets may leave a bounded output's range, in their unit: rounding, label noise
BULK = 1.25  # standard deviations about the mean that must be in reach: beyond lie a fifth of normal targets
EXACT = 1e-6  # relative rounding of a mean or variance of float32 entries that are 0 or 1
RUN_AWAY = 3.0  # times a guess: classes in wrong order
GAME = 10.0  # times what all others lose: between two players about as much as one gains
COIN = math.log(2.0)  # binary cross-entropy of a guess
CLIMBED = frozenset({"diverging-loss", "exploding-activations", "exploding-gradient", "non-finite", "saturated-units",
                     "dead-units", "dying-units"})  # fmt: skip


@fact(NAME, explains=("not-learning", "slow-learning"))
def output_loss_mismatch_seen(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Of each place, the first loss that does not fit what it is given."""
    told: set[str] = set()
    for loss in vitals.losses:
        found = _of(loss, vitals, limits)
        if found is not None and found.where not in told:
            told.add(found.where)
            yield found


@cause(NAME)
def output_loss_mismatch(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """An activation on the output that does not fit the loss, targets that it cannot reach, or a loss that is climbed.

    Why it matters: a softmax before a cross-entropy is a softmax twice: the loss cannot come near zero and its
    gradient is small where the net is wrong. A bounded output never reaches targets outside its range, a softmax over
    one unit is 1 whatever the net computes, and a loss with the wrong sign is made as large as it can be.

    How it is measured: in the first steps the graph behind the loss is followed back, through changes of shape only,
    to the function that made what the loss was given. Ranges are compared with the targets of those steps: a warning
    where more than a fifth of them, taken as normal, are out of reach. A squared error of a softmax is reported for
    targets of which one in each row is 1 and the others are 0, and that of a single sigmoid for targets of 0 or 1 is a
    remark. The sign is that with which the only term of a loss entered, the same in every step; a cross-entropy that
    begins far below that of a guess, or a binary one with targets of one kind, is left alone: to unlearn and to deceive
    are aims as well. Of several losses one may be climbed in a game, where what it gains others lose: it is told where
    a cross-entropy has come to three times a guess and all others together are a tenth of that.

    Known to misfire: a deliberate Brier score; a gradient that is meant to climb.

    Answered by: fix-output-head, fix-loss.

    Source: Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs"; the formulas of
    torch.nn.CrossEntropyLoss, NLLLoss, BCELoss and BCEWithLogitsLoss.
    """
    for loss in vitals.losses:
        found = _of(loss, vitals, limits)
        if found is None or found.severity == "info" or not _follows(finding, loss, vitals):
            continue
        return found.causes[0]
    return None


def _follows(finding: Finding, loss: LossVitals, vitals: Vitals) -> bool:
    """Whether a symptom follows: all that runs away follows from a climb, what a site suffers from its own part."""
    if _is_climbed(loss, vitals):
        return finding.symptom in CLIMBED
    if _is_constant(loss):
        return finding.symptom == "vanishing-gradient"
    site = _site(loss, vitals)
    units = finding.symptom in ("dead-units", "dying-units", "saturated-units")
    return units and site is not None and finding.where == site.site.name


def _of(loss: LossVitals, vitals: Vitals, limits: Thresholds) -> Finding | None:
    """What does not fit one loss; None where all fits or nothing is known."""
    if _is_constant(loss):
        message = f"{loss.function} is given a softmax over a single output."
        why = "One share of one is 1, whatever is computed: nothing before it learns."
        return _found(loss, vitals, "error", 1.0, message, why)
    if _is_climbed(loss, vitals):
        return _climb(loss, vitals, limits)
    known = misfit(loss.function, loss.head)
    if known is not None and known.severity != "info":
        message = f"{loss.function} expects {known.wanted}, and is given the output of {_called(loss)}."
        return _found(loss, vitals, known.severity, 0.95, message, known.why)
    if loss.function in REGRESSION and loss.targets is not None and loss.outputs is not None:
        return _squared(loss, loss.targets, vitals) or _out_of_reach(loss, loss.targets, vitals)
    return None


def _squared(loss: LossVitals, targets: Scale, vitals: Vitals) -> Finding | None:
    """A distance between shares and classes."""
    single = loss.head == "sigmoid" and targets.width == 1  # learned well enough by small networks
    if not (single or loss.head == "softmax") or not _is_one_hot(targets):
        return None
    message = (
        f"{loss.function} compares the output of a {loss.head} with targets that are 0 or 1; "
        f"{CLASS_LOSSES[loss.head]} without the {loss.head} is made for that."
    )
    why = f"The gradient carries the slope of the {loss.head}, which is about zero where the net is sure and wrong."
    return _found(loss, vitals, "info" if single else "warning", 0.8, message, why)


def _out_of_reach(loss: LossVitals, targets: Scale, vitals: Vitals) -> Finding | None:
    """Targets that a bounded output never reaches."""
    if loss.head not in RANGES or not np.isfinite([targets.mean, targets.std, targets.low, targets.high]).all():
        return None
    beyond = outside(loss.head, targets.low, targets.high, ROOM)
    if beyond == 0.0:
        return None
    bulk = outside(loss.head, targets.mean - BULK * targets.std, targets.mean + BULK * targets.std, 0.0)
    low, high = RANGES[loss.head]
    bound = f"nothing below {low:g}" if math.isfinite(low) else f"nothing above {high:g}"
    span = f"{low:g} to {high:g}" if math.isfinite(high - low) else bound
    message = (
        f"The targets run from {number(targets.low, 4)} to {number(targets.high, 4)}; {_called(loss)} gives {span}."
    )
    why = (
        f"What lies outside cannot be learned; the targets have a mean of {number(targets.mean, 4)} and a standard "
        f"deviation of {number(targets.std)}."
    )
    severity: Severity = "warning" if bulk > 0.0 else "info"
    return _found(loss, vitals, severity, 0.9, message, why, beyond, ROOM, "target units out of reach")


def _climb(loss: LossVitals, vitals: Vitals, limits: Thresholds) -> Finding:
    """A loss function that is made larger."""
    size = np.abs(finite(loss.value))
    start, now = float(size[0]), median(size[-3:])
    grown = share(now, start)
    message = f"{loss.function} is climbed, not descended: {number(start, 4)} at the start, {number(now, 4)} now."
    why = (
        "The gradient of every one of the first steps was taken of its negative, and it has grown "
        f"{number(grown)} times."
    )
    severity: Severity = "error" if grown >= limits.risen else "warning"
    return _found(loss, vitals, severity, 0.95, message, why, grown, 1.0, CLIMB, whole=True)


def _is_constant(loss: LossVitals) -> bool:
    """Whether what the loss was given is a softmax over one unit."""
    given = loss.outputs
    return loss.head == "softmax" and given is not None and given.width == 1 and given.low == given.high == 1.0


def _is_climbed(loss: LossVitals, vitals: Vitals) -> bool:
    """Whether a loss of a network that has not learned before is a distance that the descent enlarges."""
    values = finite(loss.value)
    classes = classes_of(vitals)
    if not loss.negated or not len(values) or not classes:
        return False
    if len(vitals.losses) > 1:
        return _is_free(loss, vitals)
    if loss.function in REGRESSION:
        return True
    if loss.function == "cross-entropy":
        return bool(abs(values[0]) > BELOW_A_GUESS * math.log(max(classes, 2)))
    targets = loss.targets
    return loss.function.startswith("bce") and targets is not None and targets.low == 0.0 and targets.high == 1.0


def _is_free(loss: LossVitals, vitals: Vitals) -> bool:
    """Whether a cross-entropy that is climbed beside other losses has run away, and none of them pays for it."""
    entropy = loss.function == "cross-entropy" or loss.function.startswith("bce")
    moves = any(one.optimiser == loss.optimiser and one.parameter.weight for one in vitals.parameters)
    if not (entropy and moves):
        return False
    guess = COIN if loss.function.startswith("bce") else math.log(max(classes_of(vitals), 2))
    first = abs(float(finite(loss.value)[0]))
    now, others = _latest(loss), sum(_latest(one) for one in vitals.losses if one is not loss)
    return first > BELOW_A_GUESS * guess and now >= RUN_AWAY * max(first, guess) and GAME * others <= now


def _latest(loss: LossVitals) -> float:
    """The size of a loss now; infinite where it is not known to be finite."""
    known = finite(loss.value)
    return abs(median(known[-3:])) if len(known) and np.isfinite(loss.value[-1]) else math.inf


def _is_one_hot(targets: Scale) -> bool:
    """Whether rows have one 1 and are 0 elsewhere, or single targets are 0 or 1.

    The mean tells how many are 1, the variance that there is nothing else.
    """
    mean = 1.0 / targets.width if targets.width > 1 else targets.mean
    return (
        (targets.low, targets.high) == (0.0, 1.0)
        and math.isclose(targets.mean, mean, rel_tol=EXACT)
        and math.isclose(targets.std**2, mean * (1.0 - mean), rel_tol=EXACT)
    )


def _site(loss: LossVitals, vitals: Vitals) -> SiteVitals | None:
    """The site that made what the loss was given, where one is known."""
    heads = [seen for seen in vitals.sites if seen.site.function == loss.head.replace("-", "_") and seen.site.head]
    return heads[-1] if heads else None


def _called(loss: LossVitals) -> str:
    return {"linear": "a linear layer", "": "what is not known"}.get(loss.head, f"a {loss.head}")


def _found(
    loss: LossVitals,
    vitals: Vitals,
    severity: Severity,
    confidence: float,
    message: str,
    why: str,
    measured: float = 1.0,
    limit: float = 0.0,
    unit: str = MISFIT,
    *,
    whole: bool = False,
) -> Finding:
    """A finding at the head, or of the ``whole`` loss."""
    site = None if whole else _site(loss, vitals)
    return sighting(
        NAME,
        severity,
        "loss" if site is None else site.site.name,
        f"{loss.function} behind {_called(loss)}: {why}",
        confidence=confidence,
        measured=measured,
        limit=limit,
        unit=unit,
        message=message,
        layer=None if site is None else site.site.layer,
        step=loss.first_step,
    )
