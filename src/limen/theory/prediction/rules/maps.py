"""Weights applied to data: linear layers, convolutions, products with a constant matrix."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from limen.theory.prediction.rules import attention
from limen.theory.prediction.state import State
from limen.theory.prediction.step import Made, NoRule, Step, linear_in, rule, through

LEAST_COMMON = 0.2
"""Share of the variance of all units below which what they do together is left out."""


@rule("linear")
def linear(step: Step) -> Made:
    """``x Wᵀ + b``: the mean by the weights, the variance by their squares."""
    weight, bias, state = step.weight("weight"), step.constant("bias"), step.state("input")
    addend = torch.zeros(()) if bias is None else bias
    made = linear_in(
        step.value("input"),
        state,
        lambda mean: through(F.linear, mean, weight()) + addend,
        lambda variance: through(F.linear, variance, weight().square()),
        axis=-1,
    )
    shape = step.value("weight").shape
    made = replace(made, states=(together(state, made.states[0], weight()),))
    return replace(made, data=state, weigh=F.linear, weight=shape, row=(1, *shape[1:]))


def together(before: State, after: State, weight: Tensor) -> State:
    """The state behind a layer with what its units do together, as they do where their weights are all alike.

    Without anything common before it, that is their covariance with their own mean; where it is little it is left out.
    """
    if before.common is not None:
        moved = through(F.linear, before.common, weight)
        own = (before.variance - before.common.square()).clamp(min=0)
        variance = through(F.linear, own, weight.square()) + moved.square()
        return replace(after, variance=variance, common=moved)
    middle = weight.mean(0).double()
    joint = middle * before.variance
    length = (joint * middle).sum(-1, keepdim=True).sqrt()
    moved = (through(F.linear, joint, weight) / length).nan_to_num(0.0)
    if float(moved.square().sum()) < LEAST_COMMON * float(after.variance.sum()):
        return after
    return replace(after, common=moved)


@rule("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def convolution(step: Step) -> Made:
    """The same at every place, with the padding, stride and groups of the call itself."""
    operation, state = step.operation, step.state("input")
    weight, bias, shape = step.weight("weight"), step.constant("bias"), step.value("weight").shape
    axes = len(shape) - 2
    if state.mean.ndim != len(shape) or state.batch != 0:
        raise NoRule
    names = ("stride", "padding", "dilation", "groups", "output_padding")
    options: dict[str, Any] = {name: operation.arguments[name] for name in names if name in operation.arguments}
    addend = torch.zeros(()) if bias is None else bias.reshape(-1, *(1,) * axes)

    def weigh(data: Tensor, factor: Tensor) -> Tensor:
        return getattr(F, operation.name)(data, factor, None, **options)

    made = linear_in(
        step.value("input"),
        state,
        lambda mean: through(weigh, mean, weight()) + addend,
        lambda variance: through(weigh, variance, weight().square()),
        axis=-1 - axes,
    )
    alone = "transpose" not in operation.name and operation.argument("groups", 1) == 1
    return replace(made, data=state, weigh=weigh, weight=shape, row=(1, *shape[1:]) if alone else None)


@rule("matmul", "mm", "bmm", "mv")
def product(step: Step) -> Made:
    """A product with a constant matrix on the right or the left."""
    right = "vec" if step.operation.name == "mv" else "other" if step.operation.name == "matmul" else "mat2"
    one, other = step.state("input"), step.state(right)
    if other.is_constant and other.batch is None:
        factor, square = other.mean, other.mean.square()
        made = linear_in(step.value("input"), one, lambda m: m @ factor, lambda v: v @ square, axis=-1)
        return replace(made, data=one, weigh=torch.matmul, weight=tuple(factor.shape))
    if not (one.is_constant and one.batch is None):
        return attention.product(step, step.value("input"), step.value(right))
    factor, square = one.mean, one.mean.square()
    made = linear_in(step.value(right), other, lambda m: factor @ m, lambda v: square @ v)
    return replace(made, data=other, weigh=from_left, weight=tuple(factor.shape))


@rule("addmm")
def added_product(step: Step) -> Made:
    """``b + x W``, as in GPT-2."""
    factor, bias = step.constant("mat2"), step.constant("input")
    if (
        factor is None
        or bias is None
        or step.operation.argument("alpha", 1) != 1
        or step.operation.argument("beta", 1) != 1
    ):
        raise NoRule
    square = factor.square()
    state = step.state("mat1")
    made = linear_in(step.value("mat1"), state, lambda m: torch.addmm(bias, m, factor), lambda v: v @ square, axis=-1)
    return replace(made, data=state, weigh=torch.matmul, weight=tuple(factor.shape))


def from_left(data: Tensor, factor: Tensor) -> Tensor:
    """The product with the factor on the left."""
    return factor @ data
