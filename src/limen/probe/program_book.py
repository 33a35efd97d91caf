"""What the modules and the graph of the first steps tell of a training: dropouts, normalisations, layers in a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd  # pyright: ignore[reportPrivateUsage]

from limen.anatomy import Passage, dropped_by, passages
from limen.probe.directory import Directory
from limen.probe.eyes import Eyes
from limen.probe.identity import ByIdentity
from limen.probe.norm_record import NORMS, Name, Norm, is_untouched, samples_of, uses_batch, values_of
from limen.vitals import Dropout, Interposed, Program, Untrained

__all__ = ["ProgramBook"]

STEPS = 5  # that are read; what a program does is the same in all of them
MOST = 1_024  # modules of each kind

OnPart = Callable[[nn.Module, tuple[Any, ...]], None]


@dataclass(eq=False)
class Drop:
    """A dropout in training mode."""

    name: Name
    share: float
    kind: str
    width: int


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
        self._pairs: dict[tuple[Name, Name], bool] = {}  # and whether a pooling is between
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
        values, samples, known = values_of(module, data), samples_of(module, data), self._norms.get(module)
        if known is not None:
            known.hear(values, samples)
        elif values and len(self._norms) < MOST:
            trains, untouched = uses_batch(module), is_untouched(module)
            name, kind = self._directory.module(module), type(module).__name__
            known = Norm(name, kind, trains, untouched, dropped_by(data.grad_fn), values, samples)
            self._norms.put(module, known)
        if known is not None:
            known.read(module, samples)

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
            self._pairs[before, behind] = passage.loose

    def close_step(self) -> None:
        """A step that was looked at has ended."""
        if self._eyes.on_part is None:
            return
        for norm in self._norms.values():
            norm.close_step()
        if self._steps + 1 >= STEPS:
            self._read_last()
            self._eyes.on_part = None
        self._steps += 1

    def _read_last(self) -> None:
        """Take down where the averages stand after the last pass that is read."""
        for module in self._norms.things():
            norm = self._norms.get(module)
            if norm is not None:
                norm.read(module, norm.samples)

    def vitals(self, untrained: tuple[Untrained, ...] = ()) -> Program:
        """What is known, as values, beside the parameters that no update reaches."""
        full = self._directory.full
        close = [pair for pair, loose in self._pairs.items() if not loose]
        return Program(
            dropouts=tuple(Dropout(full(one.name), one.share, one.kind, one.width) for one in self._drops.values()),
            norms=tuple(one.vitals(full(one.name)) for one in self._norms.values()),
            untrained=untrained,
            unseparated=tuple(tuple(map(full, chain)) for chain in chains(close)),
            barely=tuple(tuple(map(full, chain)) for chain in chains(self._pairs)),
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


def width_of(args: tuple[Any, ...]) -> int:
    """Values of one sample in what a module is given; 0 where that is not told."""
    data = args[0] if args else None
    return math.prod(data.shape[1:]) if isinstance(data, Tensor) and data.ndim > 1 and not data.is_nested else 0


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
