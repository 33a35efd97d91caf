"""Reading a graph that torch.compile has captured: which activations it applies, and what stands around each."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, fx, nn

from limen.activations import Activation, of_call
from limen.anatomy.graph import Origin, leads_to_weights, origin_of, parents_of, uses_of
from limen.anatomy.readers import Reader, readers_of

__all__ = ["Applied", "applications"]


@dataclass(frozen=True, eq=False)
class Applied:
    """One application of an activation function within a captured graph.

    Attributes:
        activation: the catalogue entry.
        before: the graph's node that makes the pre-activation.
        at: the node that applies the function.
        owner: the innermost module being called; None outside of any module.
        call: how often this owner has applied this function in this graph, from 1.
        origin: what makes the pre-activation.
        readers: the weights that read the result.
        shared: whether a weight around it is used elsewhere too.
        head: whether no weights follow in this graph.
    """

    activation: Activation
    before: fx.Node
    at: fx.Node
    owner: weakref.ref[nn.Module] | None
    call: int
    origin: Origin
    readers: tuple[Reader, ...]
    shared: bool
    head: bool


def applications(
    graph: fx.Graph, inputs: Sequence[Any], modules: dict[int, nn.Module], outermost: nn.Module | None = None
) -> list[Applied]:
    """Every activation that a captured graph applies to something with a gradient.

    The compiler runs the graph on tensors without data; their autograd graph tells of axes, weights and readers what
    that of a real forward pass would.

    Args:
        graph: as captured, before any backend has changed it.
        inputs: the real tensors given to its placeholders, in order.
        modules: the modules that may be called in it, by ``id``.
        outermost: the module whose forward was captured, which the compiler does not note; None for a function.
    """
    real = {
        id(example_of(node)): given
        for node, given in zip((n for n in graph.nodes if n.op == "placeholder"), inputs, strict=False)
    }
    parents = _parents(graph)
    uses = uses_of(parents)
    counts: Counter[tuple[int, str]] = Counter()
    found: list[Applied] = []
    for node in graph.nodes:
        known = _activation_of(node)
        if known is None:
            continue
        activation, before = known
        owner = _owner_of(node, modules) or outermost
        counts[id(owner), activation.name] += 1
        origin = origin_of(example_of(before))
        after = getattr(example_of(node), "grad_fn", None)
        readers = readers_of(parents, after, origin.axis) if after in parents else ()
        around = [origin.weight, *(reader.weight for reader in readers)]
        found.append(
            Applied(
                activation=activation,
                before=before,
                at=node,
                owner=None if owner is None else weakref.ref(owner),
                call=counts[id(owner), activation.name],
                origin=_with_real(origin, real),
                readers=tuple(Reader(real.get(id(r.weight), r.weight), r.input_axis) for r in readers),
                shared=any(uses.get(id(weight), 0) > 1 for weight in around),
                head=after in parents and not leads_to_weights(parents, after),
            )
        )
    return found


def example_of(node: object) -> Any:
    """The tensor without data that stands for what a node makes; anything else is returned as it is."""
    return node.meta.get("example_value") if isinstance(node, fx.Node) else node


def _activation_of(node: fx.Node) -> tuple[Activation, fx.Node] | None:
    if node.op == "call_function":
        function: Any = node.target
    elif node.op == "call_method":
        function = getattr(Tensor, str(node.target), None)
    else:
        return None
    arguments = [example_of(value) for value in node.args]
    named = {name: example_of(value) for name, value in node.kwargs.items()}
    found = of_call(function, arguments, named)
    before = node.args[0] if node.args else node.kwargs.get("input")
    if found is None or not found[1].requires_grad or not isinstance(before, fx.Node):
        return None
    return found[0], before


def _owner_of(node: fx.Node, modules: dict[int, nn.Module]) -> nn.Module | None:
    """The innermost module; the compiler notes their ids."""
    stack = list(node.meta.get("nn_module_stack") or ())
    ids = (int(str(entry).partition("@")[0]) for entry in reversed(stack) if str(entry).partition("@")[0].isdigit())
    return next((modules[number] for number in ids if number in modules), None)


def _parents(graph: fx.Graph) -> dict[Any, list[Any]]:
    """The autograd graph behind all results of a captured graph."""
    parents: dict[Any, list[Any]] = {}
    for node in graph.nodes:
        made = example_of(node)
        if isinstance(made, Tensor) and made.grad_fn is not None and made.grad_fn not in parents:
            for step, after in parents_of(made.grad_fn).items():
                held = parents.setdefault(step, [])
                held += [user for user in after if user not in held]
    return parents


def _with_real(origin: Origin, real: dict[int, Any]) -> Origin:
    """The origin with the trained tensors in the place of those without data."""

    def of(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else real.get(id(tensor))

    norm = None if origin.norm is None else (of(origin.norm[0]), of(origin.norm[1]))
    return replace(origin, weight=of(origin.weight), bias=of(origin.bias), norm=norm)
