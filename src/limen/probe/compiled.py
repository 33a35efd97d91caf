"""Sees the activations inside what torch.compile compiles.

Hooks and modes cannot: the compiler leaves them out, or breaks its graph at them. So each graph that it captures gets
one more operator for each activation, ``limen::see``, which hands the pre-activation to the watch. What the operator
returns is one more result of the graph, lest a backend leave it out; the script never sees it.
"""

from __future__ import annotations

import functools
import itertools
import sys
import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import torch
from torch import Tensor, fx, nn

from limen.anatomy import Applied, applications, modules_in, user_frame
from limen.probe.directory import Directory

__all__ = ["Compiled", "Witness", "read_capture"]

MACHINERY = "torch._dynamo.output_graph"

_numbers = itertools.count()
_equipped: weakref.WeakValueDictionary[int, Applied] = weakref.WeakValueDictionary()
_witness: weakref.ref[Witness] | None = None


class Witness(Protocol):
    """What is told of compiled code."""

    def read_capture(self, graph: fx.Graph, inputs: Sequence[Any]) -> list[Applied] | None:
        """A graph has been captured: the activations that are to be watched in it."""
        ...

    def see_compiled(self, applied: Applied, z: Tensor) -> None:
        """Compiled code is about to apply an activation to ``z``."""
        ...

    def fail_to_equip(self, error: Exception) -> None:
        """A graph could not be equipped; its activations will not be seen."""
        ...

    def unseeing(self) -> AbstractContextManager[None]:
        """A context without modes, whose presence would make torch compile anew."""
        ...


class Compiled:
    """Equips the graphs that are captured from now on until ``close``; later, those equipped cost next to nothing."""

    def __init__(self, witness: Witness) -> None:
        global _witness
        _witness = weakref.ref(witness)
        self._witness = witness
        self._replaced: list[tuple[Any, str, Any, Any]] = []
        self._replace(torch, "compile", self._compile)
        self._equip_machinery()

    def close(self) -> None:
        """Leave torch as it was; graphs that were equipped find nobody to tell. Safe to call twice."""
        global _witness
        if _witness is not None and _witness() is self._witness:
            _witness = None
        for owner, name, original, ours in self._replaced:
            if getattr(owner, name) is ours:
                setattr(owner, name, original)
        self._replaced = []

    def _replace(self, owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
        original = getattr(owner, name)
        ours = wrap(original)
        self._replaced.append((owner, name, original, ours))
        setattr(owner, name, ours)

    def _equip_machinery(self) -> None:
        """Hear of each captured graph, once the compiler is loaded."""
        loaded = sys.modules.get(MACHINERY)
        if loaded is not None and all(owner is not loaded.OutputGraph for owner, *_ in self._replaced):
            self._replace(loaded.OutputGraph, "call_user_compiler", self._capture)

    def _compile(self, original: Any) -> Any:
        @functools.wraps(original)
        def compile(model: Any = None, *args: Any, **kwargs: Any) -> Any:
            result = original(model, *args, **kwargs)
            if self._replaced:
                self._equip_machinery()
            if model is not None:
                return self._unseeing(result)

            def decorate(function: Any) -> Any:
                return self._unseeing(result(function))

            return decorate

        return compile

    def _unseeing(self, compiled: Any) -> Any:
        """The compiled function, called without modes; a compiled module is known by its hooks."""
        if isinstance(compiled, nn.Module) or not callable(compiled):
            return compiled

        @functools.wraps(compiled)
        def call(*args: Any, **kwargs: Any) -> Any:
            witness = None if torch.compiler.is_compiling() or _witness is None else _witness()
            if witness is None:
                return compiled(*args, **kwargs)
            with witness.unseeing():
                return compiled(*args, **kwargs)

        return call

    def _capture(self, original: Any) -> Any:
        @functools.wraps(original)
        def call_user_compiler(graph: Any, module: fx.GraphModule, inputs: Sequence[Any]) -> Any:
            seen = self._equip(module, inputs)
            run = original(graph, module, inputs)
            return _with_less(run, seen) if seen else run

        return call_user_compiler

    def _equip(self, module: fx.GraphModule, inputs: Sequence[Any]) -> list[Applied]:
        """Add an operator for each activation; returns what they tell of, in their order among the results."""
        try:
            seen = self._witness.read_capture(module.graph, inputs)
            if not seen:
                return []
            equip(module, seen)
            return seen
        except Exception as error:
            self._witness.fail_to_equip(error)
            return []


def read_capture(
    graph: fx.Graph,
    inputs: Sequence[Any],
    directory: Directory,
    root: nn.Module | None,
    outermost: nn.Module | None,
) -> list[Applied]:
    """The activations in a captured graph; the models it belongs to are entered in the directory.

    Args:
        graph: as captured.
        inputs: the real tensors given to its placeholders.
        directory: where its tensors are to be known.
        root: the outermost module being called; None outside of any.
        outermost: the module whose forward was captured; None for a function.
    """
    frame = user_frame()
    directory.name_loose([given for given in inputs if isinstance(given, nn.Parameter)], frame)
    roots = modules_in(frame).values() if root is None else [root]
    modules = {id(part): part for top in roots for part in top.modules()}
    return applications(graph, inputs, modules, outermost)


def equip(module: fx.GraphModule, seen: Sequence[Applied]) -> None:
    """Add an operator for each activation, and what it returns to the results."""
    tokens: list[fx.Node] = []
    for applied in seen:
        number = next(_numbers)
        _equipped[number] = applied
        with module.graph.inserting_before(applied.at):
            apart = module.graph.call_method("detach", (applied.before,))
            tokens.append(module.graph.call_function(torch.ops.limen.see.default, (apart, number)))
    output = next(node for node in module.graph.nodes if node.op == "output")
    output.args = ((*output.args[0], *tokens),)
    module.recompile()


def _with_less(run: Callable[..., Any], seen: Sequence[Applied]) -> Callable[..., Any]:
    """A compiled graph without the results that were added to it; keeps what they tell of alive."""

    def call(*args: Any) -> Any:
        return run(*args)[: -len(seen)]

    return call


def see(z: Tensor, number: int) -> Tensor:
    """Tell whoever watches."""
    applied = _equipped.get(number)
    witness = None if _witness is None else _witness()
    if applied is not None and witness is not None:
        witness.see_compiled(applied, z)
    return z.new_empty(0)


_library = torch.library.Library("limen", "FRAGMENT")
_library.define("see(Tensor z, int number) -> Tensor")
_library.impl("see", see, "CompositeExplicitAutograd")
_library.impl("see", lambda z, number: z.new_empty(0), "Meta")  # pyright: ignore[reportUnknownLambdaType,reportUnknownMemberType]
