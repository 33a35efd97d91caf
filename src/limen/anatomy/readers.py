"""What reads the output of a site: the weights behind it, and whether nothing else does."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from limen.anatomy.axes import Node, Units, shape_of
from limen.anatomy.graph import units_of
from limen.anatomy.products import Product, product_of

__all__ = ["Reader", "readers_of"]


@dataclass(frozen=True, eq=False)
class Reader:
    """A weight that reads an output; ``input_axis`` is the axis of ``weight`` that meets the units."""

    weight: Tensor
    input_axis: int


def readers_of(parents: dict[Node, list[Node]], node: Node, axis: int | None = None) -> tuple[Reader, ...]:
    """The weights that read the units of the result of ``node``; empty where something else reads them too.

    Views, transposes, pooling over other axes, products entry by entry and dropout are looked through: they keep a
    silent unit silent, and the unit axis is followed through each of them. Empty also where it cannot be followed.

    Args:
        parents: of the whole graph, from ``parents_of``.
        node: what made the result.
        axis: its unit axis; None to take it from its origin.
    """
    shape = shape_of(node)
    start = units_of(node) if axis is None or not shape else Units(shape[axis], axis % len(shape))
    if start is None or shape is None:
        return ()
    readers: list[Reader] = []
    stack = [(after, node, start) for after in set(parents.get(node, ()))]
    seen: set[tuple[Node, Node]] = set()
    while stack:
        after, before, units = stack.pop()
        if (after, before) in seen:
            continue
        seen.add((after, before))
        product = product_of(after)
        if product is not None:
            reader = reader_at(after, product, before, units)
            if reader is None:
                return ()
            readers.append(reader)
            continue
        moved = seen_through(after, before, units)
        if moved is None:
            return ()
        stack.extend((further, after, moved) for further in set(parents.get(after, ())))
    return tuple(readers)


def seen_through(after: Node, before: Node, units: Units) -> Units | None:
    """Where the units lie behind a node that keeps them apart, or None."""
    old, new = shape_of(before, place_of(after, before)[1]), shape_of(after)
    if old is None or new is None or not units.fit(old):  # several outputs of different shape are not followed
        return None
    return units.after(after, old, new)


def reader_at(node: Node, product: Product, before: Node, units: Units) -> Reader | None:
    """The weight of a product as a reader of the units that ``before`` hands it, or None where it reads otherwise."""
    place, output = place_of(node, before)
    shape = shape_of(before, output)
    if not product.exact or place != product.data or shape is None:
        return None
    meets = product.data_axis % len(shape) == units.axis
    reads_all = product.weight.shape[product.input_axis] == units.count * units.width
    return Reader(product.weight, product.input_axis) if meets and reads_all else None


def place_of(node: Node, before: Node) -> tuple[int, int]:
    """The place of ``before`` among the inputs of ``node``, and which of its outputs stands there; -1 where twice."""
    places = [(place, nr) for place, (edge, nr) in enumerate(node.next_functions) if edge is before]
    return places[0] if len(places) == 1 else (-1, 0)
