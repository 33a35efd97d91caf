"""What a backward pass leads to: the tensors that a training by hand moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from limen.anatomy import live_optimisers, parents_of, user_frame
from limen.probe.directory import Directory
from limen.probe.optimiser_book import tensors_of
from limen.probe.unseen import TRANSFORMED, Scripted, obstacles_in, unexplained_in

__all__ = ["Leaves"]


class Leaves:
    """The leaves of the graph that was read last, as far as the forward pass tells their order.

    Attributes:
        tensors: nearest the input first.
        obstacles: why something in the graphs read so far is not seen.
        scripted: the parts that TorchScript runs.
        unexplained: what to say of the first graph, should no activation function ever be seen.
    """

    def __init__(self, directory: Directory) -> None:
        self.tensors: list[Tensor] = []
        self.obstacles: set[str] = set()
        self.unexplained = ""
        self.scripted = Scripted(directory)
        self._is_first = True
        self._directory = directory

    @property
    def have_optimiser(self) -> bool:
        """Whether an optimiser exists that is to move one of them. Looks through every object once: call rarely."""
        own = {id(tensor) for tensor in self.tensors}
        return any(id(held) in own for optimiser in live_optimisers() for held in tensors_of(optimiser))

    def unseen(self, *, transformed: bool, nothing: bool) -> list[str]:
        """What of the training could not be seen, and why.

        Args:
            transformed: whether there were forward passes within torch.func.
            nothing: whether no activation function was seen at all, for no reason that is known.
        """
        known = [*sorted(self.obstacles), *[TRANSFORMED] * transformed, *filter(None, [self.scripted.remark])]
        return known or [self.unexplained] * (nothing and bool(self.unexplained))

    def read(self, roots: Sequence[Tensor]) -> dict[Any, list[Any]]:
        """Walk the graph of a backward pass, and remember and name the leaves it ends in; returns its nodes."""
        parents = parents_of(*(root.grad_fn for root in roots if root.grad_fn is not None))
        leaves = [node.variable for node in parents if getattr(node, "variable", None) is not None]
        self.tensors = leaves[::-1]  # the walk began at the loss
        self.obstacles |= obstacles_in(parents)
        if self._is_first:
            self.unexplained, self._is_first = unexplained_in(parents), False
        self._directory.name_loose(self.tensors, user_frame())
        return parents
