"""Up the tape with states, down it with gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from limen.anatomy.tape import Operation, Tape, Value
from limen.theory.prediction.cotangent import Cotangent, added, without_ways
from limen.theory.prediction.rules.elementwise import activation
from limen.theory.prediction.state import State, folded
from limen.theory.prediction.step import RULES, Made, NoRule, Step

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

    states: dict[Value, State]
    made: dict[Operation, Made] = field(default_factory=dict)
    unruled: list[Operation] = field(default_factory=list)
    gradients: dict[Value, Cotangent] = field(default_factory=dict)


def up(tape: Tape, recorded: Mapping[Value, State], moving: set[Value], samples: int) -> Walk:
    """The states of all values, from those of the sample and the parameters."""
    walk = Walk({value: state for value, state in recorded.items() if value.source != "operation"})
    for operation in tape.operations:
        if operation.output not in moving:
            walk.states.update((value, recorded[value]) for value in operation.outputs)
            continue
        try:
            made = applied(Step(operation, walk.states, samples, recorded))
        except (NoRule, RuntimeError, TypeError, ValueError, LookupError):
            unknown = any(value.dtype.is_floating_point and value in moving for value in operation.inputs)
            walk.states.update((value, recorded[value].plain(measured=unknown)) for value in operation.outputs)
            if unknown:
                walk.unruled.append(operation)
            continue
        walk.made[operation] = made
        walk.states.update(zip(operation.outputs, made.states, strict=True))
    return walk


def applied(step: Step) -> Made:
    """What the rule of an operation makes of its inputs.

    Raises:
        NoRule: there is none, or it does not cover this case or does not give what was recorded.
    """
    operation = step.operation
    rule = activation if operation.activation is not None else RULES.get(operation.name)
    if rule is None:
        raise NoRule
    with torch.no_grad():
        made = rule(step)
    if len(made.states) != len(operation.outputs):
        raise NoRule
    for number, state in enumerate(made.states):
        if tuple(state.mean.shape) != folded(operation.outputs[number].shape, state.batch, step.samples):
            raise NoRule
    return made


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
            total = added(walk.gradients.get(value), cotangent)
            assert total is not None
            walk.gradients[value] = total


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
