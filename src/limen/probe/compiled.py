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
from typing import Any

import torch
from torch import Tensor, fx, nn

from limen.anatomy import Applied, applications, modules_in, user_frame
from limen.probe.directory import Directory
from limen.probe.eyes import Eyes, Seen
from limen.probe.modes import is_ordinary, unseen
from limen.probe.site_book import SiteBook

__all__ = ["Compiled"]

MACHINERY = "torch._dynamo.output_graph"

_numbers = itertools.count()
_equipped: weakref.WeakValueDictionary[int, Applied] = weakref.WeakValueDictionary()
_active: weakref.ref[Compiled] | None = None


class Compiled:
    """Equips the graphs that are captured from now on until ``close``; later, those equipped cost next to nothing.

    Args:
        eyes: they tell whether a pass is watched, and close while compiled code runs.
        sites: where it is noted that weights follow in a further graph.
        directory: where the models of captured graphs are entered.
        on_seen: told of every application of an activation in compiled code, just before it runs.

    Attributes:
        error: why a graph could not be read, so that its activations are not seen; None where all could.
    """

    def __init__(self, eyes: Eyes, sites: SiteBook, directory: Directory, on_seen: Callable[[Seen], object]) -> None:
        global _active
        _active = weakref.ref(self)
        self.error: Exception | None = None
        self._eyes = eyes
        self._sites = sites
        self._directory = directory
        self._on_seen = on_seen
        self._replaced: list[tuple[Any, str, Any, Any]] = []
        self._replace(torch, "compile", self._compile)
        self._equip_machinery()

    def close(self) -> None:
        """Leave torch as it was; graphs that were equipped find nobody to tell. Safe to call twice."""
        global _active
        if _active is not None and _active() is self:
            _active = None
        for owner, name, original, ours in self._replaced:
            if getattr(owner, name) is ours:
                setattr(owner, name, original)
        self._replaced = []

    def see(self, applied: Applied, z: Tensor) -> None:
        """Compiled code is about to apply an activation to ``z``."""
        if self._eyes.watching and is_ordinary() and type(z) is Tensor:
            owner = None if applied.owner is None else applied.owner()
            self._on_seen(Seen(applied.activation, z, owner, self._eyes.root, applied.call, applied))

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
            watching = None if torch.compiler.is_compiling() or _active is None else _active()
            if watching is None:
                return compiled(*args, **kwargs)
            with watching._eyes.unseeing():
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
        """Add an operator for each activation; returns what they tell of, in their order among the results.

        No error may leave: the compiler would take it for one of the script's.
        """
        try:
            with unseen():
                seen = self._read(module.graph, inputs)
                if seen:
                    equip(module, seen)
                return seen
        except Exception as error:
            self.error = error
            return []

    def _read(self, graph: fx.Graph, inputs: Sequence[Any]) -> list[Applied]:
        """The activations in a captured graph; the models it belongs to are entered in the directory."""
        if not torch.is_grad_enabled() or not self._eyes.watching:
            return []
        weights = [given for given in inputs if isinstance(given, nn.Parameter)]
        if any(weight.ndim >= 2 for weight in weights):
            self._sites.go_on()
        frame, root = user_frame(), self._eyes.root
        self._directory.name_loose(weights, frame)
        roots = modules_in(frame).values() if root is None else [root]
        modules = {id(part): part for top in roots for part in top.modules()}
        return applications(graph, inputs, modules, self._eyes.compiled)


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
    watching = None if _active is None else _active()
    if applied is not None and watching is not None:
        watching.see(applied, z)
    return z.new_empty(0)


_library = torch.library.Library("limen", "FRAGMENT")
_library.define("see(Tensor z, int number) -> Tensor")
_library.impl("see", see, "CompositeExplicitAutograd")
_library.impl("see", lambda z, number: z.new_empty(0), "Meta")  # pyright: ignore[reportUnknownLambdaType,reportUnknownMemberType]
