"""What a backward pass leads to: the tensors that a training by hand moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from limen.anatomy import parents_of, user_frame
from limen.probe.directory import Directory

__all__ = ["Leaves"]


class Leaves:
    """The leaves of the graph that was read last, as far as the forward pass tells their order.

    Attributes:
        tensors: nearest the input first.
    """

    def __init__(self, directory: Directory) -> None:
        self.tensors: list[Tensor] = []
        self._directory = directory

    def read(self, roots: Sequence[Tensor]) -> dict[Any, list[Any]]:
        """Walk the graph of a backward pass, and remember and name the leaves it ends in; returns its nodes."""
        parents = parents_of(*(root.grad_fn for root in roots if root.grad_fn is not None))
        leaves = [node.variable for node in parents if getattr(node, "variable", None) is not None]
        self.tensors = leaves[::-1]  # the walk began at the loss
        self._directory.name_loose(self.tensors, user_frame())
        return parents
