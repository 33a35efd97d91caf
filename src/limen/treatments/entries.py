"""Rows and columns of live tensors, and of the optimiser state that belongs to them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Optimizer

__all__ = ["Entries", "Undo", "reset_state", "undo_all", "write"]

Undo = Callable[[], None]

KEPT_STATE = frozenset({"step_size", "ax"})
"""State of a parameter's shape that is no memory of gradients: Rprop's own rates (0 would freeze the entry) and
ASGD's averaged weights."""


@dataclass(frozen=True, eq=False)
class Entries:
    """Some rows or columns of one tensor.

    Attributes:
        tensor: a live parameter.
        axis: the axis that ``index`` counts along.
        index: ``[entries]``, int64, on the CPU.
    """

    tensor: Tensor
    axis: int
    index: Tensor


def write(entries: Entries, values: Tensor | float) -> Undo:
    """Write ``values`` into the entries, in place and unseen by autograd; returns what puts the old ones back."""
    target, index = entries.tensor.detach(), entries.index.to(entries.tensor.device)
    old = target.index_select(entries.axis, index)
    new = values.to(old) if isinstance(values, Tensor) else torch.full_like(old, values)
    target.index_copy_(entries.axis, index, new)

    def undo() -> None:
        target.index_copy_(entries.axis, index, old)

    return undo


def reset_state(entries: Entries, optimisers: Sequence[Optimizer]) -> list[Undo]:
    """Set the state of these entries to 0 in every optimiser: momentum, averages of gradients and of their squares.

    Every state tensor of the parameter's own shape counts, whatever its name. Counts of steps are one number for
    the whole parameter in torch and stay: Adam takes the reset entries for long-known ones whose gradients were 0.
    """
    undos: list[Undo] = []
    for optimiser in optimisers:
        state: dict[str, object] = optimiser.state.get(entries.tensor, {})
        for name, held in state.items():
            if isinstance(held, Tensor) and held.shape == entries.tensor.shape and name not in KEPT_STATE:
                undos.append(write(Entries(held, entries.axis, entries.index), 0.0))
    return undos


def undo_all(undos: Iterable[Undo]) -> Undo:
    """One undo for many, the last change first."""
    kept = tuple(undos)

    def undo() -> None:
        for step in reversed(kept):
            step()

    return undo
