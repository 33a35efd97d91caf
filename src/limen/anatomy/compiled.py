"""Reading a graph that torch.compile has captured: which activations it applies, and what stands around each."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, fx, nn

from limen.activations import Activation, of_call
from limen.anatomy.graph import Origin, leads_to_weights, origin_of, parents_of, uses_of
from limen.anatomy.readers import Reader, readers_of

__all__ = ["Application", "Applied", "applications", "example_of"]


@dataclass(frozen=True, eq=False)
class Applied:
    """One application of an activation function within a captured graph, which may run for several modules.

    Weights are places among the inputs of the graph: it keeps none alive, and each run brings its own.

    Attributes:
        activation: the catalogue entry.
        owner: the innermost module being called when the graph was captured; None outside of any module.
        path: of the owner below the module whose forward was captured; None where that is not known.
        call: how often this owner has applied this function in this graph, from 1.
        origin: what makes the pre-activation, less its weights.
        weights: places of the origin's weight, bias, and scale and shift of its normalisation; -1 for none.
        readers: places and input axes of the weights that read the result.
        shared: whether a weight around it is used elsewhere too.
        head: whether no weights follow in this graph.
    """

    activation: Activation
    owner: weakref.ref[nn.Module] | None
    path: str | None
    call: int
    origin: Origin
    weights: tuple[int, int, int, int]
    readers: tuple[tuple[int, int], ...]
    shared: bool
    head: bool

    def owner_in(self, outermost: nn.Module | None) -> nn.Module | None:
        """The owner in a run of the graph for ``outermost``."""
        if outermost is not None and self.path is not None:
            return outermost.get_submodule(self.path)
        return None if self.owner is None else self.owner()

    def origin_in(self, inputs: Sequence[Any]) -> Origin:
        """What makes the pre-activation in a run of the graph on these inputs."""
        weight, bias, scale, shift = (inputs[place] if place >= 0 else None for place in self.weights)
        norm = None if self.origin.norm is None else (scale, shift)
        return replace(self.origin, weight=weight, bias=bias, norm=norm)

    def readers_in(self, inputs: Sequence[Any]) -> tuple[Reader, ...]:
        """The weights that read the result in a run of the graph on these inputs."""
        return tuple(Reader(inputs[place], axis) for place, axis in self.readers)


@dataclass(frozen=True, eq=False)
class Application:
    """Where a graph applies an activation: the node that makes the pre-activation, and the one that applies it."""

    applied: Applied
    before: fx.Node
    at: fx.Node


def applications(
    graph: fx.Graph, modules: Mapping[int, nn.Module], outermost: nn.Module | None = None
) -> list[Application]:
    """Every activation that a captured graph applies to something with a gradient.

    The compiler runs the graph on tensors without data; their autograd graph tells of axes, weights and readers what
    that of a real forward pass would.

    Args:
        graph: as captured, before any backend has changed it.
        modules: the modules that may be called in it, by ``id``.
        outermost: the module whose forward was captured, which the compiler does not note; None for a function.
    """
    inputs = (node for node in graph.nodes if node.op == "placeholder")
    places = {id(example_of(node)): place for place, node in enumerate(inputs)}
    paths = {} if outermost is None else {id(part): path for path, part in outermost.named_modules()}
    parents = _parents(graph)
    uses = uses_of(parents)
    counts: Counter[tuple[int, str]] = Counter()
    found: list[Application] = []
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
        scale, shift = origin.norm or (None, None)
        weight, *others = (places.get(id(held), -1) for held in (origin.weight, origin.bias, scale, shift))
        applied = Applied(
            activation=activation,
            owner=None if owner is None else weakref.ref(owner),
            path=paths.get(id(owner)),
            call=counts[id(owner), activation.name],
            origin=replace(origin, weight=None, bias=None, norm=None if origin.norm is None else (None, None)),
            weights=(weight, *others),  # pyright: ignore[reportArgumentType]
            readers=tuple((places[id(r.weight)], r.input_axis) for r in readers if id(r.weight) in places),
            shared=any(uses.get(id(held), 0) > 1 for held in around),
            head=after in parents and not leads_to_weights(parents, after),
        )
        found.append(Application(applied, before, node))
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


def _owner_of(node: fx.Node, modules: Mapping[int, nn.Module]) -> nn.Module | None:
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
