"""A loss and an output that do not fit each other."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from limen.findings.causes.registry import cause, fact
from limen.findings.figures import finite, median
from limen.findings.finding import Cause, Finding, Severity
from limen.findings.output_fit import CLASS_LOSSES, RANGES, REGRESSION, misfit, outside
from limen.findings.thresholds import Thresholds
from limen.vitals import LossVitals, Scale, SiteVitals, Vitals

NAME = "output-loss-mismatch"
ROOM = 0.05  # by which targets may leave a bounded output's range, in their unit: rounding, label noise
BULK = 1.25  # standard deviations about the mean that must be in reach: beyond lie a fifth of normal targets
EXACT = 1e-6  # relative rounding of a mean or variance of float32 entries that are 0 or 1
GUESS = 0.75  # of the loss of a guess: below it a network has learned before
CLIMBED = frozenset({"diverging-loss", "exploding-activations", "exploding-gradient", "non-finite", "saturated-units",
                     "dead-units", "dying-units"})  # fmt: skip


@fact(NAME, explains=("not-learning", "slow-learning"))
def mismatches(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """An activation on the output that does not fit the loss, targets that it cannot reach, or a loss that is climbed.

    The page is that of ``output_loss_mismatch``.
    """
    told: set[str] = set()
    for loss in vitals.losses:
        found = _of(loss, vitals)
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
    targets of which one in each row is 1 and the others are 0. The sign is that with which the only term of the only
    loss entered, the same in every step; a cross-entropy that begins far below that of a guess, or a binary one with
    targets of one kind, is left alone: to unlearn and to deceive are aims as well.

    Known to misfire: a deliberate Brier score; a gradient that is meant to climb.

    Answered by: fix-output-head, fix-loss.

    Source: Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs"; the formulas of
    torch.nn.CrossEntropyLoss, NLLLoss, BCELoss and BCEWithLogitsLoss.
    """
    for loss in vitals.losses:
        found = _of(loss, vitals)
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


def _of(loss: LossVitals, vitals: Vitals) -> Finding | None:
    """What does not fit one loss; None where all fits or nothing is known."""
    if _is_constant(loss):
        why = "A softmax over a single output gives 1, whatever the network computes: nothing before it learns."
        return _found(loss, vitals, "error", 1.0, f"{loss.function} is given a constant. {why}", 1.0, 0.0, "outputs")
    if _is_climbed(loss, vitals):
        return _climb(loss, vitals)
    known = misfit(loss.function, loss.head)
    if known is not None and known.severity != "info":
        message = f"{loss.function} expects {known.wanted}, and is given the output of {_called(loss)}. {known.why}"
        return _found(loss, vitals, known.severity, 0.95, message)
    if loss.function in REGRESSION and loss.targets is not None:
        return _squared(loss, loss.targets, vitals) or _out_of_reach(loss, loss.targets, vitals)
    return None


def _squared(loss: LossVitals, targets: Scale, vitals: Vitals) -> Finding | None:
    """A distance between shares and classes."""
    if loss.head != "softmax" or not _is_one_hot(targets):
        return None
    message = (
        f"{loss.function} compares the output of a softmax with {targets.width} classes as 0 and 1; "
        f"{CLASS_LOSSES['softmax']} without the softmax is made for that. The gradient carries the slope of the "
        "softmax, which is about zero where the net is sure and wrong."
    )
    return _found(loss, vitals, "warning", 0.8, message)


def _out_of_reach(loss: LossVitals, targets: Scale, vitals: Vitals) -> Finding | None:
    """Targets that a bounded output never reaches."""
    if loss.head not in RANGES or not np.isfinite([targets.mean, targets.std, targets.low, targets.high]).all():
        return None
    beyond = outside(loss.head, targets.low, targets.high, ROOM)
    if beyond == 0.0:
        return None
    bulk = outside(loss.head, targets.mean - BULK * targets.std, targets.mean + BULK * targets.std, 0.0)
    low, high = RANGES[loss.head]
    span = f"from {low:g} to {high:g}" if math.isfinite(high - low) else (
        f"nothing {f'below {low:g}' if math.isfinite(low) else f'above {high:g}'}"
    )  # fmt: skip
    message = (
        f"The targets run from {targets.low:.4g} to {targets.high:.4g}, about {targets.mean:.4g} by {targets.std:.3g}; "
        f"{_called(loss)} gives {span}. What lies outside cannot be learned."
    )
    severity: Severity = "warning" if bulk > 0.0 else "info"
    return _found(loss, vitals, severity, 0.9, message, beyond, 0.0, "target units")


def _climb(loss: LossVitals, vitals: Vitals) -> Finding:
    """A loss function that is made larger."""
    size = np.abs(finite(loss.value))
    start, now = float(size[0]), median(size[-3:])
    message = (
        f"{loss.function} is climbed, not descended: it enters with the wrong sign. It was {start:.4g} at the start "
        f"and is {now:.4g} now."
    )
    grown = now >= 3.0 * start > 0.0
    return _found(loss, vitals, "error" if grown else "warning", 0.95, message, now, start, "loss", whole=True)


def _is_constant(loss: LossVitals) -> bool:
    """Whether what the loss was given is a softmax over one unit."""
    given = loss.outputs
    return loss.head == "softmax" and given is not None and given.width == 1 and given.low == given.high == 1.0


def _is_climbed(loss: LossVitals, vitals: Vitals) -> bool:
    """Whether the only loss of a network that has not learned before is a distance that the descent enlarges."""
    values = finite(loss.value)
    weights = [one.parameter for one in vitals.parameters if one.parameter.weight]
    if not loss.negated or len(vitals.losses) != 1 or not len(values) or not weights:
        return False
    if loss.function in REGRESSION:
        return True
    if loss.function == "cross-entropy":
        classes = max(weights, key=lambda weight: weight.order).shape[0]
        return bool(abs(values[0]) > GUESS * math.log(max(classes, 2)))
    targets = loss.targets
    return loss.function.startswith("bce") and targets is not None and targets.low == 0.0 and targets.high == 1.0


def _is_one_hot(targets: Scale) -> bool:
    """Whether rows have one 1 and are 0 elsewhere: the mean tells how many, the variance that there is nothing else."""
    mean = 1.0 / max(targets.width, 1)
    return (
        targets.width > 1
        and (targets.low, targets.high) == (0.0, 1.0)
        and math.isclose(targets.mean, mean, rel_tol=EXACT)
        and math.isclose(targets.std**2, mean * (1.0 - mean), rel_tol=EXACT)
    )


def _site(loss: LossVitals, vitals: Vitals) -> SiteVitals | None:
    """The site that made what the loss was given, where one is known."""
    heads = [seen for seen in vitals.sites if seen.site.function == loss.head.replace("-", "_") and seen.site.head]
    return heads[-1] if heads else None


def _called(loss: LossVitals) -> str:
    return "a linear layer" if loss.head == "linear" else f"a {loss.head}"


def _found(
    loss: LossVitals,
    vitals: Vitals,
    severity: Severity,
    confidence: float,
    message: str,
    measured: float = 1.0,
    limit: float = 0.0,
    unit: str = "places",
    *,
    whole: bool = False,
) -> Finding:
    """A finding at the head, or of the ``whole`` loss."""
    site = None if whole else _site(loss, vitals)
    return Finding(
        symptom=None,
        severity=severity,
        where="loss" if site is None else site.site.name,
        layer=None if site is None else site.site.layer,
        units=(),
        step=int(loss.step[0]) if len(loss.step) else 1,
        measured=measured,
        limit=limit,
        unit=unit,
        confidence=confidence,
        causes=(Cause(NAME, confidence, message),),
        remedies=(),
        message=message,
    )
