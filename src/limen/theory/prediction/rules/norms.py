"""Normalisations: what is divided by a deviation that the values themselves have."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from limen.anatomy.tape import Value
from limen.theory.prediction.cotangent import Cotangent, Seed
from limen.theory.prediction.state import State
from limen.theory.prediction.step import Made, NoRule, Pull, Step, rule


@rule("batch_norm")
def batch_norm(step: Step) -> Made:
    """By mean and variance of each channel: over samples and positions in training, else the running ones."""
    operation, state = step.operation, step.state("input")
    if state.batch != 0:
        raise NoRule
    shape = (1, -1, *(1,) * (state.mean.ndim - 2))
    scale, shift = affine(step, shape)
    eps = float(operation.argument("eps", 1e-5))
    axes = [axis for axis in range(-state.mean.ndim, 0) if axis != 1 - state.mean.ndim]
    running_mean, running_variance = step.constant("running_mean"), step.constant("running_var")
    if operation.argument("training", False) or running_mean is None or running_variance is None:
        centre = state.mean.mean(axes, keepdim=True)
        variance = state.square.mean(axes, keepdim=True) - centre.square()
        positions = state.mean.numel() / state.mean.shape[1]
        count = step.samples * positions / (1 + (positions - 1) * state.alike)
        return normalised(step, state, centre, variance, eps, scale, shift, axes, of_batch(count), True)
    centre, variance = running_mean.reshape(shape), running_variance.reshape(shape)
    return normalised(step, state, centre, variance, eps, scale, shift)


@rule("layer_norm")
def layer_norm(step: Step) -> Made:
    """Of each sample and position by itself, over the last axes."""
    state = step.state("input")
    axes = list(range(-len(tuple(step.operation.arguments["normalized_shape"])), 0))
    return of_each_sample(step, state, axes, float(step.operation.argument("eps", 1e-5)))


@rule("rms_norm")
def rms_norm(step: Step) -> Made:
    """By the root of the mean square, over the last axes."""
    state = step.state("input")
    axes = list(range(-len(tuple(step.operation.arguments["normalized_shape"])), 0))
    eps = step.operation.argument("eps")
    scale, _ = affine(step, state.mean.shape[axes[0] :])
    square = state.square.mean(axes, keepdim=True)
    eps = torch.finfo(step.operation.output.dtype).eps if eps is None else float(eps)
    return normalised(
        step,
        state,
        torch.zeros_like(square),
        square,
        eps,
        scale,
        zero(),
        axes,
        1 - 1 / count_of(state, axes),
        centred=False,
    )


@rule("group_norm")
def group_norm(step: Step) -> Made:
    """Of each sample, over the positions and the channels of a group."""
    state, groups = step.state("input"), int(step.operation.arguments["num_groups"])
    return of_groups(step, state, groups)


@rule("instance_norm")
def instance_norm(step: Step) -> Made:
    """Of each sample and channel, over the positions."""
    state = step.state("input")
    if not step.operation.argument("use_input_stats", True):
        raise NoRule
    return of_groups(step, state, state.mean.shape[1])


def of_groups(step: Step, state: State, groups: int) -> Made:
    """Over positions and groups of channels; positions that are alike have less of a deviation of their own."""
    if state.batch != 0:
        raise NoRule
    shape = state.mean.shape
    grouped = (1, groups, shape[1] // groups, *shape[2:])
    axes = list(range(2, len(grouped)))
    mean, variance = state.mean.reshape(grouped), state.variance.reshape(grouped)
    centre = mean.mean(axes, keepdim=True)
    positions = mean[0, 0, 0].numel()
    shared = state.alike + (1 - state.alike) / positions  # of the variance, what the mean over positions has
    own = 1 - shared / grouped[2]
    spread = (own * variance + (mean - centre).square()).mean(axes, keepdim=True)
    back = (1, shape[1], *(1,) * (len(shape) - 2))

    def widened(x: Tensor) -> Tensor:
        return x.expand(*x.shape[:2], grouped[2], *x.shape[3:]).reshape(back)

    scale, shift = affine(step, back)
    eps = float(step.operation.argument("eps", 1e-5))
    count = float(grouped[2] * positions)
    left = state.plain(variance=own * state.variance)
    return normalised(step, left, widened(centre), widened(spread), eps, scale, shift, kept=max(0.0, 1 - 2 / count))


def of_each_sample(step: Step, state: State, axes: list[int], eps: float) -> Made:
    """Each sample and position by the mean and deviation of its own units."""
    if state.batch is not None and state.batch - state.mean.ndim in axes:
        raise NoRule
    scale, shift = affine(step, state.mean.shape[axes[0] :])
    count = count_of(state, axes)
    centre = state.mean.mean(axes, keepdim=True)
    own = state.plain(variance=state.variance * (1 - 1 / count))
    variance = own.square.mean(axes, keepdim=True) - centre.square()
    return normalised(step, own, centre, variance, eps, scale, shift, axes, max(0.0, 1 - 2 / count))


def normalised(
    step: Step,
    state: State,
    centre: Tensor,
    variance: Tensor,
    eps: float,
    scale: Tensor,
    shift: Tensor,
    axes: list[int] | None = None,
    kept: float = 1.0,
    balanced: bool = False,
    centred: bool = True,
) -> Made:
    """``(x - centre) / sqrt(variance + eps) * scale + shift``.

    Args:
        step: the call.
        state: of what is normalised.
        centre: what is taken away.
        variance: what is divided by, in a shape that fits ``state``.
        eps: added to the variance.
        scale: the learned factor.
        shift: the learned addend.
        axes: those over which mean and variance were taken; None for given numbers.
        kept: by what the mean square of the gradient is multiplied, beside the division.
        balanced: whether the mean is taken over the batch.
        centred: whether the mean is taken away.
    """
    value = step.value("input")
    factor = scale / (variance.clamp(min=0) + eps).sqrt()
    mean = (state.mean - centre) * factor + shift
    square = factor.square()

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        if above[0] is None:
            return {}
        seed = above[0].seed
        ways = seed.ways * factor
        if axes is not None and centred and (seed.common or not balanced):
            ways = ways - ways.mean(axes, keepdim=True)
        elif balanced:
            ways = ways * math.sqrt(kept)
        return {value: Cotangent.of(Seed(ways, seed.variance * square * kept, seed.common, balanced))}

    made: Pull = pull
    return Made((state.plain(mean=mean, variance=state.variance * square),), made)


def of_batch(count: float) -> float:
    """What a batch of ``count`` independent samples does to the mean square of a gradient, beside the division.

    One direction of ``count`` is lost; and a channel of which the batch happens to show a small variance passes more
    on than one that shows a large one loses: ``E[1/s²] E[s²] = (n - 1) / (n - 3)`` for normal numbers.
    """
    return 1.0 if count <= 3 else (count - 1) ** 2 / (count * (count - 3))


def affine(step: Step, shape: tuple[int, ...] | torch.Size) -> tuple[Tensor, Tensor]:
    """Scale and shift of a normalisation; 1 and 0 where it has none."""
    scale, shift = step.constant("weight"), step.constant("bias")
    return (
        zero() + 1 if scale is None else scale.reshape(shape),
        zero() if shift is None else shift.reshape(shape),
    )


def zero() -> Tensor:
    """0 in double precision."""
    return torch.zeros((), dtype=torch.float64)


def count_of(state: State, axes: list[int]) -> float:
    """How many elements lie along these axes."""
    count = 1.0
    for axis in axes:
        count *= state.mean.shape[axis]
    return count
