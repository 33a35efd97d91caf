"""What a training program does, read from its objects: no statistics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["Dropout", "Interposed", "Normalisation", "Program", "Scale", "Untrained"]


@dataclass(frozen=True)
class Scale:
    """The size of the entries of a tensor.

    Attributes:
        mean: of all entries.
        std: of all entries.
        low: the smallest entry.
        high: the largest entry.
        width: length of its last axis; 1 for a vector of single numbers.
    """

    mean: float
    std: float
    low: float
    high: float
    width: int = 1

    @property
    def root_mean_square(self) -> float:
        """Of all entries."""
        return math.hypot(self.mean, self.std)


@dataclass(frozen=True)
class Dropout:
    """One module that drops values while it trains.

    Attributes:
        name: dotted path.
        share: of values dropped, in [0, 1].
        kind: class name, for instance ``Dropout2d``; ``dropout`` for a call of the function.
        width: values of one sample that it could drop; 0 where unknown.
    """

    name: str
    share: float
    kind: str
    width: int = 0


@dataclass(frozen=True)
class Normalisation:
    """One normalisation as it was used in training steps.

    Attributes:
        name: dotted path.
        kind: class name, for instance ``BatchNorm1d``.
        values: fewest values that one mean and variance were taken of in a training step; of the first steps, the one
            with the most, since the last batch of an epoch may be small.
        trains: False where it uses running statistics during training steps, as in evaluation mode.
        untouched: True where these are as they were made, mean 0 and variance 1, so that it normalises nothing.
        dropped: share of what it is given that a dropout directly before it has dropped; 0 where there is none.
        samples: fewest samples that one mean and variance of a batch normalisation were taken over, as ``values``;
            0 for any other. Each sample has as many values, for instance its pixels.
        independent: of how many independent values a mean would scatter as much from batch to batch as those of the
            first steps did; None where that was not measured, for instance since there are many samples.
    """

    name: str
    kind: str
    values: int
    trains: bool
    untouched: bool = False
    dropped: float = 0.0
    samples: int = 0
    independent: float | None = None


@dataclass(frozen=True)
class Interposed:
    """A function between two layers of weights that is no activation of the catalogue.

    Attributes:
        function: ``exp``, ``sinh``, ``cosh``, ``pow`` with an exponent of 2 and more, or ``softmax`` over the units.
        before: dotted path of the layer whose output it is applied to.
        behind: dotted path of the layer that reads its result.
        norm: True where a normalisation stands between ``before`` and the function.
    """

    function: str
    before: str
    behind: str
    norm: bool


@dataclass(frozen=True)
class Untrained:
    """A parameter of a trained model that no update reaches.

    Attributes:
        name: dotted path of the parameter.
        layer: dotted path of the module that holds it.
        entries: how many numbers it holds.
        reason: ``no-optimiser``: it receives gradients, and no optimiser holds it; ``no-gradient``: an optimiser
            holds it, and no backward pass has ever reached it.
        as_drawn: True where it looks as torch's own initialisation draws it, so that nothing has trained it before.
    """

    name: str
    layer: str
    entries: int
    reason: Literal["no-optimiser", "no-gradient"]
    as_drawn: bool


@dataclass(frozen=True)
class Program:
    """What the objects of a training tell.

    Attributes:
        dropouts: in forward order.
        norms: in forward order.
        untrained: in the order of the model's parameters; those that do not require gradients are not among them.
        unseparated: chains of linear layers, in forward order, that follow each other with no activation between, and
            of which this is not known to be meant.
        barely: the same, also with pooling or batch normalisation between, which are not quite linear.
        interposed: in forward order.
    """

    dropouts: tuple[Dropout, ...] = ()
    norms: tuple[Normalisation, ...] = ()
    untrained: tuple[Untrained, ...] = ()
    unseparated: tuple[tuple[str, ...], ...] = ()
    barely: tuple[tuple[str, ...], ...] = ()
    interposed: tuple[Interposed, ...] = ()
