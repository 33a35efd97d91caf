"""What is known of the gradient at a value: the mirror image of its state, on the way down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.theory.prediction.state import Base

__all__ = ["Cotangent", "Seed", "added", "transposed"]


@dataclass(frozen=True, eq=False)
class Seed:
    """The gradient of each element: what all samples have in common, and the variance of the rest.

    With an output cotangent of few independent elements the gradient has as many ways to go, each of which is a vector
    that comes through the weights exactly; what differs between samples is only a variance.

    Attributes:
        shared: ``[ways, *shape]``, in the shape of the value's state; the ways are independent of each other.
        variance: of the rest, in the shape of the value's state.
        balanced: whether the gradients of a batch sum to 0, as below a normalisation over it: then what the samples
            have in common leaves no trace in the gradient of a weight.
    """

    shared: Tensor
    variance: Tensor
    balanced: bool = False

    @property
    def square(self) -> Tensor:
        """Mean square of each element."""
        return self.variance + self.shared.square().sum(0)

    def times(self, factor: Tensor, square: Tensor) -> Seed:
        """After multiplication by numbers of mean ``factor`` and mean square ``square``."""
        shared = self.shared * factor
        return Seed(shared, (self.square * square - shared.square().sum(0)).clamp(min=0))


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
    def of(cls, shared: Tensor, variance: Tensor, *, balanced: bool = False) -> Cotangent:
        """One with a single part."""
        return cls({Seed(shared, variance, balanced): None})

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
        seeds = [self._alone(seed, by) for seed, by in self.parts.items()]
        if len(seeds) == 1:
            return seeds[0]
        return Seed(sum_of(seed.shared for seed in seeds), sum_of(seed.variance for seed in seeds))

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
    above = [seed.shared.expand(-1, *mean.shape) for seed, mean in zip(seeds, means, strict=True)]
    rest = [seed.variance.expand_as(variance) for seed, variance in zip(seeds, variances, strict=True)]
    sources = [variance for _, variance in inputs]
    down = torch.autograd.grad(variances, sources, rest, retain_graph=True, materialize_grads=True, allow_unused=True)
    if not above[0].shape[0]:
        return [Cotangent.of(mean.new_zeros(0, *mean.shape), one) for (mean, _), one in zip(inputs, down, strict=True)]
    shared = torch.autograd.grad(
        means,
        [mean for mean, _ in inputs],
        above,
        retain_graph=True,
        materialize_grads=True,
        allow_unused=True,
        is_grads_batched=True,
    )
    return [Cotangent.of(mean, variance) for mean, variance in zip(shared, down, strict=True)]
