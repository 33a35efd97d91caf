"""One operation as the rules see it, what a rule returns, and the table in which rules are entered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from limen.anatomy.tape import Operation, Value
from limen.theory.prediction.cotangent import Cotangent, transposed
from limen.theory.prediction.state import State

__all__ = ["RULES", "Made", "NoRule", "Pull", "Rule", "Step", "linear_in", "rule"]

Pull = Callable[[tuple[Cotangent | None, ...]], Mapping[Value, Cotangent]]
"""From the gradients at the outputs of an operation to those at its inputs."""


class NoRule(Exception):
    """Raised by a rule for a case that it does not cover: the recorded pass answers instead."""


@dataclass(frozen=True, eq=False)
class Step:
    """An operation and what is known of its inputs.

    Attributes:
        operation: what was called.
        states: of the operation's inputs.
        samples: size of the batch.
        recorded: of its outputs, what the recorded pass says; empty on the meta device.
    """

    operation: Operation
    states: Mapping[Value, State]
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


@dataclass(frozen=True, eq=False)
class Made:
    """What a rule returns.

    Attributes:
        states: of the outputs.
        pull: how gradients come down.
        patch: for a weight, from mean squares of its data to the sum of those that each element of the output is made
            from.
        data: for a weight, the state of its data.
    """

    states: tuple[State, ...]
    pull: Pull
    patch: Callable[[Tensor], Tensor] | None = None
    data: State | None = None


Rule = Callable[[Step], Made]

RULES: dict[str, Rule] = {}
"""By the name of the operation."""


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Enter a rule for the operations of these names."""

    def enter(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return enter


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
    with torch.inference_mode(False), torch.enable_grad():
        mean, variance = state.mean.detach().requires_grad_(), state.variance.detach().requires_grad_()
        means, variances = of_mean(mean), of_variance(variance)

    def pull(cotangents: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        (cotangent,) = cotangents
        if cotangent is None:
            return {}
        return {value: transposed([(means, variances)], [(mean, variance)], [cotangent.seed])[0]}

    return Made((state.plain(mean=means.detach(), variance=variances.detach(), **changes),), pull)
