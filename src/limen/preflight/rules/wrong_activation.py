"""An activation upon an activation."""

from __future__ import annotations

from collections.abc import Iterator

from limen.anatomy.tape import Operation
from limen.findings import Finding
from limen.preflight.chains import DROPOUT, VIEWS, before, exclusive
from limen.preflight.flight import Flight
from limen.preflight.limits import Limits
from limen.preflight.rules.found import found
from limen.preflight.rules.registry import check

SHARES = frozenset({"softmax", "log_softmax"})
HIDDEN = frozenset(
    {"relu", "leaky_relu", "prelu", "elu", "celu", "selu", "gelu", "gelu_tanh", "quick_gelu", "silu", "mish",
     "hardswish", "tanh", "sigmoid", "hardsigmoid", "softsign", "squared_relu"}
)  # fmt: skip
IDEMPOTENT = frozenset({"relu", "relu6", "hardtanh", "softmax then log_softmax"})
SQUEEZED: dict[tuple[str, str], str] = {
    ("sigmoid", "softmax"): "Shares of scores between 0 and 1 differ by a factor of 2.7 at most.",
    ("softmax", "sigmoid"): "A sigmoid of shares between 0 and 1 lies between 0.5 and 0.73.",
    ("softmax", "softmax"): "Shares of shares differ by a factor of 2.7 at most.",
    ("softmax", "log_softmax"): "Logarithms of shares of shares differ by 1 at most.",
    ("sigmoid", "log_softmax"): "Logarithms of shares of scores between 0 and 1 differ by 1 at most.",
    ("relu", "sigmoid"): "A sigmoid of what is not negative is never below 0.5.",
    ("sigmoid", "sigmoid"): "A sigmoid of a sigmoid lies between 0.5 and 0.73.",
    ("tanh", "sigmoid"): "A sigmoid of a tanh lies between 0.27 and 0.73.",
    ("tanh", "tanh"): "A tanh of a tanh lies between -0.76 and 0.76, with a smaller slope.",
    ("sigmoid", "tanh"): "A tanh of a sigmoid lies between 0 and 0.76.",
}
"""What two functions in a row come to."""


@check("wrong-activation")
def repeated_activation(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """An activation directly upon another one.

    Why it matters: the second gets what the first has squeezed. A sigmoid of a softmax lies between 0.5 and 0.73, a
    tanh of a tanh never reaches 1, and each of them multiplies a slope below one to the gradient.

    How it is measured: what an activation is given is followed back through changes of shape and dropout to another
    activation whose result nothing else reads. Not meant, and so not reported: functions that limit a range (relu6,
    clamp) beside another, the leaky ReLU before the softmax of graph attention, softplus before tanh (Mish), and a
    softmax over another axis. A ReLU of a ReLU is the same ReLU: a remark.

    Known to misfire: compositions that are meant as one function.

    Answered by: remove-activation.

    Source: the ranges of the functions; `limen explain sigmoid`.
    """
    for second in flight.tape.operations:
        name = name_of(second)
        if not (name in HIDDEN or name in SHARES) or not second.inputs:
            continue
        start = before(second.inputs[0], VIEWS | DROPOUT)
        first = start.maker
        if first is None or not exclusive(flight.tape, start, second.inputs[0], second):
            continue
        if not is_fault(first, second):
            continue
        before_it = name_of(first)
        same = before_it == name and name in IDEMPOTENT
        yield found(
            "wrong-activation",
            "info" if same else "warning",
            flight.place(second),
            f"{flight.call(second)} is applied to the output of {flight.call(first)}, with no weights between.",
            why=f"{name} of {name} is {name}: nothing changes."
            if same
            else SQUEEZED.get((before_it, name), "The second bends what the first has bent; no weight can undo that."),
            remedies=("remove-activation",),
            layer=second.path or None,
            unit="activations in a row",
            measured=2.0,
            limit=1.0,
        )


def name_of(operation: Operation) -> str:
    """The function of the catalogue, or what torch calls it."""
    return operation.activation.name if operation.activation is not None else operation.name


def is_fault(first: Operation, second: Operation) -> bool:
    """Whether two functions in a row are none of the pairs that are used on purpose."""
    one, two = name_of(first), name_of(second)
    if one in SHARES and two in SHARES:
        return one == "softmax" and first.argument("dim") == second.argument("dim")
    if two in SHARES:
        return one == "sigmoid"
    return (one in HIDDEN or one == "softmax") and two in HIDDEN
