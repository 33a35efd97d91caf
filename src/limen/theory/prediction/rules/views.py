"""The same numbers in another order or shape."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from limen.anatomy.tape import Value
from limen.theory.prediction.cotangent import Cotangent, transposed
from limen.theory.prediction.state import State, folded
from limen.theory.prediction.step import Made, NoRule, Step, linear_in, rule

MOVES = (
    "permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "T", "mT", "unsqueeze", "squeeze",
    "getitem", "chunk", "split", "narrow", "select", "unbind", "flip", "roll", "tensor_split",
)  # fmt: skip
ATTRIBUTES = ("T", "mT")
RESHAPES = ("view", "reshape", "flatten", "unflatten", "view_as", "reshape_as")


@rule(*RESHAPES)
def reshape(step: Step) -> Made:
    """Axes merged or split; the batch may be merged with positions behind it."""
    state, shape = step.state("input"), step.operation.output.shape
    batch, outer = batch_after(step.value("input").shape, state, shape, step.samples)
    target = folded(shape, batch, step.samples)
    axis = axis_after(step.value("input").shape, state.axis, shape)
    return linear_in(
        step.value("input"),
        state,
        lambda m: m.reshape(target),
        lambda v: v.reshape(target),
        batch=batch,
        outer=outer,
        axis=axis,
    )


def batch_after(before: tuple[int, ...], state: State, after: tuple[int, ...], samples: int) -> tuple[int | None, int]:
    """The axis on which the samples lie after a change of shape, and how many positions lie before them on it."""
    if state.batch is None:
        return None, 1
    ahead = math.prod(before[: state.batch]) * state.outer
    for axis, size in enumerate(after):
        outside = math.prod(after[:axis])
        if ahead % outside == 0 and size % (outer := ahead // outside * samples) == 0 and size:
            return axis, outer // samples
    raise NoRule


def axis_after(before: tuple[int, ...], axis: int, after: tuple[int, ...]) -> int:
    """The axis of the units after a change of shape, from the end; the last where it was merged or split."""
    place = len(before) + axis
    ahead, behind = math.prod(before[:place]), math.prod(before[place + 1 :])
    for new, size in enumerate(after):
        if size == before[place] and (math.prod(after[:new]), math.prod(after[new + 1 :])) == (ahead, behind):
            return new - len(after)
    return -1


@rule("expand", "expand_as", "broadcast_to")
def expand(step: Step) -> Made:
    """Repeated along axes of size 1 and new ones."""
    state, shape = step.state("input"), step.operation.output.shape
    batch = None if state.batch is None else state.batch + len(shape) - state.mean.ndim
    target = folded(shape, batch, step.samples)
    return linear_in(step.value("input"), state, lambda m: m.expand(target), lambda v: v.expand(target), batch=batch)


@rule(*MOVES)
def move(step: Step) -> Made:
    """Axes moved, added or taken away; parts taken out."""
    value, state = step.operation.inputs[0], step.states[step.operation.inputs[0]]
    numbers = {name: argument for name, argument in step.operation.arguments.items() if name != "input"}
    if len(step.operation.inputs) > 1:
        raise NoRule
    places = [numbers.pop(name) for name in sorted(numbers) if name.isdigit()]

    def apply(x: Tensor) -> tuple[Tensor, ...]:
        if step.operation.name in ATTRIBUTES:
            made: Any = getattr(x, step.operation.name)
        elif step.operation.name == "getitem":
            made = x[places[0]]
        else:
            made = getattr(x, step.operation.name)(*numbers.values(), *places)
        return (made,) if isinstance(made, Tensor) else tuple(made)

    axes = [traced(value.shape, shape, apply, number, state) for number, shape in enumerate(step.operation.outputs)]
    with torch.inference_mode(False), torch.enable_grad():
        mean, variance = state.mean.detach().requires_grad_(), state.variance.detach().requires_grad_()
        means, variances = apply(mean), apply(variance)
    for number, (made, (batch, _)) in enumerate(zip(means, axes, strict=True)):
        if tuple(made.shape) != folded(step.operation.outputs[number].shape, batch, step.samples):
            raise NoRule

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        seeds = [(number, cotangent.seed) for number, cotangent in enumerate(above) if cotangent is not None]
        if not seeds:
            return {}
        outputs = [(means[number], variances[number]) for number, _ in seeds]
        return {value: transposed(outputs, [(mean, variance)], [seed for _, seed in seeds])[0]}

    states = tuple(
        state.plain(mean=m.detach(), variance=v.detach(), batch=batch, axis=axis)
        for m, v, (batch, axis) in zip(means, variances, axes, strict=True)
    )
    return Made(states, pull)


def traced(before: tuple[int, ...], after: Value, apply: Any, output: int, state: State) -> tuple[int | None, int]:
    """Where the axes of samples and units have gone, told by their strides in a tensor without numbers."""
    source = torch.empty(before, device="meta")
    made = apply(source)[output]
    place = len(before) + state.axis
    sizes = before[place]
    axis = next(
        (i - made.ndim for i in range(made.ndim) if made.stride(i) == source.stride(place) and made.shape[i] == sizes),
        -1,
    )
    if state.batch is None:
        return None, axis
    for place in range(made.ndim):
        if made.stride(place) == source.stride(state.batch) and made.shape[place] == before[state.batch]:
            return place, axis
    raise NoRule


@rule("cat", "concat", "concatenate", "stack")
def concatenate(step: Step) -> Made:
    """Values side by side; those that do not depend on the sample are alike for all."""
    values = step.operation.inputs
    states = [step.states[value] for value in values]
    stacks = step.operation.name == "stack"
    count = len(step.operation.output.shape)
    axis = int(step.operation.argument("dim", step.operation.argument("axis", 0))) % count
    places = {state.batch + (stacks and axis <= state.batch) for state in states if state.batch is not None}
    if len(places) > 1 or axis in places:
        raise NoRule
    batch = places.pop() if places else None
    join = torch.stack if stacks else torch.cat

    def shaped(state: State, tensor: Tensor) -> Tensor:
        if state.batch is None and batch is not None:
            return tensor.narrow(batch - (stacks and axis < batch), 0, 1)
        return tensor

    with torch.inference_mode(False), torch.enable_grad():
        leaves = [(s.mean.detach().requires_grad_(), s.variance.detach().requires_grad_()) for s in states]
        mean = join([shaped(s, m) for s, (m, _) in zip(states, leaves, strict=True)], dim=axis)
        variance = join([shaped(s, v) for s, (_, v) in zip(states, leaves, strict=True)], dim=axis)

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        if above[0] is None:
            return {}
        down = transposed([(mean, variance)], leaves, [above[0].seed])
        return dict(zip(values, down, strict=True))

    wide = next((state for state in states if state.batch is not None), states[0])
    measured = any(state.measured for state in states)
    return Made((wide.plain(mean=mean.detach(), variance=variance.detach(), batch=batch, measured=measured),), pull)
