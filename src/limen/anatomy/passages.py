"""What stands between layers of weights that follow each other, read from the graph of a backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.anatomy.axes import CUTS, RESHAPES, TURNS, Node, operation, shape_of, signed
from limen.anatomy.factors import Map, is_factor
from limen.anatomy.graph import BATCH_NORMS, NORMS, is_bias_addition
from limen.anatomy.products import CONVOLUTIONS, Product, product_of

__all__ = ["Passage", "dropped_by", "passages"]

VIEWS = (*RESHAPES, *TURNS, "ToCopy", "Clone", "Contiguous", "Alias")
SPLITS = (*VIEWS, *CUTS, "Select", "Unbind", "Chunk", "Mul", "Div", "Expand", "Add", "Cat")
ATTENTION = ("Bmm", "Baddbmm", "ScaledDotProduct", "Mm")
GROWING = {"ExpBackward": "exp", "Expm1": "exp", "SinhBackward": "sinh", "CoshBackward": "cosh", "PowBackward": "pow"}
FARTHEST = 32  # nodes between two layers
ENOUGH = 4_096  # entries of a factor that tell whether it is a dropout's


@dataclass(frozen=True, eq=False)
class Passage:
    """The way from one layer of weights to the next, which nothing else reads.

    Attributes:
        before: the weight of the first.
        behind: the weight of the second.
        function: as ``Interposed`` of ``limen.vitals`` has it; empty where none stands between.
        norm: whether a normalisation stands between.
        meant: whether two linear maps in a row are known to be meant there.
    """

    before: Tensor
    behind: Tensor
    function: str
    norm: bool
    meant: bool


def passages(parents: dict[Node, list[Node]]) -> Iterator[Passage]:
    """Every way between two layers on which nothing stands but views, dropout, normalisations and one odd function.

    Args:
        parents: of the whole graph, from ``parents_of``.
    """
    products = {node: found for node in parents if (found := product_of(node)) is not None}
    ways = {node: way for node in products if (way := way_to(node, products, parents)) is not None}
    for node in reversed(ways):
        first, function, norm = ways[node]
        yield Passage(
            before=products[first].weight,
            behind=products[node].weight,
            function=function,
            norm=norm,
            meant=is_factor(map_of(first, products[first]), map_of(node, products[node]))
            or is_shared(node, products, ways)
            or is_adapter(first, products[first])
            or feeds_attention(node, products, parents),
        )


def way_to(node: Node, products: dict[Node, Product], parents: dict[Node, list[Node]]) -> tuple[Node, str, bool] | None:
    """The layer before the one at ``node``, the function between them, and whether there is a normalisation."""
    product, function, norm = products[node], "", False
    if product.data is None or operation(node).startswith("Embedding"):
        return None
    step, _ = node.next_functions[product.data]
    for _ in range(FARTHEST):
        if step is None or len(parents[step]) != 1:
            return None
        if step in products:
            linear = products[step].data is not None and (not norm or function)
            return (step, function, norm) if linear else None
        name = operation(step)
        odd = function_of(step, node, product)
        if odd and not function:
            function = odd
        elif name.startswith(NORMS) and not is_affine(step):
            norm = True
        elif not (name.startswith(VIEWS) or is_affine(step) or is_bias_addition(step) or dropped_by(step)):
            return None
        step = data_of(step)
    return None


def data_of(node: Node) -> Node | None:
    """The input of a node with one that is no leaf."""
    before = [source for source, _ in node.next_functions if source is not None and not hasattr(source, "variable")]
    return before[0] if len(before) == 1 else None


def function_of(step: Node, node: Node, product: Product) -> str:
    """The name of a function outside of the catalogue; empty for any other node."""
    name = operation(step)
    if name.startswith("SoftmaxBackward"):
        shape = shape_of(step)
        over = signed(getattr(step, "_saved_dim", 0))
        return "softmax" if shape and over % len(shape) == product.data_axis % len(shape) else ""
    if name.startswith("PowBackward0") and not (getattr(step, "_saved_exponent", 0) or 0) >= 2:
        return ""
    return next((short for start, short in GROWING.items() if name.startswith(start)), "")


def is_affine(node: Node) -> bool:
    """Whether a node multiplies with a number, or normalises with statistics that are fixed."""
    name = operation(node)
    if name.startswith(("MulBackward", "DivBackward")):
        factor = constant_of(node)
        return factor is not None and factor.numel() == 1
    return name.startswith(BATCH_NORMS) and getattr(node, "_saved_training", True) is False


def constant_of(node: Node) -> Tensor | None:
    """What a product entry by entry multiplies with, where no gradient goes there. Nothing is unpacked for it."""
    if sum(before is not None for before, _ in node.next_functions) != 1:
        return None
    found: object = None
    with suppress(RuntimeError):  # the graph was freed
        found = getattr(getattr(node, "_raw_saved_other", None), "data", None)
    return found if isinstance(found, Tensor) else None


@torch.no_grad()
def dropped_by(node: Node | None) -> float:
    """The share that a dropout drops which made the result of a node; 0 for any other node.

    On a CPU, dropout is a product with a factor of which every entry is 0 or 1 / (1 - p).
    """
    if node is None:
        return 0.0
    name = operation(node)
    if name.startswith("NativeDropout"):
        return float(getattr(node, "_saved_p", 0.0) or 0.0)
    factor = constant_of(node) if name.startswith("MulBackward") else None
    if factor is None or factor.numel() < 2 or not factor.is_floating_point() or factor.is_meta:
        return 0.0
    some = factor.detach().flatten()[:ENOUGH].float()
    kept = float(some.max())
    return round(1.0 - 1.0 / kept, 4) if kept > 1.0 and bool(((some == 0.0) | (some == kept)).all()) else 0.0


def map_of(node: Node, product: Product) -> Map:
    """A product as the distinctions among pairs see it."""
    shape = product.weight.shape
    convolution = operation(node).startswith(CONVOLUTIONS)
    return Map(
        units=shape[product.unit_axis],
        inputs=shape[product.input_axis],
        kernel=tuple(shape[2:]) if convolution else (),
        groups=int(getattr(node, "_saved_groups", 1) or 1),
        transposed=bool(getattr(node, "_saved_transposed", False)),
        trained=product.weight.requires_grad,
    )


def is_shared(node: Node, products: dict[Node, Product], ways: dict[Node, tuple[Node, str, bool]]) -> bool:
    """Whether the weight at ``node`` is applied elsewhere too, to something else: several branches share it."""
    same = [other for other in products if products[other].weight is products[node].weight]
    firsts = {id(products[ways[other][0]].weight) if other in ways else 0 for other in same}
    return len(firsts) > 1


def is_adapter(node: Node, product: Product) -> bool:
    """Whether a map makes the three channels that a pretrained net is given of the model's input."""
    place = product.data
    source = node.next_functions[place][0] if place is not None else None
    return source is None and product.weight.shape[product.unit_axis] == 3


def feeds_attention(node: Node, products: dict[Node, Product], parents: dict[Node, list[Node]]) -> bool:
    """Whether what is made at ``node`` meets another value of the sample in a product, as queries and keys do."""
    stack, seen = list(parents[node]), set[Node]()
    while stack and len(seen) < FARTHEST:
        after = stack.pop()
        if after in seen:
            continue
        seen.add(after)
        if after in products:
            continue
        if operation(after).startswith(ATTENTION):
            return True
        if operation(after).startswith(SPLITS):
            stack += parents[after]
    return False
