"""Values mixed by weights that depend on the sample: scores, softmax, and products of two values."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from limen.anatomy.tape import Value
from limen.theory.prediction.cotangent import Cotangent, Seed, without_ways
from limen.theory.prediction.rules.elementwise import check_batches
from limen.theory.prediction.state import State
from limen.theory.prediction.step import Made, NoRule, Step, rule


@rule("softmax")
def softmax(step: Step) -> Made:
    """Weights that sum to 1, of scores that vary by themselves.

    ``E[exp s] = exp(m + v/2)`` of Gaussian scores; the sum below, over many, varies little.
    """
    value, state = step.value("input"), step.state("input")
    dim = step.operation.argument("dim")
    if dim is None:
        raise NoRule
    axis = int(dim) % state.mean.ndim - state.mean.ndim
    if state.batch is not None and axis == state.batch - state.mean.ndim:
        raise NoRule
    weights, square = mixing(state.mean, state.variance, axis)
    variance = (square - weights.square()).clamp(min=0)

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        return {value: Cotangent.of(below_softmax(above[0].seed, weights, square, axis))} if above[0] else {}

    return Made((state.plain(mean=weights, variance=variance, mixes=axis),), pull)


@rule("log_softmax")
def log_softmax(step: Step) -> Made:
    """The scores less the logarithm of the sum of their exponentials, which varies little."""
    value, state = step.value("input"), step.state("input")
    dim = step.operation.argument("dim")
    if dim is None or (state.batch is not None and int(dim) % state.mean.ndim == state.batch):
        raise NoRule
    axis, risen = int(dim), state.mean + state.variance / 2
    weights = torch.softmax(risen, axis)

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        if above[0] is None:
            return {}
        seed, back = above[0].seed, axis % state.mean.ndim - state.mean.ndim
        ways = seed.ways - weights * seed.ways.sum(back, keepdim=True)
        total = seed.variance.sum(back, keepdim=True)
        rest = (1 - 2 * weights).clamp(min=0) * seed.variance + weights.square() * total
        return {value: Cotangent.of(Seed(ways, rest, seed.common))}

    return Made((state.plain(mean=state.mean - torch.logsumexp(risen, axis, keepdim=True)),), pull)


def mixing(scores: Tensor, variance: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Mean and mean square of the softmax of Gaussian scores."""
    weights = torch.softmax(scores + variance / 2, axis)
    square = weights.square() * variance.exp()
    return weights, torch.minimum(square, weights)


def below_softmax(seed: Seed, weights: Tensor, square: Tensor, axis: int) -> Seed:
    """``a (g - Σ a g)``: only differences between the gradients at the weights pass."""
    ways = weights * (seed.ways - (weights * seed.ways).sum(axis, keepdim=True))
    rest = seed.variance * (1 - 2 * weights) + (square * seed.variance).sum(axis, keepdim=True)
    return Seed(ways, (square * rest).clamp(min=0), seed.common)


def product(step: Step, one: Value, other: Value) -> Made:
    """``x y`` of two values that vary by themselves, as scores are made, or weighted means of positions."""
    left, right = step.states[one], step.states[other]
    check_batches(left, right)
    if left.mean.ndim < 2 or right.mean.ndim < 2:
        raise NoRule
    if left.mean.shape[-1] != right.mean.shape[-2]:  # a sum over samples, as over the neighbours in a graph
        raise NoRule
    mean = left.mean @ right.mean
    variance = left.variance @ right.square + left.mean.square() @ right.variance
    alike = left.alike
    mixes = left.mixes == -1 and right.axis == -1
    if mixes:
        variance, alike = of_mixed(left.mean, left.square, right)

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        if above[0] is None:
            return {}
        seed = above[0].seed
        far = own_square(right) if mixes else right.square
        down = Cotangent.of(
            Seed(seed.ways @ right.mean.mT, seed.square @ far.mT - squared(seed.ways @ right.mean.mT), seed.common)
        )
        across = left.mean.mT @ seed.ways
        there = Seed(across, (left.square.mT @ seed.square - squared(across)).clamp(min=0), seed.common)
        return {one: clamped(down), other: Cotangent.of(there)}

    axis = right.axis if mixes else -1
    return Made((left.plain(mean=mean, variance=variance, axis=axis, alike=alike),), pull)


def squared(ways: Tensor) -> Tensor:
    """The sum of squares over the ways."""
    return ways.square().sum(0)


def clamped(cotangent: Cotangent) -> Cotangent:
    """Without variances below 0, which rounding makes."""
    seed = cotangent.seed
    return Cotangent.of(Seed(seed.ways, seed.variance.clamp(min=0), seed.common))


def of_mixed(weights: Tensor, square: Tensor, values: State) -> tuple[Tensor, float]:
    """Variance of weighted means of positions, and how alike they are.

    Args:
        weights: means, ``[..., results, positions]``; they sum to 1 over the positions.
        square: mean squares of the weights.
        values: ``[..., positions, units]``; what their positions share passes whole.
    """
    shared = values.alike * (weights @ values.variance)
    own = (1 - values.alike) * values.variance
    moved = (square - weights.square()).clamp(min=0) @ (values.mean - values.mean.mean(-2, keepdim=True)).square()
    variance = shared + square @ own + moved
    middle = weights.mean(-2, keepdim=True)
    common = float((shared + middle.square() @ own).mean())
    whole = float(variance.mean())
    return variance, min(1.0, common / whole) if whole > 0 else 0.0


def own_square(values: State) -> Tensor:
    """Mean squares of what positions do not share, ``[..., positions, units]``."""
    return (1 - values.alike) * values.variance + (values.mean - values.mean.mean(-2, keepdim=True)).square()


@rule("scaled_dot_product_attention")
def attention(step: Step) -> Made:
    """``softmax(q kᵀ / sqrt(d) + mask) v``."""
    operation = step.operation
    names = [step.value(name) for name in ("query", "key", "value")]
    query, key, value = (step.states[name] for name in names)
    if operation.argument("enable_gqa", False) or query.batch is None or query.mean.ndim < 3 or len(set(names)) < 3:
        raise NoRule
    check_batches(query, key)
    check_batches(query, value)
    scale = operation.argument("scale") or 1 / math.sqrt(query.mean.shape[-1])
    scores = scale * query.mean @ key.mean.mT + mask_of(step, query.mean.shape[-2], key.mean.shape[-2])
    spread = scale**2 * (query.variance @ key.square.mT + query.mean.square() @ key.variance.mT)
    weights, square = mixing(scores, spread, -1)
    kept = 1 - float(operation.argument("dropout_p", 0.0))
    if kept <= 0:
        raise NoRule
    dropped = square / kept
    mean = weights @ value.mean
    variance, alike = of_mixed(weights, dropped, value)

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        if above[0] is None:
            return {}
        seed = above[0].seed
        across = weights.mT @ seed.ways
        at_values = Seed(across, (dropped.mT @ seed.square - squared(across)).clamp(min=0), seed.common)
        at_scores = scale**2 * square * (seed.square @ own_square(value).mT)
        found = {
            names[0]: without_ways(at_scores @ own_square(key)),
            names[1]: without_ways(at_scores.mT @ query.square),
        }
        found[names[2]] = Cotangent.of(at_values)
        return found

    return Made((value.plain(mean=mean, variance=variance, batch=query.batch, alike=alike),), pull)


def mask_of(step: Step, queries: int, keys: int) -> Tensor:
    """What is added to the scores."""
    mask = step.given("attn_mask")
    if mask is not None:
        if not mask.is_constant:
            raise NoRule
        boolean = step.value("attn_mask").dtype == torch.bool
        return torch.where(mask.mean > 0, 0.0, -torch.inf) if boolean else mask.mean
    if step.operation.argument("is_causal", False):
        return torch.full((queries, keys), -torch.inf, dtype=torch.float64).triu(1)
    return torch.zeros((), dtype=torch.float64)


@rule("masked_fill")
def masked_fill(step: Step) -> Made:
    """Some elements replaced by a number."""
    state, value = step.state("input"), step.value("input")
    mask, number = step.constant("mask"), step.operation.argument("value")
    if mask is None or isinstance(number, Value):
        raise NoRule
    filled = mask > 0
    mean = torch.where(filled, float(number), state.mean)
    variance = torch.where(filled, 0.0, state.variance)

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        if above[0] is None:
            return {}
        seed = above[0].seed
        return {
            value: Cotangent.of(
                Seed(seed.ways.masked_fill(filled, 0.0), seed.variance.masked_fill(filled, 0.0), seed.common)
            )
        }

    return Made((state.plain(mean=mean, variance=variance),), pull)
