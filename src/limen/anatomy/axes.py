"""Following the units through a graph: along which axis they lie before and after each of its nodes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

__all__ = ["Node", "Shape", "Units", "kind", "number_of", "operation", "shape_of"]

Node = Any  # torch.autograd.graph.Node, whose subclasses have no stubs
Shape = tuple[int, ...]

RESHAPES = ("View", "UnsafeView", "ReshapeAlias", "Unsqueeze", "Squeeze", "UnsafeReshape")
TURNS = ("TBackward", "Transpose", "Permute")
COPIES = ("ToCopy", "Clone", "Contiguous", "Alias", "NativeDropout")
PRODUCTS = ("MulBackward", "Expand")  # entry by entry, with broadcasting
REDUCTIONS = ("MeanBackward1", "SumBackward1", "Amax", "MaxBackward0", "SelectBackward")
CUTS = ("SliceBackward", "Split", "UnsafeSplit")
POOLS = ("MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool", "MkldnnMaxPool", "MkldnnAdaptiveAvgPool",
         "ReflectionPad", "ReplicationPad", "Upsample")  # fmt: skip
CARRIERS = (*RESHAPES, *TURNS, "ToCopy", "Expand")
SEE_THROUGH = (*RESHAPES, *TURNS, *COPIES, *PRODUCTS, *REDUCTIONS, *CUTS, *POOLS, "ConstantPadNd")


def kind(node: Node) -> str:
    """Class name of a graph node, for instance ``AddmmBackward0``."""
    return type(node).__name__


def number_of(node: Node | None) -> int | None:
    """What tells a graph node from the others of a thread; the node itself would keep its activations alive."""
    return None if node is None else node._sequence_nr()


def operation(node: Node) -> str:
    """``kind`` of a node of torch's own; empty for a user's ``autograd.Function``, whose name means nothing."""
    return "" if isinstance(node, torch.autograd.function.BackwardCFunction) else kind(node)


def shape_of(node: Node, output: int = 0) -> Shape | None:
    """The shape of what a node made, or of the leaf behind it; None where the graph does not tell.

    A nested tensor of the older kind has none: asked for it, torch raises.
    """
    variable = getattr(node, "variable", None)
    if variable is not None:
        return None if variable.is_nested and variable.layout is torch.strided else sizes_of(variable.shape)
    outputs = getattr(node, "_input_metadata", ())
    if output >= len(outputs) or outputs[output].is_cpp_nested_tensor:
        return None
    return sizes_of(outputs[output].shape)


def sizes_of(shape: Sequence[int | torch.SymInt]) -> Shape | None:
    """A shape in numbers; a compiler takes an axis of any length (a SymInt) for that of its example, if it has one."""
    sizes: list[Any] = [size if isinstance(size, int) else getattr(size.node, "hint", None) for size in shape]
    return None if None in sizes else tuple(sizes)


@dataclass(frozen=True)
class Units:
    """Where the units of a tensor lie.

    Attributes:
        count: number of units.
        axis: from 0.
        width: consecutive entries of that axis for each unit: 1, or the pixels of a flattened convolution.
    """

    count: int
    axis: int
    width: int = 1

    def fit(self, shape: Shape) -> bool:
        """Whether a tensor of this shape can hold them so."""
        return 0 <= self.axis < len(shape) and shape[self.axis] == self.count * self.width

    def after(self, node: Node, before: Shape, after: Shape) -> Units | None:
        """Where they lie in what a node makes of them; None where it mixes them or its kind is not known."""
        name = operation(node)
        moved = None
        if name.startswith(RESHAPES):
            moved = self.reshaped(before, after)
        elif name.startswith(TURNS):
            order = order_of(node, len(before))
            moved = self.at(order.index(self.axis)) if order is not None else None
        elif name.startswith((*COPIES, *PRODUCTS)):
            moved = self.broadcast(before, after)
        elif name.startswith(REDUCTIONS):
            moved = self.reduced(node, before)
        elif name.startswith((*CUTS, "ConstantPadNd")):
            moved = self  # unless it cuts the units themselves: then they do not fit
        elif name.startswith(POOLS):
            digits = re.search(r"(\d)D", name, re.IGNORECASE)
            moved = self if digits is not None and self.axis < len(before) - int(digits[1]) else None
        return moved if moved is not None and moved.fit(after) else None

    def at(self, axis: int) -> Units:
        """The same units along another axis."""
        return Units(self.count, axis, self.width)

    def reshaped(self, before: Shape, after: Shape) -> Units | None:
        """Where they lie once the same entries, in the same order, have another shape."""
        outer = math.prod(before[: self.axis])
        inner = self.width * math.prod(before[self.axis + 1 :])
        for axis, size in enumerate(after):
            each, rest = divmod(size, max(self.count, 1))
            if math.prod(after[:axis]) == outer and not rest and each and inner % each == 0:
                return Units(self.count, axis, each)
        return None

    def broadcast(self, before: Shape, after: Shape) -> Units | None:
        """Where they lie in a result of several tensors entry by entry: axes are matched from the last one."""
        moved = self.at(self.axis + len(after) - len(before))
        return moved if moved.fit(after) else None

    def reduced(self, node: Node, before: Shape) -> Units | None:
        """Where they lie once other axes have been summed up or picked from."""
        saved = getattr(node, "_saved_dim", None)
        dims = {
            signed(dim) % len(before) for dim in (saved if isinstance(saved, Sequence) else (saved,)) if dim is not None
        }
        if not dims or self.axis in dims:
            return None
        keeps = bool(getattr(node, "_saved_keepdim", False))
        return self if keeps else self.at(self.axis - sum(dim < self.axis for dim in dims))


def order_of(node: Node, ndim: int) -> list[int] | None:
    """For each axis of the result of a transposition, the axis of its input; None where the graph does not tell."""
    name = operation(node)
    if name.startswith("TBackward"):
        return list(range(ndim))[::-1]
    if name.startswith("Permute"):
        order = [signed(dim) % ndim for dim in getattr(node, "_saved_dims", ())]
        return order if len(order) == ndim else None
    one, two = getattr(node, "_saved_dim0", None), getattr(node, "_saved_dim1", None)
    if one is None or two is None:
        return None
    order = list(range(ndim))
    if order:
        one, two = signed(one) % ndim, signed(two) % ndim
        order[one], order[two] = two, one
    return order


def signed(value: int) -> int:
    """A dimension as torch saves it: negative ones come back as unsigned 64-bit numbers."""
    return value - 2**64 if value >= 2**63 else value
