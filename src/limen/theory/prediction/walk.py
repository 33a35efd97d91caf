"""Up the tape with states, down it with gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from limen.anatomy.tape import Operation, Tape, Value
from limen.theory.prediction.cotangent import Cotangent, added, without_ways
from limen.theory.prediction.declared import Known
from limen.theory.prediction.observe import BLANK
from limen.theory.prediction.state import State
from limen.theory.prediction.step import Made, NoRule, Step, applied

__all__ = ["Walk", "down", "up"]

Shares = Callable[[Operation], Mapping[Value, float]]
"""For an operation without a rule: by what each input's mean square gradient is that of the outputs."""


@dataclass
class Walk:
    """What is known after a walk.

    Attributes:
        states: of every value.
        made: what the rules returned, by operation.
        unruled: operations without a rule.
        gradients: of every value that one reaches.
    """

    states: Known
    made: dict[Operation, Made] = field(default_factory=dict)
    unruled: list[Operation] = field(default_factory=list)
    gradients: dict[Value, Cotangent] = field(default_factory=dict)


def up(tape: Tape, known: Known, recorded: Mapping[Value, State], moving: set[Value], samples: int) -> Walk:
    """The states of all values, from those of the sample and the parameters.

    Args:
        tape: the operations.
        known: the parameters; the states are entered into it.
        recorded: the state of each value in the recorded pass.
        moving: the values that depend on the sample.
        samples: size of the batch.
    """
    walk = Walk(known)
    walk.states.update((value, state) for value, state in recorded.items() if value.source != "operation")
    for operation in tape.operations:
        if operation.output not in moving and not recorded[operation.output].mean.isnan().any():
            walk.states.update((value, recorded[value]) for value in operation.outputs)
            continue
        try:
            made = applied(Step(operation, walk.states, samples, recorded))
        except (NoRule, RuntimeError, TypeError, ValueError, LookupError):
            read = [value for value in operation.inputs if value.dtype.is_floating_point and value in moving]
            unknown = bool(read) and operation.name not in BLANK
            walk.states.update((value, recorded[value].plain(measured=unknown)) for value in operation.outputs)
            if unknown:
                walk.unruled.append(operation)
            continue
        walk.made[operation] = made
        walk.states.update(zip(operation.outputs, made.states, strict=True))
    return walk


def down(tape: Tape, walk: Walk, above: Mapping[Value, Cotangent], shares: Shares) -> None:
    """The gradients at all values, from those at the outputs."""
    walk.gradients.update(above)
    for operation in reversed(tape.operations):
        given = tuple(walk.gradients.get(value) for value in operation.outputs)
        if not any(given):
            continue
        made = walk.made.get(operation)
        with torch.no_grad():
            found = made.pull(given) if made else measured_share(operation, walk, given, shares)
        for value, cotangent in found.items():
            walk.gradients[value] = added(walk.gradients.get(value), cotangent)


def measured_share(
    operation: Operation, walk: Walk, above: tuple[Cotangent | None, ...], shares: Shares
) -> dict[Value, Cotangent]:
    """Gradients below an operation without a rule: smaller by as much as in the recorded pass, alike for all."""
    if operation not in walk.unruled:
        return {}
    squares = [cotangent.square.mean() for cotangent in above if cotangent is not None]
    square = sum(squares[1:], squares[0]) / len(squares)
    found: dict[Value, Cotangent] = {}
    for value, share in shares(operation).items():
        mean = walk.states[value].mean
        found[value] = without_ways(torch.full_like(mean, float(square) * share))
    return found
