"""The figures of sites and weights, out of a walk and the recorded pass."""

from __future__ import annotations

import math
from collections import Counter

import torch
from torch import Tensor, nn

from limen.activations import composite, of_module, tails
from limen.anatomy.tape import LinearMap, Operation, Tape, Value, linear_map_of
from limen.anatomy.wrappers import plain_paths
from limen.theory.prediction.cotangent import Cotangent
from limen.theory.prediction.measure import Measured
from limen.theory.prediction.observe import Observer
from limen.theory.prediction.result import MapFigures, MapPrediction, SiteFigures, SitePrediction, Source
from limen.theory.prediction.state import State, overall
from limen.theory.prediction.walk import Walk
from limen.theory.prediction.weights import weight_gradient

__all__ = ["maps_of", "sites_of"]


def sites_of(model: nn.Module, tape: Tape, walk: Walk, observer: Observer, measure: bool) -> tuple[SitePrediction, ...]:
    """The sites, in forward order."""
    names = site_names(model, tape)
    return tuple(site_of(one, names[one], walk, observer, measure) for one in tape.operations if one in names)


def site_of(operation: Operation, name: str, walk: Walk, observer: Observer, measure: bool) -> SitePrediction:
    """One site."""
    assert operation.activation is not None
    value = operation.inputs[0]
    state = walk.states[value]
    mean, variance = overall(state)
    reading = observer.readings.get(value)
    return SitePrediction(
        mean,
        variance,
        active_in(operation, state),
        norm_of(walk.gradients.get(value), state, observer.samples),
        name,
        operation.path,
        operation.activation.name,
        operation.order,
        value.shape[state.axis],
        source_of(state),
        SiteFigures(
            reading.mean,
            reading.variance,
            observer.active[operation],
            math.nan if reading.gradient is None else reading.gradient,
        )
        if measure and reading is not None
        else None,
    )


def site_names(model: nn.Module, tape: Tape) -> dict[Operation, str]:
    """Unique names: the path of an activation module, the path and function of a functional call."""
    plain = plain_paths(model)
    own = {plain(path) for path, module in model.named_modules() if is_activation(module)}
    seen: Counter[str] = Counter()
    names: dict[Operation, str] = {}
    for operation in tape.operations:
        if operation.activation is None or operation.activation.name == "identity":
            continue
        named = f"{operation.path}.{operation.activation.name}".lstrip(".")
        name = operation.path if operation.path in own and operation.path else named
        seen[name] += 1
        names[operation] = name if seen[name] == 1 else f"{name}#{seen[name]}"
    return names


def is_activation(module: nn.Module) -> bool:
    """Whether a module is an activation and nothing else."""
    return of_module(module) is not None or composite(module) is not None


def maps_of(tape: Tape, walk: Walk, observer: Observer, measured: Measured | None) -> tuple[MapPrediction, ...]:
    """The weights, in forward order."""
    found = [linear_map_of(operation) for operation in tape.operations]
    return tuple(map_of(one, walk, observer, measured) for one in found if one is not None)


def map_of(one: LinearMap, walk: Walk, observer: Observer, measured: Measured | None) -> MapPrediction:
    """One weight."""
    operation, value = one.operation, one.operation.output
    state, above = walk.states[value], walk.gradients.get(value)
    mean, variance = overall(state)
    made = walk.made.get(operation)
    weight = walk.states.numbers(one.weight)
    bias = walk.states.numbers(one.bias) if one.bias else torch.zeros(1)
    reading = observer.readings.get(value)
    return MapPrediction(
        mean,
        variance,
        norm_of(above, state, observer.samples),
        weight_gradient(made, above.seed, observer.samples) if made and above else math.nan,
        one.weight.name,
        operation.path,
        operation.order,
        one.fan_in,
        one.fan_out,
        float(weight.mean()),
        float(weight.std(correction=0)),
        float(bias.mean()),
        float(bias.std(correction=0)),
        source_of(state),
        measured_map(reading and (reading.mean, reading.variance, reading.gradient), one.weight, measured),
    )


def measured_map(
    reading: tuple[float, float, float | None] | None, weight: Value, measured: Measured | None
) -> MapFigures | None:
    """The measured figures of a weight."""
    if measured is None or reading is None:
        return None
    mean, variance, gradient = reading
    return MapFigures(
        mean, variance, math.nan if gradient is None else gradient, measured.weights.get(id(weight.leaf), math.nan)
    )


def norm_of(above: Cotangent | None, state: State, samples: int) -> float:
    """L2 norm of a gradient over the whole batch."""
    if above is None:
        return math.nan
    copies = 1 if state.batch is None else samples
    return math.sqrt(copies * float(above.square.expand_as(state.mean).sum()))


def source_of(state: State) -> Source:
    """Where a state is from."""
    if not bool(torch.isfinite(state.mean).all()) and bool(state.mean.isnan().any()):
        return "unknown"
    return "measured" if state.measured else "theory"


def active_in(operation: Operation, state: State) -> float:
    """Share of a pre-activation at which the function is not flat."""
    assert operation.activation is not None
    sides = tails(operation.activation)
    left = -math.inf if sides.left is None else sides.left
    right = math.inf if sides.right is None else sides.right
    if state.fan is not None:
        inside = ((state.fan.values > left) & (state.fan.values < right)).double()
        inside = torch.where(state.fan.values.isnan(), torch.nan, inside)
        return float(state.fan.base.mean(inside).mean())
    return float(between(state, left, right).mean())


def between(state: State, left: float, right: float) -> Tensor:
    """Probability that each element lies strictly between two limits."""
    deviation = state.variance.sqrt()
    below = torch.special.ndtr((left - state.mean) / deviation)
    above = torch.special.ndtr((state.mean - right) / deviation)
    certain = ((state.mean > left) & (state.mean < right)).double()
    return torch.where(deviation == 0, certain, 1 - below - above)
