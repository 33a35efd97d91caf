"""Reading the autograd graph of one training step: what feeds a site, what reads it, and what it leads to.

The graph that torch records for the backward pass already knows which weights make a pre-activation, over which
axis their units lie, and which weights read the output. Nothing has to be guessed from shapes or module names.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from limen.anatomy.axes import CARRIERS, SEE_THROUGH, Node, Units, kind, operation, shape_of
from limen.anatomy.frozen import hides_a_weight
from limen.anatomy.products import Product, leaf_of, product_of

__all__ = ["Origin", "leads_to_weights", "origin_of", "parents_of", "units_of", "uses_of"]

BATCH_NORMS = ("NativeBatchNorm", "CudnnBatchNorm", "MiopenBatchNorm", "BatchNorm")
NORMS = (*BATCH_NORMS, "NativeLayerNorm", "NativeGroupNorm", "FusedRmsNorm")  # the others mix the units of a sample
UNIT_BY_UNIT = (*CARRIERS, *BATCH_NORMS, "Clone", "Alias")
FARTHEST = 400  # nodes visited before an origin is given up

Path = tuple[tuple[Node, int], ...]  # nodes and which of their outputs, nearest the pre-activation first


@dataclass(frozen=True, eq=False)
class Origin:
    """What makes a pre-activation.

    Attributes:
        weight: the nearest weight upstream, a leaf; None where none is near.
        unit_axis: the axis of ``weight`` along which its units lie.
        bias: ``[units]`` leaf added to its product; None where there is none.
        norm: ``(scale, shift)`` leaves of a normalisation in between, or None.
        axis: the unit axis of the pre-activation.
        direct: True when each unit is made by its own entries of ``weight`` and nothing but a batch normalisation, a
            view or the bias stands in between.
        through: kinds of the graph nodes in between, nearest the pre-activation first.
    """

    weight: Tensor | None
    unit_axis: int
    bias: Tensor | None
    norm: tuple[Tensor | None, Tensor | None] | None
    axis: int
    direct: bool
    through: tuple[str, ...] = ()

    def forgotten(self) -> Origin:
        """The same without the tensors, which it would keep alive."""
        return Origin(None, 0, None, None, self.axis, direct=False, through=self.through)


def inputs(node: Node) -> list[Node]:
    """The nodes that made the inputs of ``node``."""
    return [before for before, _ in node.next_functions if before is not None]


def origin_of(z: Tensor) -> Origin:
    """Find what makes ``z`` by walking its graph towards the input, nearest first."""
    found = None if z.grad_fn is None else producer(z.grad_fn, z.output_nr)
    if found is None:
        return Origin(None, 0, None, None, default_axis(z.ndim, image=z.ndim >= 4), direct=False)
    product, node, path = found
    units = carried(product, node, path)
    axis = units.axis if units is not None else default_axis(z.ndim, image=product.data_axis == 1)
    count = z.shape[axis] if z.ndim else 1
    own = units is not None and units.count == count == product.weight.shape[product.unit_axis]
    steps = [step for step, _ in path]
    return Origin(
        weight=product.weight,
        unit_axis=product.unit_axis,
        bias=bias_of(node, steps, count),
        norm=norm_of(steps, count),
        axis=-1 if axis == z.ndim - 1 else axis,
        direct=own and product.exact and all(map(is_unit_by_unit, steps)),
        through=tuple(map(kind, steps)),
    )


def producer(root: Node, output: int) -> tuple[Product, Node, Path] | None:
    """The product nearest to a result, its node, and the path from the result to it."""
    queue: deque[tuple[Node, int, Path]] = deque([(root, output, ())])
    seen: set[Node] = set()
    while queue and len(seen) < FARTHEST:
        node, output, path = queue.popleft()
        if node in seen:
            continue
        seen.add(node)
        product = product_of(node)
        if product is not None:
            return product, node, path
        if hides_a_weight(node):
            return None
        queue += [(before, nr, (*path, (node, output))) for before, nr in node.next_functions if before is not None]
    return None


def carried(product: Product, node: Node, path: Path) -> Units | None:
    """Where the units of a product lie at the end of a path, or None where they cannot be followed."""
    units, before = product.units, shape_of(node)
    for step, output in reversed(path):
        after = shape_of(step, output)
        if units is None or before is None or after is None:
            return None
        known = operation(step).startswith(SEE_THROUGH)
        units = units.after(step, before, after) if known else units.broadcast(before, after)
        before = after
    return units


def units_of(node: Node) -> Units | None:
    """Where the units lie in what a node made, by its origin."""
    found = producer(node, 0)
    return None if found is None else carried(*found)


def is_unit_by_unit(node: Node) -> bool:
    """Whether each unit of a node's result comes from the same unit of its input alone."""
    return operation(node).startswith((*UNIT_BY_UNIT, "Squeeze")) or is_bias_addition(node)


def is_bias_addition(node: Node) -> bool:
    """Whether a node adds a one-axis leaf, as in ``x @ w + b``."""
    leaves = [leaf for leaf in map(leaf_of, inputs(node)) if leaf is not None]
    return operation(node).startswith("AddBackward") and any(leaf.ndim <= 1 for leaf in leaves)


def default_axis(ndim: int, *, image: bool) -> int:
    """The unit axis by rank alone: the channels of images, the last one otherwise."""
    return 1 if image and ndim >= 3 else -1


def bias_of(node: Node, path: list[Node], units: int) -> Tensor | None:
    """The bias of a product: its own operand, or the leaf of an addition on the way to the site."""
    for step in (node, *filter(is_bias_addition, path)):
        for leaf in map(leaf_of, inputs(step)):
            if leaf is not None and leaf.shape == (units,):
                return leaf
    return None


def norm_of(path: list[Node], units: int) -> tuple[Tensor | None, Tensor | None] | None:
    """Scale and shift of the normalisation nearest the site, or None where there is none."""
    for step in path:
        if operation(step).startswith(NORMS):
            found = [leaf_of(edge, through=(*CARRIERS, "Repeat")) for edge, _ in step.next_functions[1:3]]
            leaves = [leaf if leaf is not None and leaf.shape == (units,) else None for leaf in found]
            scale, shift = (*leaves, None, None)[:2]
            return scale, shift
    return None


def parents_of(*roots: Node) -> dict[Node, list[Node]]:
    """Every node that the backward pass from some nodes reaches, with the nodes that use its result."""
    parents: dict[Node, list[Node]] = {root: [] for root in roots}
    stack = list(parents)
    while stack:
        node = stack.pop()
        for before in inputs(node):
            if before not in parents:
                parents[before] = []
                stack.append(before)
            parents[before].append(node)
    return parents


def uses_of(parents: dict[Node, list[Node]]) -> dict[int, int]:
    """How often each leaf is used in the graph, by ``id``: more than once where a weight is tied or applied again.

    One cast or view of it may serve several products, as under autocast: these are counted behind it.
    """
    uses: dict[int, int] = {}
    for node in parents:
        if hasattr(node, "variable"):
            stack, found = [*parents[node]], 0
            while stack:
                after = stack.pop()
                if operation(after).startswith(CARRIERS) and parents[after]:
                    stack += parents[after]
                else:
                    found += 1
            uses[id(node.variable)] = found
    return uses


def leads_to_weights(parents: dict[Node, list[Node]], node: Node) -> bool:
    """Whether weights that are trained stand between ``node`` and the loss."""
    return any(is_trained(product_of(after)) or hides_weights(after) for after in downstream(parents, node))


def is_trained(product: Product | None) -> bool:
    """Whether there is a product, and its weight is not frozen."""
    return product is not None and product.weight.requires_grad


def hides_weights(node: Node) -> bool:
    """Whether a node of which torch does not tell what it computes, for instance compiled code, is given weights."""
    return operation(node) == "" and any(leaf is not None and leaf.ndim >= 2 for leaf in map(leaf_of, inputs(node)))


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
