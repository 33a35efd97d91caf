"""Weights applied to data: linear layers, convolutions, products with a constant matrix."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from limen.theory.prediction.step import Made, NoRule, Step, linear_in, rule


@rule("linear")
def linear(step: Step) -> Made:
    """``x Wᵀ + b``: the mean by the weights, the variance by their squares."""
    weight, bias = matrix(step, "weight"), step.constant("bias")
    square = weight.square()
    state = step.state("input")
    made = linear_in(
        step.value("input"),
        state,
        lambda mean: F.linear(mean, weight, bias),
        lambda variance: F.linear(variance, square),
        axis=-1,
    )
    return replace(made, patch=summed, data=state)


@rule("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def convolution(step: Step) -> Made:
    """The same at every place, with the padding, stride and groups of the call itself."""
    operation, state = step.operation, step.state("input")
    weight, bias = matrix(step, "weight"), step.constant("bias")
    axes = weight.ndim - 2
    if state.mean.ndim != weight.ndim or state.batch != 0:
        raise NoRule
    names = ("stride", "padding", "dilation", "groups", "output_padding")
    options: dict[str, Any] = {name: operation.arguments[name] for name in names if name in operation.arguments}
    apply = getattr(F, operation.name)
    square = weight.square()
    made = linear_in(
        step.value("input"),
        state,
        lambda mean: apply(mean, weight, bias, **options),
        lambda variance: apply(variance, square, None, **options),
        axis=-1 - axes,
    )
    ones = torch.ones_like(weight)

    def gathered(squares: Tensor) -> Tensor:
        return apply(squares, ones, None, **options)

    return replace(made, patch=gathered, data=state)


@rule("matmul", "mm", "bmm", "mv")
def product(step: Step) -> Made:
    """A product with a constant matrix on the right or the left."""
    right = "vec" if step.operation.name == "mv" else "other" if step.operation.name == "matmul" else "mat2"
    one, other = step.state("input"), step.state(right)
    if other.is_constant and other.batch is None:
        factor, square = other.mean, other.mean.square()
        made = linear_in(step.value("input"), one, lambda m: m @ factor, lambda v: v @ square, axis=-1)
        return replace(made, patch=summed, data=one)
    if one.is_constant and one.batch is None:
        factor, square = one.mean, one.mean.square()
        made = linear_in(step.value(right), other, lambda m: factor @ m, lambda v: square @ v)
        axis = -2 if other.mean.ndim > 1 else -1

        def gathered(squares: Tensor) -> Tensor:
            return squares.sum(axis, keepdim=True)

        return replace(made, patch=gathered, data=other)
    raise NoRule


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
    return replace(made, patch=summed, data=state)


def summed(squares: Tensor) -> Tensor:
    """The sum over the units."""
    return squares.sum(-1, keepdim=True)


def matrix(step: Step, name: str) -> Tensor:
    """The numbers of a weight."""
    found = step.constant(name)
    if found is None:
        raise NoRule
    return found
