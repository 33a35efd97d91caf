"""What is known of the gradient at a value: the mirror image of its state, on the way down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.theory.prediction.state import Base

__all__ = ["Cotangent", "Seed", "added"]


@dataclass(frozen=True, eq=False)
class Seed:
    """Mean and variance of the gradient of each element, over the samples and the random output cotangent.

    Attributes:
        mean: in the shape of the value's state.
        variance: likewise.
        balanced: whether the gradients of a batch sum to 0, as below a normalisation over it: then what the samples
            have in common leaves no trace in the gradient of a weight.
    """

    mean: Tensor
    variance: Tensor
    balanced: bool = False


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
    def of(cls, mean: Tensor, variance: Tensor, *, balanced: bool = False) -> Cotangent:
        """One with a single part."""
        return cls({Seed(mean, variance, balanced): None})

    def times(self, slope: Tensor, base: Base) -> Cotangent:
        """What arrives below an elementwise function of that slope at the nodes of ``base``."""
        inner = self if self.base is None or self.base is base else self.collapsed()
        return Cotangent({seed: slope if by is None else by * slope for seed, by in inner.parts.items()}, base)

    def collapsed(self) -> Cotangent:
        """The same as one part, no longer a function of anything."""
        seed = self.seed
        return Cotangent({seed: None})

    @property
    def seed(self) -> Seed:
        """Mean and variance of the whole."""
        if len(self.parts) == 1 and None in self.parts.values():
            return next(iter(self.parts))
        moments = [self._moments(seed, by) for seed, by in self.parts.items()]
        if len(moments) == 1:
            return Seed(*moments[0])
        return Seed(sum_of(mean for mean, _ in moments), sum_of(variance for _, variance in moments))

    def _moments(self, seed: Seed, by: Tensor | None) -> tuple[Tensor, Tensor]:
        if by is None:
            return seed.mean, seed.variance
        if self.base is None:
            return seed.mean * by, seed.variance * by.square()
        slope, square = self.base.mean(by), self.base.mean(by.square())
        mean = seed.mean * slope
        return mean, square * (seed.variance + seed.mean.square()) - mean.square()

    @property
    def square(self) -> Tensor:
        """Mean square of the gradient of each element."""
        seed = self.seed
        return seed.variance + seed.mean.square()


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
