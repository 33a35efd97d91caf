"""What is known of a value of a forward pass without running it: means and variances over the samples of a batch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

__all__ = ["Base", "Fan", "State", "constant", "folded", "gaussian", "overall"]

FARTHEST = 6.0
"""Standard deviations between which the nodes lie; the density beyond is below 1e-8."""

MOST_NODES, LEAST_NODES = 512, 16
NODES_IN_ALL = 1 << 17
"""Nodes of all elements of a value together, about: 1 MB."""


@dataclass(frozen=True, eq=False)
class Base:
    """The Gaussian of which the values of a chain of elementwise functions are functions.

    Attributes:
        nodes: ``[*shape, nodes]``, where the Gaussian of each element is looked at.
        weights: ``[nodes]``, their probabilities; they sum to 1.
        together: share of the variance of each element that is common to all units; None for 0.
    """

    nodes: Tensor
    weights: Tensor
    together: Tensor | None = None

    def mean(self, values: Tensor) -> Tensor:
        """Of a function of the Gaussian, given at the nodes: one number for each element."""
        return values @ self.weights


@dataclass(frozen=True, eq=False)
class Fan:
    """A value as a function of a Gaussian: what it is, ``[*shape, nodes]``, at the nodes of ``base``."""

    base: Base
    values: Tensor


@dataclass(frozen=True, eq=False)
class State:
    """Mean and variance over the samples of each element of a value, taken as independent between elements.

    Attributes:
        mean: in the shape of the value, its batch axis shortened to one sample; float64.
        variance: over the samples, around ``mean``; same shape.
        batch: the axis on which the samples lie, possibly with positions folded in; None for what is alike for all.
        outer: how many positions are folded in before the samples; those behind them are not counted.
        axis: the axis of the units, counted from the end; the others are positions.
        alike: mean correlation between two positions of one sample at the same unit, in [0, 1].
        mixes: the axis along which the values sum to 1, as those of a softmax; None where they do not.
        common: what all units do together, in the shape of ``mean``: how far each moves with one number that each
            sample draws; part of ``variance``. None where units move by themselves.
        measured: whether it, or something it was computed from, was read from the recorded pass.
        fan: the value as a function of a Gaussian, where it was made by elementwise functions.
    """

    mean: Tensor
    variance: Tensor
    batch: int | None = 0
    outer: int = 1
    axis: int = -1
    alike: float = 0.0
    mixes: int | None = None
    common: Tensor | None = field(default=None, repr=False)
    measured: bool = False
    fan: Fan | None = field(default=None, repr=False)

    @property
    def square(self) -> Tensor:
        """Mean square of each element."""
        return self.variance + self.mean.square()

    @property
    def is_constant(self) -> bool:
        """Whether the samples do not differ."""
        return not bool(self.variance.any())

    @cached_property
    def spread(self) -> Fan:
        """The value at the nodes of a Gaussian: of the one it is made from, else of one with its own moments."""
        made = self.fan or gaussian(self.mean, self.variance)
        if self.fan is None and self.common is not None and made.base.weights.numel() > 1:
            share = (self.common.square() / self.variance).nan_to_num(0.0)
            return Fan(replace(made.base, together=share), made.values)
        return made

    def plain(self, **changes: object) -> State:
        """The same with some attributes changed and no longer a function of what it was made from."""
        return replace(self, **{"fan": None, "mixes": None, "common": None, **changes})  # pyright: ignore[reportArgumentType]


def gaussian(mean: Tensor, variance: Tensor) -> Fan:
    """A Gaussian for each element, at nodes that are evenly spaced in standard deviations.

    Sums over even spaces are exact to rounding for smooth functions; a jump costs less than half the density of one
    space. The fewer elements the more nodes: errors of many elements cancel.
    """
    if not bool(variance.any()):
        weights = torch.ones(1, dtype=torch.float64)
        return Fan(Base(mean[..., None], weights), mean[..., None])
    count = min(MOST_NODES, max(LEAST_NODES, NODES_IN_ALL // max(1, mean.numel()))) // 2 * 2
    space = 2 * FARTHEST / count
    z = (torch.arange(count, dtype=torch.float64) + 0.5) * space - FARTHEST
    weights = torch.exp(-0.5 * z * z) * space / math.sqrt(2 * math.pi)
    weights = weights / weights.sum()
    z = z / torch.sqrt((weights * z * z).sum())  # the variance exactly
    nodes = mean[..., None] + variance.sqrt()[..., None] * z
    return Fan(Base(nodes, weights), nodes)


def overall(state: State) -> tuple[float, float]:
    """Mean and variance over elements and samples together."""
    mean = float(state.mean.mean())
    return mean, float((state.variance + (state.mean - mean).square()).mean().clamp(min=0))


def folded(shape: tuple[int, ...], batch: int | None, samples: int) -> tuple[int, ...]:
    """A shape with its batch axis shortened to one sample."""
    return tuple(size // samples if axis == batch else size for axis, size in enumerate(shape))


def constant(tensor: Tensor, **changes: object) -> State:
    """The state of a tensor that is the same for all samples; unknown on the meta device."""
    unknown = tensor.is_meta or tensor.is_complex() or tensor.is_quantized or tensor.layout != torch.strided
    mean = torch.full(tensor.shape, torch.nan, dtype=torch.float64) if unknown else tensor.detach().cpu().double()
    return State(mean, torch.zeros_like(mean), batch=None).plain(**changes)
