"""One operation as the rules see it, what a rule returns, and the table in which rules are entered."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from limen.anatomy.tape import Operation, Value
from limen.theory.prediction.cotangent import Cotangent, transposed
from limen.theory.prediction.declared import Known
from limen.theory.prediction.state import State, folded

__all__ = ["RULES", "Made", "NoRule", "Pull", "Rule", "Step", "applied", "linear_in", "rule", "through"]

Pull = Callable[[tuple[Cotangent | None, ...]], Mapping[Value, Cotangent]]
"""From the gradients at the outputs of an operation to those at its inputs."""


class NoRule(Exception):
    """Raised by a rule for a case that it does not cover: the recorded pass answers instead."""


@dataclass(frozen=True, eq=False)
class Step:
    """An operation and what is known of its inputs.

    Attributes:
        operation: what was called.
        states: of all values up to here.
        samples: size of the batch.
        recorded: of its outputs, what the recorded pass says; empty on the meta device.
    """

    operation: Operation
    states: Known
    samples: int
    recorded: Mapping[Value, State]

    def value(self, name: str) -> Value:
        """An argument that must be a tensor."""
        found = self.operation.argument(name)
        if not isinstance(found, Value):
            raise NoRule
        return found

    def state(self, name: str) -> State:
        """What is known of an argument that must be a tensor."""
        return self.states[self.value(name)]

    def given(self, name: str) -> State | None:
        """The same of one that may be missing."""
        found = self.operation.argument(name)
        return self.states[found] if isinstance(found, Value) else None

    def constant(self, name: str) -> Tensor | None:
        """The numbers of an argument that does not depend on the sample; None where it is not given."""
        found = self.given(name)
        if found is None:
            return None
        if not found.is_constant:
            raise NoRule
        return found.mean

    def weight(self, name: str) -> Callable[[], Tensor]:
        """What gives the numbers of a weight, as they are in memory; it is not kept meanwhile."""
        value = self.value(name)
        if value.leaf is None and not self.states[value].is_constant:
            raise NoRule
        return lambda: self.states.numbers(value)


@dataclass(frozen=True, eq=False)
class Made:
    """What a rule returns.

    Attributes:
        states: of the outputs.
        pull: how gradients come down.
        data: for a weight, the state of its data.
        weigh: for a weight, the operation as a function of its data and of the weight, without the bias.
        weight: the shape of the weight that it is called with.
        row: the shape of a weight that makes a single unit, where there can be one.
    """

    states: tuple[State, ...]
    pull: Pull
    data: State | None = None
    weigh: Callable[[Tensor, Tensor], Tensor] | None = None
    weight: tuple[int, ...] | None = None
    row: tuple[int, ...] | None = None


Rule = Callable[[Step], Made]

RULES: dict[str, Rule] = {}
"""By the name of the operation; ``activation`` for all that apply one of the catalogue."""


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Enter a rule for the operations of these names."""

    def enter(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return enter


def applied(step: Step) -> Made:
    """What the rule of an operation makes of its inputs.

    Raises:
        NoRule: there is none, or it does not cover this case or does not give what was recorded.
    """
    operation = step.operation
    found = RULES.get("activation" if operation.activation is not None else operation.name)
    if found is None:
        raise NoRule
    with torch.no_grad():
        made = found(step)
    if len(made.states) != len(operation.outputs):
        raise NoRule
    for output, state in zip(operation.outputs, made.states, strict=True):
        if tuple(state.mean.shape) != folded(output.shape, state.batch, step.samples):
            raise NoRule
    return made


def linear_in(
    value: Value,
    state: State,
    of_mean: Callable[[Tensor], Tensor],
    of_variance: Callable[[Tensor], Tensor],
    **changes: Any,
) -> Made:
    """What a linear operation makes of a state; its transposes, found by autograd, bring gradients down.

    Args:
        value: what it is applied to.
        state: of ``value``.
        of_mean: the operation; may add a constant.
        of_variance: the linear operation whose factors are the squares of those of ``of_mean``.
        changes: attributes of the new state.
    """

    def pull(cotangents: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        (cotangent,) = cotangents
        if cotangent is None:
            return {}
        with torch.enable_grad():  # at zeros, since a linear operation has the same transpose everywhere
            mean, variance = (torch.zeros_like(state.mean).requires_grad_() for _ in range(2))
            outputs = [(of_mean(mean), of_variance(variance))]
        return {value: transposed(outputs, [(mean, variance)], [cotangent.seed])[0]}

    made = state.plain(mean=of_mean(state.mean), variance=of_variance(state.variance), **changes)
    return Made((made,), pull)


def through(function: Callable[[Tensor, Tensor], Tensor], data: Tensor, factor: Tensor) -> Tensor:
    """A linear function of data and a weight, computed in the weight's type, at a scale at which it loses no digits."""
    if factor.dtype == torch.float64:
        return function(data, factor)
    largest = float(data.detach().abs().max()) if data.numel() else 0.0
    scale = largest if 0 < largest < math.inf else 1.0
    return function((data / scale).to(factor.dtype), factor).double() * scale
