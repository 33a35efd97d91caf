"""What the eyes report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from limen.activations import Activation
from limen.anatomy import Applied

__all__ = ["Recurring", "Seen"]


class Seen:
    """One application of an activation function, before it runs.

    Attributes:
        activation: the catalogue entry.
        z: the pre-activation, untouched as yet.
        owner: the innermost module being called; None outside of any module.
        root: the outermost one; None outside of any module.
        call: how often this owner has applied this function in this forward pass, from 1.
        applied: where it is compiled, what is known of it from the captured graph, and the inputs of that graph.
    """

    __slots__ = ("activation", "applied", "call", "owner", "root", "z")

    def __init__(
        self,
        activation: Activation,
        z: Tensor,
        owner: nn.Module | None,
        root: nn.Module | None,
        call: int,
        applied: tuple[Applied, Sequence[Any]] | None = None,
    ) -> None:
        self.activation = activation
        self.z = z
        self.owner = owner
        self.root = root
        self.call = call
        self.applied = applied


class Recurring(NamedTuple):
    """A call of one of torch's recurrent layers or cells, with its arguments by position, from within some modules."""

    function: Any
    arguments: tuple[Any, ...]
    owner: nn.Module | None
    root: nn.Module | None
