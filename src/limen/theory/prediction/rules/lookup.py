"""Rows looked up in a table, and what drops elements at random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from limen.anatomy.tape import Value
from limen.theory.prediction.cotangent import Cotangent
from limen.theory.prediction.step import Made, NoRule, Step, rule


@rule("dropout", "dropout1d", "dropout2d", "dropout3d", "feature_dropout", "alpha_dropout")
def dropout(step: Step) -> Made:
    """``x / (1 - p)`` with probability ``1 - p``, else 0; nothing outside of training."""
    operation, value = step.operation, step.operation.inputs[0]
    state = step.states[value]
    share = float(operation.argument("p", operation.argument("1", 0.5)))
    if not operation.argument("training", operation.argument("train", operation.argument("2", True))) or share == 0:
        return Made((state,), lambda above: {value: above[0]} if above[0] else {})
    if operation.name == "alpha_dropout" or share >= 1:
        raise NoRule
    kept = 1 - share

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        if above[0] is None:
            return {}
        seed = above[0].seed
        return {value: Cotangent.of(replace(seed, variance=seed.variance + seed.square * (1 / kept - 1)))}

    variance = state.square / kept - state.mean.square()
    whole = float(variance.sum())
    alike = state.alike * float(state.variance.sum()) / whole if whole > 0 else 0.0
    return Made((state.plain(variance=variance, alike=alike),), pull)


@rule("embedding")
def embedding(step: Step) -> Made:
    """The rows that the sample looks up: what it is is data, not theory."""
    found = step.recorded.get(step.operation.output)
    if found is None:
        raise NoRule
    return Made((found,), lambda _: {})
