"""Inputs and targets of a size that no initialisation is made for."""

from __future__ import annotations

from collections.abc import Iterator

from limen.anatomy.tape import Value
from limen.findings import Finding
from limen.findings.output_fit import REGRESSION
from limen.preflight.chains import VIEWS, after, before
from limen.preflight.flight import Flight
from limen.preflight.limits import Limits
from limen.preflight.rules.found import found
from limen.preflight.rules.output_loss_mismatch import PICKED
from limen.preflight.rules.registry import check

RECURRENT = frozenset({"lstm", "gru", "rnn_tanh", "rnn_relu"})


@check("unscaled-inputs")
def unscaled_inputs(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """Inputs whose size is far from one, given to a layer of weights as they are.

    Why it matters: every initialisation assumes inputs of size one. Pixels of 0 to 255 make the first
    pre-activations a hundred times too large: tanh starts at its bounds, and a gradient step is 1e4 times too long.

    How it is measured: root mean square of the sample's numbers above 10 or below 0.001, or numbers that are not
    finite, where a layer of weights reads them without a normalisation, a shift or a division before.

    Known to misfire: a sample that is not like the training data.

    Answered by: scale-inputs, add-normalisation.

    Source: LeCun et al. 1998, "Efficient BackProp", section 4.3.
    """
    for value in flight.tape.inputs:
        seen = flight.numbers_at(value)
        if seen is None or seen.whole or not is_read_by_weights(flight, value):
            continue
        name = f"input {value.name}" if value.name else "input"
        if seen.finite < 1.0:
            share = 1.0 - seen.finite
            message = f"{share:.2%} of the entries of the {name} are not finite."
            why = "They turn the loss and, at the first step, every weight into NaN."
            yield found(
                "unscaled-inputs",
                "error",
                name,
                message,
                why=why,
                remedies=("scale-inputs",),
                measured=share,
                unit="share of entries",
            )
        elif seen.size > limits.large_input or 0.0 < seen.size < limits.small_input:
            message = (
                f"The {name} runs from {seen.low:.4g} to {seen.high:.4g} with a root mean square of {seen.size:.3g}, "
                "and a layer of weights reads it as it is."
            )
            yield found(
                "unscaled-inputs",
                "warning",
                name,
                message,
                why="Initialisations assume a size of about 1.",
                remedies=("scale-inputs", "add-normalisation"),
                measured=seen.size,
                limit=limits.large_input if seen.size > 1.0 else limits.small_input,
                unit="root mean square of the input",
                confidence=0.9,
            )


def is_read_by_weights(flight: Flight, value: Value) -> bool:
    """Whether the first thing that happens to a value is a layer of weights."""
    return any(
        id(one) in flight.map_at or one.name in RECURRENT for one in after(flight.tape, value, VIEWS, shifts=False)
    )


@check("unscaled-targets")
def unscaled_targets(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """Regression targets whose size is far from what a fresh net gives.

    Why it matters: the loss and its gradients begin in the millions, and the last layer has to grow by as much before
    anything else is learned.

    How it is measured: root mean square of the sample's targets above 100, under mse, l1, smooth-l1 or huber, where
    the prediction comes from a layer of weights as it is.

    Known to misfire: heads whose bias is set to the mean of the targets.

    Answered by: scale-targets.

    Source: LeCun et al. 1998, "Efficient BackProp", section 4.5.
    """
    for call in flight.losses:
        seen = flight.numbers_at(call.target)
        head = before(call.prediction, PICKED).maker
        given = flight.numbers_at(call.prediction)
        if call.kind not in REGRESSION or seen is None or head is None or id(head) not in flight.map_at:
            continue
        if seen.finite < 1.0:
            share = 1.0 - seen.finite
            yield found(
                "unscaled-targets",
                "error",
                "target",
                f"{share:.2%} of the targets of {call.called} are not finite.",
                why="They turn the loss and, at the first step, every weight into NaN.",
                remedies=("scale-targets",),
                measured=share,
                unit="share of entries",
            )
        elif seen.size > limits.large_target and (given is None or seen.size > 10.0 * given.size):
            yield found(
                "unscaled-targets",
                "warning",
                "target",
                f"The targets of {call.called} run from {seen.low:.4g} to {seen.high:.4g}; the model gives "
                + (f"{given.low:.3g} to {given.high:.3g}." if given is not None else "about 1."),
                why="The last layer has to grow by as much, with a loss and gradients to match.",
                remedies=("scale-targets",),
                measured=seen.size,
                limit=limits.large_target,
                unit="root mean square of the targets",
                confidence=0.9,
            )
