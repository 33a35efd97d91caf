"""Weights that products use and no edge of a graph leads to plainly: frozen ones, and one of several in a tensor."""

from __future__ import annotations

from contextlib import suppress

from torch import Tensor, nn

from limen.anatomy.axes import CARRIERS, Node, operation

__all__ = ["frozen_at", "hides_a_weight"]

KEPT = {  # by operation, the place of the weight among the inputs and what the node calls it
    "Convolution": (1, "_raw_saved_weight"),
    "LinearBackward": (1, "_raw_saved_weight"),
    "MkldnnLinear": (1, "_raw_saved_weight"),
    "AddmmBackward": (2, "_raw_saved_mat2"),
    "MmBackward": (1, "_raw_saved_mat2"),
    "BmmBackward": (1, "_raw_saved_mat2"),
}
PARTS = (*CARRIERS, "Select", "Slice", "Index", "Unbind", "Split", "Chunk")
ALWAYS_WEIGHTS = ("Convolution", "LinearBackward", "MkldnnLinear", "AddmmBackward")


def frozen_at(node: Node) -> tuple[Tensor, bool] | None:
    """The frozen parameter that a product multiplies with, and whether it is transposed for that; None for no such.

    Nothing is unpacked: hooks of the script on saved tensors stay still.
    """
    name = kept_name(node)
    if name is None:
        return None
    factor: object = None
    with suppress(RuntimeError):  # the graph was freed
        factor = getattr(getattr(node, name, None), "data", None)
    if isinstance(factor, nn.Parameter):
        return factor, False
    base = factor._base if isinstance(factor, Tensor) else None
    if isinstance(factor, Tensor) and isinstance(base, nn.Parameter) and is_transposed(factor, base):
        return base, True
    return None


def is_transposed(factor: Tensor, base: Tensor) -> bool:
    """Whether a view of a matrix is its transpose."""
    return base.ndim == 2 and factor.shape == base.mT.shape and factor.stride() == base.stride()[::-1]


def hides_a_weight(node: Node) -> bool:
    """Whether a product has a weight that cannot be told: a cast of a frozen one, or one expert's out of many."""
    place = next((place for start, (place, _) in KEPT.items() if operation(node).startswith(start)), None)
    if place is None or place >= len(node.next_functions):
        return False
    edge = node.next_functions[place][0]
    return operation(node).startswith(ALWAYS_WEIGHTS) if edge is None else is_part_of_a_leaf(edge)


def is_part_of_a_leaf(edge: Node) -> bool:
    """Whether an edge leads to entries of one leaf only, through views and casts."""
    for _ in range(8):
        if hasattr(edge, "variable"):
            return True
        if not operation(edge).startswith(PARTS) or edge.next_functions[0][0] is None:
            return False
        edge = edge.next_functions[0][0]
    return False


def kept_name(node: Node) -> str | None:
    """What a product calls the factor to which no edge leads; None where there is one, and for other nodes."""
    kept = next((kept for start, kept in KEPT.items() if operation(node).startswith(start)), None)
    if kept is None or kept[0] >= len(node.next_functions) or node.next_functions[kept[0]][0] is not None:
        return None
    return kept[1]
