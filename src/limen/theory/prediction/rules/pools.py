"""Means and largest values of neighbouring positions, and means over axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from limen.anatomy.tape import Value
from limen.theory.prediction.cotangent import Cotangent, without_ways
from limen.theory.prediction.state import State
from limen.theory.prediction.step import Made, NoRule, Step, linear_in, rule

AVERAGES = [f"{kind}avg_pool{axes}d" for axes in (1, 2, 3) for kind in ("", "adaptive_")]
LARGEST = [f"{kind}max_pool{axes}d" for axes in (1, 2, 3) for kind in ("", "adaptive_")]


@rule(*AVERAGES)
def average(step: Step) -> Made:
    """Means of windows."""
    state, pool, size = step.state("input"), pool_of(step, "avg"), window(step)
    made = linear_in(step.value("input"), state, pool, lambda variance: pool(variance) / size)
    return Made((shrunk(made.states[0], state, size),), made.pull)


def shrunk(pooled: State, state: State, size: float) -> State:
    """The variance of a mean of ``size`` positions that are alike, given that of independent ones."""
    return pooled.plain(
        variance=pooled.variance * (1 + (size - 1) * state.alike),
        alike=min(1.0, state.alike / (1 / size + (1 - 1 / size) * state.alike)) if state.alike else 0.0,
    )


def pool_of(step: Step, kind: str) -> Callable[[Tensor], Tensor]:
    """The pooling of a call, as averages or of largest values."""
    operation = step.operation
    if step.state("input").batch != 0 or step.operation.argument("return_indices"):
        raise NoRule
    name = operation.name.replace("max", kind).replace("avg", kind)
    options = {k: v for k, v in operation.arguments.items() if k not in ("input", "return_indices")}
    if kind == "avg":
        for absent in ("dilation",):
            if options.pop(absent, 1) not in (1, (1, 1), (1,), (1, 1, 1)):
                raise NoRule
        if "max" in operation.name and name.startswith("avg"):
            options["count_include_pad"] = False

    def pool(x: Tensor) -> Tensor:
        return getattr(F, name)(x, **options)

    return pool


def window(step: Step) -> float:
    """How many positions a result is made of."""
    before, after = step.value("input").shape, step.operation.output.shape
    if step.operation.name.startswith("adaptive"):
        return math.prod(before[2:]) / math.prod(after[2:])
    size = step.operation.arguments["kernel_size"]
    axes = len(before) - 2
    return float(size**axes if isinstance(size, int) else math.prod(size) if len(size) == axes else size[0] ** axes)


@rule(*LARGEST)
def largest(step: Step) -> Made:
    """The largest of a window, of a function that does not fall: the function of the largest Gaussian."""
    value, state, size = step.value("input"), step.state("input"), window(step)
    pool, fan = pool_of(step, "avg"), state.spread
    if state.is_constant:
        raise NoRule
    weights = largest_weights(fan.base.weights, size, state.alike)
    count = fan.values.shape[-1]
    pooled = torch.stack([pool(fan.values[..., node]) for node in range(count)], -1).sort(-1).values
    mean = pooled @ weights
    variance = (pooled - mean[..., None]).square() @ weights
    made = linear_in(value, state, pool, lambda v: pool(v))
    rise = (weights / fan.base.weights.clamp(min=1e-300)).sqrt()

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        if above[0] is None:
            return {}
        whole = without_ways(above[0].square)
        down = made.pull((whole,))[value]
        return {value: down.times(rise.expand_as(fan.values), fan.base)}

    return Made((state.plain(mean=mean, variance=variance),), pull)


def largest_weights(weights: Tensor, size: float, alike: float) -> Tensor:
    """Probabilities of the nodes for the largest of ``size`` normal numbers of correlation ``alike``.

    Given what they share, they are independent: ``P(max < m) = E_a[Φ((m - sqrt(ρ) a) / sqrt(1 - ρ))^size]``.
    """
    if alike >= 1:
        return weights
    edges = torch.special.ndtri(weights.cumsum(0)[:-1].clamp(1e-300, 1 - 1e-16))  # between the nodes
    a = torch.special.ndtri(weights.cumsum(0) - weights / 2)
    own = torch.special.ndtr((edges[:, None] - math.sqrt(alike) * a) / math.sqrt(1 - alike)) ** size
    below = own @ weights
    ends = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    return torch.cat([ends[0], below, ends[1]]).diff().clamp(min=0)


@rule("mean", "sum")
def reduced(step: Step) -> Made:
    """Means and sums over positions or units of each sample."""
    state, operation = step.state("input"), step.operation
    given = operation.argument("dim", operation.argument("axis"))
    if given is None:
        raise NoRule
    count = state.mean.ndim
    axes = sorted({int(axis) % count for axis in (given if isinstance(given, tuple | list) else (given,))})
    if state.batch in axes:
        raise NoRule
    keep = bool(operation.argument("keepdim", False))
    of_units = [axis for axis in axes if axis == count + state.axis]
    units = math.prod(state.mean.shape[axis] for axis in of_units)
    positions = math.prod(state.mean.shape[axis] for axis in axes) / max(1, units)
    scale = 1 / (units * positions) if operation.name == "mean" else 1.0
    batch = None if state.batch is None else state.batch - (0 if keep else sum(axis < state.batch for axis in axes))
    left = [axis for axis in range(count) if keep or axis not in axes]
    unit = left.index(count + state.axis) - len(left) if count + state.axis in left else -1
    made = linear_in(
        step.value("input"),
        state,
        lambda m: m.sum(axes, keepdim=keep) * scale,
        lambda v: v.sum(axes, keepdim=keep) * scale**2,
        batch=batch,
        axis=unit,
    )
    return Made((shrunk(made.states[0], state, positions),), made.pull)
