"""The gradient of a weight: gradients at its output times the data it meets, summed over samples and positions."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from limen.theory.prediction.cotangent import Seed
from limen.theory.prediction.state import State
from limen.theory.prediction.step import Made, through

__all__ = ["weight_gradient"]


def weight_gradient(made: Made, seed: Seed, samples: int) -> float:
    """L2 norm of the gradient of a weight by one use of it; nan for an operation without one.

    Samples are independent of each other, but for the mean of their gradients. Positions of one sample are not: the
    ways of its gradient are the same for all of them, and its data are alike.
    """
    if made.data is None or made.weigh is None or made.weight is None:
        return math.nan
    data, centre, ones = made.data, centre_of(made.data, seed), torch.ones(made.row or made.weight)
    ways = seed.ways.square().sum(0).expand_as(made.states[0].mean)
    often = torch.full((len(seed.ways),), 0.0 if seed.common else 1.0, dtype=torch.float64)
    often[: int(seed.common)] = samples  # around a mean, what the samples of a batch draw sums to 0
    still, moving = (through(made.weigh, square, ones) for square in (centre.square(), data.variance))
    alone = float((seed.variance * (still + moving)).sum() + (ways * moving).sum())
    together = float((often @ (seed.ways.square() * still).flatten(1).sum(1)) if len(often) else 0.0)
    if positions_of(made.states[0]) > 1:
        together = sum(float(by) * square_of(made, centre, way) for by, way in zip(often, seed.ways, strict=True))
        if data.alike:
            whole = sum(square_of(made, data.variance.sqrt(), way) for way in seed.ways)
            alone += data.alike * (whole - float((ways * moving).sum()))
    return math.sqrt(max(0.0, samples * (alone + together)))


def centre_of(data: State, seed: Seed) -> Tensor:
    """The means of the data, without what gradients that sum to 0 over batch and positions do not see."""
    if not seed.balanced:
        return data.mean
    axes = [axis for axis in range(-data.mean.ndim, 0) if axis != data.axis]
    return data.mean - data.mean.mean(axes, keepdim=True)


def positions_of(state: State) -> int:
    """How many positions a sample has."""
    return state.mean.numel() // max(1, state.mean.shape[state.axis])


def square_of(made: Made, data: Tensor, above: Tensor) -> float:
    """The squared norm of a weight's gradient, of one sample with these data and this gradient at the output."""
    assert made.weigh is not None
    assert made.weight is not None
    most, largest = float(data.abs().max()), float(above.abs().max())
    if not most * largest > 0:
        return 0.0
    with torch.enable_grad():
        weight = torch.zeros(made.weight, requires_grad=True)
        output = made.weigh((data / most).float(), weight)
        (found,) = torch.autograd.grad(output, weight, (above / largest).float().expand_as(output))
    return float(found.double().square().sum()) * (most * largest) ** 2
