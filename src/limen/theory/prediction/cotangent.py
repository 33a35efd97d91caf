"""What is known of the gradient at a value: the mirror image of its state, on the way down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.theory.prediction.state import Base

__all__ = ["Cotangent", "Seed", "added", "transposed", "without_ways"]


@dataclass(frozen=True, eq=False)
class Seed:
    """The gradient of each element: some vectors that come through the weights exactly, and the variance of the rest.

    Attributes:
        ways: ``[ways, *shape]``, in the shape of the value's state: each is multiplied by a number of variance 1 that
            each sample draws for itself; there is one for each element of an output that is given noise.
        variance: of the rest, in the shape of the value's state.
        common: whether the one way is alike for all samples instead, the mean of their gradients.
        balanced: whether the gradients of a batch sum to 0, as below a normalisation over it: then what the samples
            have in common leaves no trace in the gradient of a weight.
    """

    ways: Tensor
    variance: Tensor
    common: bool = False
    balanced: bool = False

    @property
    def square(self) -> Tensor:
        """Mean square of each element."""
        return self.variance + self.ways.square().sum(0)

    def times(self, factor: Tensor, square: Tensor) -> Seed:
        """After multiplication by numbers of mean ``factor`` and mean square ``square``."""
        ways = self.ways * factor
        return Seed(ways, (self.square * square - ways.square().sum(0)).clamp(min=0), self.common)

    @classmethod
    def sum(cls, seeds: Sequence[Seed]) -> Seed:
        """Several that reach one value; their ways are the same, the rest is independent."""
        if len(seeds) == 1:
            return seeds[0]
        going = [seed for seed in seeds if seed.ways.shape[0]] or seeds[:1]
        ways = sum_of(seed.ways for seed in going)
        return cls(ways, sum_of(seed.variance for seed in seeds), going[0].common)


@dataclass(frozen=True, eq=False)
class Cotangent:
    """A gradient as a sum of independent parts, each of which may still be a function of a Gaussian.

    Attributes:
        parts: for each seed, by what it is multiplied at the nodes of ``base``; None for 1. Parts of one seed that
            came down different ways, as through ``x`` and ``sigmoid(x)`` of ``x * sigmoid(x)``, are added before they
            are squared.
        base: whose nodes; None where nothing is multiplied.
    """

    parts: dict[Seed, Tensor | None]
    base: Base | None = None

    @classmethod
    def of(cls, seed: Seed) -> Cotangent:
        """One with a single part."""
        return cls({seed: None})

    def times(self, slope: Tensor, base: Base) -> Cotangent:
        """What arrives below an elementwise function of that slope at the nodes of ``base``."""
        inner = self if self.base is None or self.base is base else self.collapsed()
        return Cotangent({seed: slope if by is None else by * slope for seed, by in inner.parts.items()}, base)

    def collapsed(self) -> Cotangent:
        """The same as one part, no longer a function of anything."""
        return Cotangent({self.seed: None})

    @property
    def seed(self) -> Seed:
        """The whole as one part."""
        return Seed.sum([self._alone(seed, by) for seed, by in self.parts.items()])

    def _alone(self, seed: Seed, by: Tensor | None) -> Seed:
        if by is None:
            return seed
        if self.base is None:
            return seed.times(by, by.square())
        return seed.times(self.base.mean(by), self.base.mean(by.square()))

    @property
    def square(self) -> Tensor:
        """Mean square of the gradient of each element."""
        return self.seed.square


def sum_of(tensors: Iterable[Tensor]) -> Tensor:
    """The sum of at least one tensor."""
    first, *others = tensors
    for other in others:
        first = first + other
    return first


def added(one: Cotangent | None, other: Cotangent | None) -> Cotangent | None:
    """Gradients that reach a value by two ways."""
    if one is None or other is None:
        return one or other
    if one.base is not None and other.base is not None and one.base is not other.base:
        one, other = one.collapsed(), other.collapsed()
    base = one.base or other.base
    once = torch.ones((), dtype=torch.float64) if base is None else torch.ones_like(base.weights)
    parts = dict(one.parts)
    for seed, by in other.parts.items():
        if seed in parts:
            before = parts[seed]
            parts[seed] = (once if before is None else before) + (once if by is None else by)
        else:
            parts[seed] = by
    return Cotangent(parts, base)


def transposed(
    outputs: Sequence[tuple[Tensor, Tensor]], inputs: Sequence[tuple[Tensor, Tensor]], seeds: Sequence[Seed]
) -> list[Cotangent]:
    """What linear operations, done to means and to variances by autograd, send down to their inputs.

    Args:
        outputs: means and variances that were computed.
        inputs: the means and variances that they were computed from.
        seeds: the gradients at the outputs.
    """
    means, variances = [mean for mean, _ in outputs], [variance for _, variance in outputs]
    above = [seed.ways.expand(-1, *mean.shape) for seed, mean in zip(seeds, means, strict=True)]
    rest = [seed.variance.expand_as(variance) for seed, variance in zip(seeds, variances, strict=True)]
    sources = [variance for _, variance in inputs]
    down = torch.autograd.grad(variances, sources, rest, retain_graph=True, materialize_grads=True, allow_unused=True)
    if not above[0].shape[0]:
        return [without_ways(variance) for variance in down]
    ways = torch.autograd.grad(
        means,
        [mean for mean, _ in inputs],
        above,
        retain_graph=True,
        materialize_grads=True,
        allow_unused=True,
        is_grads_batched=True,
    )
    common = seeds[0].common
    return [Cotangent.of(Seed(way, variance, common)) for way, variance in zip(ways, down, strict=True)]


def without_ways(variance: Tensor) -> Cotangent:
    """A gradient of which only the mean square of each element is known."""
    return Cotangent.of(Seed(variance.new_zeros(0, *variance.shape), variance))
