"""An activation on the output, and the loss behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from limen.anatomy.tape import Operation
from limen.findings import Finding, Severity
from limen.findings.output_fit import CLASS_LOSSES, RANGES, REGRESSION, misfit, outside
from limen.preflight.chains import VIEWS, before, unit_axis
from limen.preflight.flight import Flight, titled
from limen.preflight.limits import Limits
from limen.preflight.losses import LossCall
from limen.preflight.numbers import Numbers
from limen.preflight.rules.found import found
from limen.preflight.rules.registry import check

PICKED = VIEWS | {"getitem", "select", "narrow", "index_select", "masked_select"}
RAW = ("linear", "addmm", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
CANONICAL = {"softmin": "softmax", "log_softmax": "log-softmax"} | dict.fromkeys(RAW, "linear")
"""What the table of outputs and losses calls an operation, where it has another name for it."""


@check("output-loss-mismatch")
def output_loss_mismatch(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """An activation on the output that does not fit the loss, or none where the loss needs one.

    Why it matters: a softmax before a cross-entropy is a softmax twice: the loss cannot come near zero and its
    gradient is small where the net is wrong. A sigmoid before MSE has no gradient left where the net is sure and
    wrong. A bounded output never reaches targets outside its range, and a softmax over one unit is 1 whatever the net
    computes.

    How it is measured: the value that the loss is given is followed back, through changes of shape only, to what made
    it. Ranges are compared with the smallest and largest target of the sample; MSE behind a sigmoid or softmax is
    reported only for targets that are 0 or 1, one in each row or one unit, and are no part of the input.

    Shapes are compared as well: a prediction of [64, 1] and a target of [64] are stretched to [64, 64].

    Known to misfire: a deliberate Brier score; a sample whose targets are no like those of the training.

    Answered by: fix-output-head, fix-loss.

    Source: Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs"; the formulas of
    torch.nn.CrossEntropyLoss, NLLLoss, BCELoss and BCEWithLogitsLoss.
    """
    for call in flight.losses:
        yield from of_call(flight, call, limits)
    yield from constants(flight)


def of_call(flight: Flight, call: LossCall, limits: Limits) -> Iterator[Finding]:
    """What does not fit one loss."""
    head = before(call.prediction, PICKED).maker
    if head is None:
        return
    name = head.activation.name if head.activation is not None else head.name
    yield from shapes(flight, call, head)
    if call.kind in REGRESSION:
        yield from values(flight, call, head, CANONICAL.get(name, name), limits)
    else:
        yield from table(flight, call, head, CANONICAL.get(name, name))


def table(flight: Flight, call: LossCall, head: Operation, name: str) -> Iterator[Finding]:
    """For a loss that expects scores, probabilities or their logarithms."""
    known = misfit(call.kind, name)
    if known is None:
        return
    if known.severity == "info":
        message = f"{call.called} takes the log-softmax itself; {titled(flight.place(head))} before it changes nothing."
    else:
        given = titled(head.path or head.name) if name == "linear" else flight.call(head)
        message = f"{call.called} expects {known.wanted}, and is given the output of {given}."
    yield mismatch(known.severity, flight, head, message, known.why)


def shapes(flight: Flight, call: LossCall, head: Operation) -> Iterator[Finding]:
    """A single class, and a prediction that is stretched to the shape of its target."""
    given = call.prediction.shape
    if call.kind == "cross-entropy" and len(given) > 0 and given[1 if len(given) > 1 else 0] == 1:
        message = f"{call.called} over a single class is 0, whatever {titled(flight.place(head))} computes."
        yield mismatch("error", flight, head, message, "A constant has no gradient. One unit takes bce-with-logits.")
    wanted = call.target.shape if call.target is not None else given
    if call.kind in REGRESSION and wanted != given:
        message = (
            f"{call.called} compares {list(given)} with {list(wanted)}, each entry of the one with many of the other."
        )
        why = "The loss is least where every prediction is the mean of all targets: bring both to one shape."
        yield mismatch("error", flight, head, message, why)


def values(flight: Flight, call: LossCall, head: Operation, name: str, limits: Limits) -> Iterator[Finding]:
    """For a regression."""
    target = flight.numbers_at(call.target)
    if target is None or call.target is None:
        return
    copied = before(call.target, PICKED).source == "input"
    single = call.prediction.shape[-1:] == (1,) or len(call.prediction.shape) == 1
    classes = target.one_hot or (single and target.binary)
    if name in CLASS_LOSSES and classes and not copied and 0.0 < target.mean < 1.0:
        message = (
            f"{call.called} compares the output of {flight.call(head)} with targets that are 0 or 1; "
            f"{CLASS_LOSSES[name]} without the {name} is made for that."
        )
        why = f"The gradient carries the slope of the {name}, which is about zero where the net is sure and wrong."
        yield mismatch("warning", flight, head, message, why)
        return
    yield from unreached(flight, call, head, name, target, limits)


def unreached(
    flight: Flight, call: LossCall, head: Operation, name: str, target: Numbers, limits: Limits
) -> Iterator[Finding]:
    """Targets that a bounded output never reaches."""
    beyond = outside(name, target.low, target.high, limits.head_room)
    if beyond == 0.0:
        return
    low, high = RANGES[name]
    span = (
        f"only {low:g} to {high:g}"
        if math.isfinite(high - low)
        else f"nothing {f'below {low:g}' if math.isfinite(low) else f'above {high:g}'}"
    )
    message = f"The targets run from {target.low:.4g} to {target.high:.4g}; {flight.call(head)} gives {span}."
    why = "What lies outside cannot be learned; the units are driven to their bound, where they have no gradient."
    yield mismatch("error", flight, head, message, why, measured=beyond, limit=limits.head_room, unit="target units")


def constants(flight: Flight) -> Iterator[Finding]:
    """A softmax over one unit."""
    for operation in flight.tape.operations:
        if operation.name not in ("softmax", "log_softmax") or not operation.inputs:
            continue
        shape, axis = operation.inputs[0].shape, operation.argument("dim")
        made = before(operation.inputs[0], frozenset()).maker
        if not isinstance(axis, int) or not shape or shape[axis] != 1 or made is None:
            continue
        units = unit_axis(operation.inputs[0])
        if id(made) in flight.map_at and units is not None and axis % len(shape) == units % len(shape):
            constant = 1 if operation.name == "softmax" else 0
            message = f"{operation.name} over a single unit gives {constant}, whatever {titled(made.path)} computes."
            why = "A constant has no gradient: nothing before it learns. One unit takes a sigmoid."
            yield mismatch("error", flight, operation, message, why)


def mismatch(
    severity: Severity,
    flight: Flight,
    head: Operation,
    message: str,
    why: str,
    *,
    measured: float = 1.0,
    limit: float = 0.0,
    unit: str = "places",
) -> Finding:
    """A finding at the head."""
    return found(
        "output-loss-mismatch",
        severity,
        flight.place(head),
        message,
        why=why,
        remedies=("fix-output-head", "fix-loss"),
        measured=measured,
        limit=limit,
        unit=unit,
        layer=head.path or None,
    )
