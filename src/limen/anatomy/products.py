"""The nodes of a graph at which weights enter: matrix products, convolutions, embeddings, fused recurrent layers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from torch import Tensor, nn

from limen.anatomy.axes import CARRIERS, Node, Shape, Units, operation, shape_of
from limen.anatomy.frozen import frozen_at

__all__ = ["Product", "leaf_of", "product_of"]

CONVOLUTIONS = ("Convolution", "SlowConv", "ThnnConv", "MkldnnConvolution", "CudnnConvolution", "MiopenConvolution",
                "ConvDepthwise", "MiopenDepthwise")  # fmt: skip
LINEARS = ("LinearBackward", "MkldnnLinear", "MkldnnReorderConv")
FUSED = ("MkldnnRnn", "CudnnRnn", "MiopenRnn")
MATRICES = {  # places of the left and the right operand
    "MmBackward": (0, 1),
    "BmmBackward": (0, 1),
    "MvBackward": (0, 1),
    "AddmmBackward": (1, 2),
    "BaddbmmBackward": (1, 2),
    "AddbmmBackward": (1, 2),
    "AddmvBackward": (1, 2),
}
DEEPEST = 12  # nodes looked through for the leaf behind a weight that is computed, as by weight normalisation


@dataclass(frozen=True, eq=False)
class Product:
    """Where a weight meets data.

    Attributes:
        weight: a leaf, or a parameter that is frozen.
        unit_axis: the axis of ``weight`` along which the units of the result lie.
        input_axis: the axis of ``weight`` that meets the units of the data.
        exact: True when the leaf itself is the factor, False when the factor is computed from it, more than one
            weight is at work or it is frozen.
        units: where the units of the result lie; None where the graph does not tell.
        data: place of the data among the inputs of the node; None where it is not read unit by unit.
        data_axis: the axis of the data that meets the weight, counted from the end; 1 for the channels of a
            convolution.
    """

    weight: Tensor
    unit_axis: int
    input_axis: int
    exact: bool
    units: Units | None
    data: int | None
    data_axis: int


def product_of(node: Node) -> Product | None:
    """What a node multiplies, or None for a node without a weight."""
    name = operation(node)
    if name.startswith(CONVOLUTIONS):
        made = 1 if getattr(node, "_saved_transposed", False) else 0
        return fixed(node, 1, made, 1 - made, result_axis=1, data=0, data_axis=1)
    if name.startswith(LINEARS):
        return fixed(node, 1, 0, 1, result_axis=-1, data=0, data_axis=-1)
    if name.startswith("Embedding"):
        return fixed(node, 0, 1, 0, result_axis=-1, data=None, data_axis=-1)
    if name.startswith("GroupedMm"):  # of several experts, each with a matrix of its own
        return fixed(node, 1, 2, 1, result_axis=-1, data=None, data_axis=-1)
    if name.startswith("Trilinear"):
        return fixed(node, 1, 0, 1, result_axis=-1, data=None, data_axis=-1)
    if name.startswith(FUSED):
        leaves = [found for place in range(1, len(node.next_functions)) if (found := leaf_at(node, place)) is not None]
        weight = next((leaf for leaf in leaves if leaf.ndim >= 2), leaves[0] if leaves else None)
        return None if weight is None else Product(weight, 0, weight.ndim - 1, False, None, None, -1)
    places = next((places for start, places in MATRICES.items() if name.startswith(start)), None)
    return None if places is None else matrix_product(node, *places, vector=name.startswith(("Mv", "Addmv")))


def fixed(
    node: Node, place: int, unit_axis: int, input_axis: int, *, result_axis: int, data: int | None, data_axis: int
) -> Product | None:
    """A product whose weight has one place only."""
    factor = factor_at(node, place)
    if factor is None:
        frozen = frozen_at(node)
        lies = lie(node, result_axis)
        return None if frozen is None else Product(frozen[0], unit_axis, input_axis, False, lies, None, data_axis)
    weight, exact, axes = factor
    made, read = axes[unit_axis], axes[input_axis]
    if made is None or read is None:  # a view of the weight in which its axes are mixed
        return Product(weight, 0, 0, False, lie(node, result_axis), None, data_axis)
    return Product(weight, made, read, exact, lie(node, result_axis), data, data_axis)


def matrix_product(node: Node, left: int, right: int, *, vector: bool) -> Product | None:
    """A product of two matrices, one of which is a weight: parameters first, leaves next, the right operand first."""
    found = [(place, factor) for place in (right, left) if (factor := factor_at(node, place)) is not None]
    found = [(place, factor) for place, factor in found if len(factor[2]) >= 2]
    found.sort(key=lambda one: (not isinstance(one[1][0], nn.Parameter), not one[1][1]))
    frozen = None if found and isinstance(found[0][1][0], nn.Parameter) else frozen_at(node)
    if frozen is not None:
        made = 0 if frozen[1] else -1
        return Product(frozen[0], made, -1 - made, False, lie(node, -1), None, -1)
    if not found:
        return None
    place, (weight, exact, axes) = found[0]
    if place == right:
        unit_axis, input_axis, across = axes[-1], axes[-2], -1
    else:
        unit_axis, input_axis, across = axes[-2], axes[-1], -1 if vector else -2
    units = lie(node, across)
    data = left if place == right else right
    if unit_axis is None or input_axis is None:  # a view of the weight in which its axes are mixed
        return Product(weight, 0, 0, False, units, None, across)
    return Product(weight, unit_axis, input_axis, exact, units, data, across)


def lie(node: Node, axis: int) -> Units | None:
    """The units along an axis of what a node made."""
    shape = shape_of(node)
    if shape is None or not -len(shape) <= axis < len(shape):
        return None
    return Units(shape[axis], axis % len(shape))


def leaf_at(node: Node, place: int) -> Tensor | None:
    """The leaf at a place of a node's inputs, behind casts and views only."""
    return leaf_of(node.next_functions[place][0]) if place < len(node.next_functions) else None


def leaf_of(node: Node | None, *, through: tuple[str, ...] = CARRIERS) -> Tensor | None:
    """The leaf tensor that reaches this edge through casts and views only."""
    for _ in range(8):
        if node is None:
            return None
        variable = getattr(node, "variable", None)
        if variable is not None:
            return variable
        if not operation(node).startswith(through):
            return None
        node = node.next_functions[0][0]
    return None


def factor_at(node: Node, place: int) -> tuple[Tensor, bool, list[int | None]] | None:
    """A weight among the inputs of a node.

    Returns:
        The leaf, whether it is the factor itself rather than something it is computed into, and for each axis of the
        factor the axis of the leaf, None where they do not correspond.
    """
    if place >= len(node.next_functions) or node.next_functions[place][0] is None:
        return None
    edge, output = node.next_functions[place]
    shape = shape_of(edge, output)
    if shape is None:
        return None
    axes: list[Units | None] = [Units(size, axis) for axis, size in enumerate(shape)]
    for _ in range(8):
        variable = getattr(edge, "variable", None)
        if variable is not None:
            return variable, True, [None if axis is None else axis.axis for axis in axes]
        before, source = (source_of(edge), edge.next_functions[0][0]) if edge.next_functions else (None, None)
        if not operation(edge).startswith(CARRIERS) or before is None or source is None:
            break
        axes = [None if axis is None else backwards(axis, edge, before, shape) for axis in axes]
        edge, shape = source, before
    leaf = computed_from(edge, shape)
    return None if leaf is None else (leaf, False, [None if axis is None else axis.axis for axis in axes])


def source_of(node: Node) -> Shape | None:
    """The shape of the first input of a node."""
    before, output = node.next_functions[0]
    return None if before is None else shape_of(before, output)


def backwards(at: Units, node: Node, before: Shape, after: Shape) -> Units | None:
    """The axis of a view's input that is the axis ``at`` of its result."""
    candidates = (Units(size, axis) for axis, size in enumerate(before) if size == at.count)
    return next((one for one in candidates if one.after(node, before, after) == at), None)


def computed_from(node: Node, shape: Shape) -> Tensor | None:
    """The nearest leaf of this shape behind a factor that is computed from weights alone."""
    queue: deque[Node] = deque([node])
    for _ in range(DEEPEST):
        if not queue:
            return None
        one = queue.popleft()
        variable = getattr(one, "variable", None)
        if variable is not None:
            if variable.shape == shape:
                return variable
        elif not operation(one).startswith((*CONVOLUTIONS, *LINEARS, *FUSED, *MATRICES, "Embedding", "Trilinear")):
            queue += [before for before, _ in one.next_functions if before is not None]
    return None
