"""Reading the autograd graph of one training step: what feeds a site, what reads it, and what it leads to.

The graph that torch records for the backward pass already knows which weights make a pre-activation, over which
axis their units lie, and which weights read the output. Nothing has to be guessed from shapes or module names.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

__all__ = ["Origin", "Reader", "leads_to_weights", "origin_of", "parents_of", "readers_of"]

Node = Any  # torch.autograd.graph.Node, whose subclasses have no stubs

WEIGHTED = ("Addmm", "Mm", "Bmm", "Baddbmm", "Addbmm", "Convolution", "SlowConv", "Mv", "Addmv", "Linear", "Embedding")
NORMS = ("NativeBatchNorm", "CudnnBatchNorm", "NativeLayerNorm", "NativeGroupNorm", "FusedRmsNorm", "BatchNorm")
CARRIERS = ("TBackward", "Transpose", "ToCopy", "View", "Unsqueeze", "Expand", "UnsafeView", "Permute", "Reshape")
SEE_THROUGH = (*CARRIERS, "NativeDropout", "MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool", "Mul", "Squeeze",
               "MkldnnMaxPool", "Clone", "Contiguous", "Alias", "Mean", "Slice", "Select")  # fmt: skip
FARTHEST = 400  # nodes visited before an origin is given up


@dataclass(frozen=True, eq=False)
class Origin:
    """What makes a pre-activation.

    Attributes:
        weight: the nearest weight upstream, a leaf; None where none is near.
        unit_axis: the axis of ``weight`` along which its units lie.
        bias: ``[units]`` leaf added to its product; None where there is none.
        norm: ``(scale, shift)`` leaves of a normalisation in between, or None.
        axis: the unit axis of the pre-activation.
        direct: True when nothing but a normalisation, a view or the bias stands in between.
        through: kinds of the graph nodes in between, nearest the pre-activation first.
    """

    weight: Tensor | None
    unit_axis: int
    bias: Tensor | None
    norm: tuple[Tensor | None, Tensor | None] | None
    axis: int
    direct: bool
    through: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Reader:
    """A weight that reads an output; ``input_axis`` is the axis of ``weight`` that meets the units."""

    weight: Tensor
    input_axis: int


def kind(node: Node) -> str:
    """Class name of a graph node, for instance ``AddmmBackward0``."""
    return type(node).__name__


def inputs(node: Node) -> list[Node]:
    """The nodes that made the inputs of ``node``."""
    return [before for before, _ in node.next_functions if before is not None]


def leaf_of(node: Node | None) -> tuple[Tensor, bool] | None:
    """The leaf tensor that reaches this edge through casts and transposes only, and whether it was transposed."""
    turned = False
    for _ in range(5):
        if node is None:
            return None
        variable = getattr(node, "variable", None)
        if variable is not None:
            return variable, turned
        if not kind(node).startswith(CARRIERS):
            return None
        turned ^= kind(node).startswith(("TBackward", "Transpose", "Permute"))
        node = node.next_functions[0][0]
    return None


def weight_of(node: Node) -> tuple[Tensor, int] | None:
    """The weight leaf of a product or convolution and the axis of its units, or None for another node."""
    name = kind(node)
    if not name.startswith(WEIGHTED):
        return None
    for edge, _ in node.next_functions:
        found = leaf_of(edge)
        if found is None or found[0].ndim < 2:
            continue
        leaf, turned = found
        if "Conv" in name:
            return leaf, 1 if getattr(node, "_saved_transposed", False) else 0
        # F.linear multiplies by the transposed weight, `x @ w` by the weight itself
        return leaf, 0 if turned or name.startswith("Linear") else leaf.ndim - 1
    return None


def origin_of(z: Tensor) -> Origin:
    """Find what makes ``z`` by walking its graph towards the input, nearest first."""
    plain = Origin(None, 0, None, None, default_axis(z.ndim, convolution=False), direct=False)
    if z.grad_fn is None:
        return plain
    queue: deque[tuple[Node, tuple[Node, ...], bool]] = deque([(z.grad_fn, (), True)])
    seen: set[Node] = set()
    while queue and len(seen) < FARTHEST:
        node, path, direct = queue.popleft()
        if node in seen:
            continue
        seen.add(node)
        found = weight_of(node)
        if found is not None:
            weight, unit_axis = found
            axis = axis_of(z, node, path, weight.shape[unit_axis])
            units = z.shape[axis]
            bias, norm = bias_of(node, path, units), norm_of(path, units)
            return Origin(weight, unit_axis, bias, norm, axis, direct, tuple(map(kind, path)))
        through = direct and (kind(node).startswith((*CARRIERS, *NORMS, "Clone", "Alias")) or is_bias_addition(node))
        for before in inputs(node):
            queue.append((before, (*path, node), through))
    return plain


def is_bias_addition(node: Node) -> bool:
    """Whether a node adds a one-axis leaf, as in ``x @ w + b``."""
    leaves = [found[0] for found in map(leaf_of, inputs(node)) if found is not None]
    return kind(node).startswith("AddBackward") and any(leaf.ndim <= 1 for leaf in leaves)


def default_axis(ndim: int, *, convolution: bool) -> int:
    """The unit axis by rank alone: 1 after a convolution, the last one otherwise."""
    if convolution or ndim >= 4:
        return 1 if ndim >= 3 else 0
    return -1


def axis_of(z: Tensor, node: Node, path: tuple[Node, ...], units: int) -> int:
    """The unit axis of ``z``: the producer's, carried through the transposes on the way."""
    convolution = "Conv" in kind(node)
    axis = default_axis(z.ndim, convolution=convolution) % z.ndim
    for step in reversed(path):
        name = kind(step)
        if name.startswith("Permute"):
            dims = [signed(dim) % z.ndim for dim in step._saved_dims]
            axis = dims.index(axis) if len(dims) == z.ndim and axis in dims else axis
        elif name.startswith("Transpose"):
            one, two = signed(step._saved_dim0) % z.ndim, signed(step._saved_dim1) % z.ndim
            axis = {one: two, two: one}.get(axis, axis)
    if z.shape[axis] != units:
        fitting = [i for i in range(z.ndim - 1, -1, -1) if z.shape[i] == units and i > 0]
        axis = fitting[0] if fitting else axis
    return axis - z.ndim if axis == z.ndim - 1 else axis


def signed(value: int) -> int:
    """A dimension as torch saves it: negative ones come back as unsigned 64-bit numbers."""
    return value - 2**64 if value >= 2**63 else value


def bias_of(node: Node, path: tuple[Node, ...], units: int) -> Tensor | None:
    """The bias of a product: its own operand, or the leaf of an addition on the way to the site."""
    additions = [step for step in path if is_bias_addition(step)]
    for step in (node, *additions):
        for edge in inputs(step):
            found = leaf_of(edge)
            if found is not None and found[0].shape == (units,):
                return found[0]
    return None


def norm_of(path: tuple[Node, ...], units: int) -> tuple[Tensor | None, Tensor | None] | None:
    """Scale and shift of the normalisation nearest the site, or None where there is none."""
    for step in path:
        if kind(step).startswith(NORMS):
            found = [leaf_of(edge) for edge, _ in step.next_functions[1:3]]
            leaves = [leaf[0] if leaf is not None and leaf[0].shape == (units,) else None for leaf in found]
            scale, shift = (*leaves, None, None)[:2]
            return scale, shift
    return None


def parents_of(root: Node) -> dict[Node, list[Node]]:
    """Every node that the backward pass from ``root`` reaches, with the nodes that use its result."""
    parents: dict[Node, list[Node]] = {root: []}
    stack = [root]
    while stack:
        node = stack.pop()
        for before in inputs(node):
            if before not in parents:
                parents[before] = []
                stack.append(before)
            parents[before].append(node)
    return parents


def leads_to_weights(parents: dict[Node, list[Node]], node: Node) -> bool:
    """Whether weights stand between ``node`` and the loss."""
    return any(weight_of(after) is not None for after in downstream(parents, node))


def downstream(parents: dict[Node, list[Node]], node: Node) -> Iterator[Node]:
    """All nodes between ``node`` and the loss, each once."""
    seen: set[Node] = {node}
    stack = list(parents.get(node, ()))
    while stack:
        after = stack.pop()
        if after in seen:
            continue
        seen.add(after)
        yield after
        stack.extend(parents.get(after, ()))


def readers_of(parents: dict[Node, list[Node]], node: Node) -> tuple[Reader, ...]:
    """The weights that read the result of ``node``; empty where something else reads it too.

    Views, pooling and dropout are looked through: they keep a silent unit silent.
    """
    readers: list[Reader] = []
    stack = list(parents.get(node, ()))
    seen: set[Node] = set()
    while stack:
        after = stack.pop()
        if after in seen:
            continue
        seen.add(after)
        found = weight_of(after)
        if found is not None:
            weight, unit_axis = found
            readers.append(Reader(weight, 1 - unit_axis if weight.ndim == 2 else (1 if unit_axis == 0 else 0)))
        elif kind(after).startswith(SEE_THROUGH):
            stack.extend(parents.get(after, ()))
        else:
            return ()
    return tuple(readers)
