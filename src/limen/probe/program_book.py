"""What the modules and the graph of the first steps tell of a training: dropouts, normalisations, layers in a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]
from torch.nn.modules.dropout import _DropoutNd  # pyright: ignore[reportPrivateUsage]
from torch.nn.modules.instancenorm import _InstanceNorm  # pyright: ignore[reportPrivateUsage]

from limen.anatomy import Passage, dropped_by, passages
from limen.probe.directory import Directory
from limen.probe.eyes import Eyes
from limen.probe.identity import ByIdentity
from limen.vitals import Dropout, Interposed, Normalisation, Program, Untrained

__all__ = ["ProgramBook"]

STEPS = 5  # that are read; what a program does is the same in all of them
MOST = 1_024  # modules of each kind

OnPart = Callable[[nn.Module, tuple[Any, ...]], None]
Name = tuple[str, str]  # model and path


@dataclass(eq=False)
class Drop:
    """A dropout in training mode."""

    name: Name
    share: float
    kind: str
    width: int


@dataclass(eq=False)
class Norm:
    """A normalisation; ``now`` is the fewest values of the current step, ``values`` those of the steps before."""

    name: Name
    kind: str
    trains: bool
    untouched: bool
    dropped: float
    now: int
    values: int = 0


class ProgramBook:
    """Filled over the first steps that are looked at, of modules as they are called and of graphs as they are read.

    Args:
        directory: what modules are called.
        eyes: what tells of modules, until enough steps were read.
        on_part: whom they tell, and who hands it on to ``hear``.
    """

    def __init__(self, directory: Directory, eyes: Eyes, on_part: OnPart) -> None:
        self._directory = directory
        self._eyes = eyes
        eyes.on_part = on_part
        self._steps = 0
        self._drops: ByIdentity[Drop] = ByIdentity()
        self._norms: ByIdentity[Norm] = ByIdentity()
        self._pairs: list[tuple[Name, Name]] = []
        self._interposed: list[tuple[str, Name, Name, bool]] = []

    def hear(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """A module of a training pass is called."""
        if isinstance(module, _DropoutNd):
            if module.training and module not in self._drops and len(self._drops) < MOST:
                width = width_of(args)
                self._drops.put(
                    module, Drop(self._directory.module(module), float(module.p), type(module).__name__, width)
                )
        elif isinstance(module, NORMS) and args and isinstance(args[0], Tensor):
            self._hear_norm(module, args[0])

    def _hear_norm(self, module: nn.Module, data: Tensor) -> None:
        values, known = values_of(module, data), self._norms.get(module)
        if known is not None:
            known.now = min(known.now, values) if known.now else values
        elif values and len(self._norms) < MOST:
            trains, untouched = uses_batch(module), is_untouched(module)
            name, kind = self._directory.module(module), type(module).__name__
            self._norms.put(module, Norm(name, kind, trains, untouched, dropped_by(data.grad_fn), values))

    def read(self, parents: dict[Any, list[Any]]) -> None:
        """Learn from the nodes of a backward pass what stands between layers that follow each other."""
        for passage in passages(parents):
            self._enter(passage)

    def _enter(self, passage: Passage) -> None:
        before, behind = self._layer(passage.before), self._layer(passage.behind)
        if before is None or behind is None:
            return
        if passage.function:
            found = (passage.function, before, behind, passage.norm)
            if found not in self._interposed and len(self._interposed) < MOST:
                self._interposed.append(found)
        elif not passage.meant and (before, behind) not in self._pairs and len(self._pairs) < MOST:
            self._pairs.append((before, behind))

    def close_step(self) -> None:
        """A step that was looked at has ended."""
        if self._eyes.on_part is None:
            return
        self._steps += 1
        if self._steps >= STEPS:
            self._eyes.on_part = None
        for norm in self._norms.values():
            norm.values, norm.now = max(norm.values, norm.now), 0

    def vitals(self, untrained: tuple[Untrained, ...] = ()) -> Program:
        """What is known, as values, beside the parameters that no update reaches."""
        full = self._directory.full
        return Program(
            dropouts=tuple(Dropout(full(one.name), one.share, one.kind, one.width) for one in self._drops.values()),
            norms=tuple(
                Normalisation(
                    full(one.name), one.kind, max(one.values, one.now), one.trains, one.untouched, one.dropped
                )
                for one in self._norms.values()
            ),
            untrained=untrained,
            unseparated=tuple(tuple(map(full, chain)) for chain in chains(self._pairs)),
            interposed=tuple(
                Interposed(function, full(before), full(behind), norm)
                for function, before, behind, norm in self._interposed
            ),
        )

    def _layer(self, weight: Tensor) -> Name | None:
        named = self._directory.tensor(weight)
        if named is None:
            return None
        path = named[1].partition(".parametrizations.")[0]
        return (named[0], path if path != named[1] else named[1].rpartition(".")[0] or named[1])


NORMS = (_BatchNorm, _InstanceNorm, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)


def width_of(args: tuple[Any, ...]) -> int:
    """Values of one sample in what a module is given; 0 where that is not told."""
    data = args[0] if args else None
    return math.prod(data.shape[1:]) if isinstance(data, Tensor) and data.ndim > 1 and not data.is_nested else 0


def values_of(module: nn.Module, data: Tensor) -> int:
    """Values that one mean and variance are taken of; 0 where that is not told."""
    if data.is_nested or not data.ndim:
        return 0
    if isinstance(module, _InstanceNorm):
        return math.prod(data.shape[2 if data.ndim > module_rank(module) else 1 :])
    if isinstance(module, _BatchNorm):
        return data.numel() // data.shape[1] if data.ndim > 1 and data.shape[1] else 0
    if isinstance(module, nn.GroupNorm):
        return math.prod(data.shape[1:]) // module.num_groups
    shape = getattr(module, "normalized_shape", ())
    return math.prod(shape)


def module_rank(module: nn.Module) -> int:
    """Axes of what an instance normalisation is given without a batch."""
    digits = [int(letter) for letter in type(module).__name__ if letter.isdigit()]
    return digits[0] + 1 if digits else 3


def uses_batch(module: nn.Module) -> bool:
    """Whether a normalisation takes its statistics of what it is given."""
    return module.training or getattr(module, "running_mean", None) is None


@torch.no_grad()
def is_untouched(module: nn.Module) -> bool:
    """Whether running statistics are as they were made. Read only where they are used in place of the batch's."""
    if uses_batch(module):
        return False
    mean, variance = getattr(module, "running_mean", None), getattr(module, "running_var", None)
    known = isinstance(mean, Tensor) and isinstance(variance, Tensor) and not mean.is_meta
    return known and bool((mean == 0.0).all()) and bool((variance == 1.0).all())


def chains(pairs: Iterable[tuple[Name, Name]]) -> list[tuple[Name, ...]]:
    """Pairs of which one begins where another ends, as chains."""
    found: list[list[Name]] = []
    for before, behind in pairs:
        chain = next((chain for chain in found if chain[-1] == before), None)
        if chain is not None and behind not in chain:
            chain.append(behind)
        else:
            found.append([before, behind])
    return [tuple(chain) for chain in found]
