"""Sees the activations inside what torch.compile compiles.

Hooks and modes cannot: the compiler leaves them out, or breaks its graph at them. So each graph that it captures gets
one more operator for each activation, ``limen::see``, which hands the pre-activation to the watch. What the operator
returns is one more result of the graph, lest a backend leave it out; the script never sees it. Graphs whose results
that could change, by a bit or by an error, are left alone, and the report says so.
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

from limen.anatomy import Application, Applied, applications, example_of, modules_in, user_frame
from limen.probe.directory import Directory
from limen.probe.eyes import Eyes
from limen.probe.modes import is_ordinary, unseen
from limen.probe.seen import Seen
from limen.probe.site_book import SiteBook

__all__ = ["Compiled"]

MACHINERY = "torch._dynamo.output_graph"
EXACT = (torch.float32, torch.float64)

BEFORE = (
    "Parts of this training were compiled by torch.compile before the watch began: activation functions inside them "
    "are not seen. Begin the watch before the first compiled call."
)

UNCAPTURED = (
    "torch.compile has captured no graph of what it was given and runs it as it is, for instance because of an "
    "nn.LSTM or nn.GRU: activation functions inside it are not seen."
)

_numbers = itertools.count(1)
_equipped: weakref.WeakValueDictionary[int, Applied] = weakref.WeakValueDictionary()
_active: weakref.ref[Compiled] | None = None
_inputs: Sequence[Any] = ()  # of the graph that is running


class Compiled:
    """Equips the graphs that are captured from now on until ``close``; later, those equipped cost next to nothing.

    Args:
        eyes: they tell whether a pass is watched, and close while compiled code runs.
        sites: where it is noted that weights follow in a further graph.
        directory: where the models of captured graphs are entered.
        on_seen: told of every application of an activation in compiled code, just before it runs.

    Attributes:
        unseen: why some activations in compiled code are not seen.
        error: why a graph could not be read; None where all could.
    """

    def __init__(self, eyes: Eyes, sites: SiteBook, directory: Directory, on_seen: Callable[[Seen], object]) -> None:
        global _active
        _active = weakref.ref(self)
        self.unseen: set[str] = set()
        self._given = self._captured = False  # something to compile; a graph of it
        self.error: Exception | None = None
        self.eyes = eyes
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

    def see(self, applied: Applied, number: int, z: Tensor) -> None:
        """Compiled code is about to apply an activation to ``z``."""
        if self.eyes.watching and is_ordinary() and type(z) is Tensor:
            owner = applied.owner_in(self.eyes.compiled)
            self._on_seen(Seen(applied.activation, z, owner, self.eyes.root, number, (applied, _inputs)))

    def remark(self) -> str:
        """What the reader of the report should know: what is not seen, and why; empty where all is."""
        if (error := self.error) is not None:
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            return f"A part that torch.compile compiled could not be read and is not seen ({reason})."
        if self.unseen:
            return f"Activations in compiled code are not seen {'; '.join(sorted(self.unseen))}."
        if not self.eyes.met_compiled or self._sites.compiled:
            return ""
        return UNCAPTURED if self._given and not self._captured else BEFORE

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
            self._given = True
            if self._replaced:
                self._equip_machinery()
            if model is not None:
                return _without_eyes(result)

            def decorate(function: Any) -> Any:
                return _without_eyes(result(function))

            return decorate

        return compile

    def _capture(self, original: Any) -> Any:
        @functools.wraps(original)
        def call_user_compiler(output: Any, module: fx.GraphModule, inputs: Sequence[Any]) -> Any:
            self._captured = True
            seen = [] if getattr(output, "export", False) else self._equip(module, inputs)
            if not seen:
                return original(output, module, inputs)
            try:
                return Less(original(output, module, inputs), seen)
            except Exception as error:  # a backend may refuse what it does not know
                unequip(module, len(seen))
                run = original(output, module, inputs)
                self.error = error
                return run

        return call_user_compiler

    def _equip(self, module: fx.GraphModule, inputs: Sequence[Any]) -> list[Applied]:
        """Add an operator for each activation; returns what they tell of, in their order among the results.

        No error may leave: the compiler would take it for one of the script's.
        """
        try:
            with unseen():
                found = self._read(module.graph, inputs)
                if found:
                    equip(module, found)
                return [application.applied for application in found]
        except Exception as error:
            self.error = error
            return []

    def _read(self, graph: fx.Graph, inputs: Sequence[Any]) -> list[Application]:
        """What is to be seen in a captured graph; the models it belongs to are entered in the directory."""
        if not torch.is_grad_enabled():
            return []
        weights = [given for given in inputs if isinstance(given, nn.Parameter)]
        if any(weight.ndim >= 2 for weight in weights):
            self._sites.go_on()
        frame, outermost = user_frame(), self.eyes.compiled
        self._directory.name_loose(weights, frame)
        roots = [root for root in (self.eyes.root, outermost) if root is not None] or modules_in(frame).values()
        modules = {id(part): part for top in roots for part in top.modules()}
        found = applications(graph, modules, outermost)
        obstacles = {obstacle for application in found if (obstacle := obstacle_at(application))} | obstacles_in(graph)
        self.unseen |= obstacles
        return [] if TRANSFORMED in obstacles else [entry for entry in found if not obstacle_at(entry)]


TRANSFORMED = "inside torch.func"
NESTED = "inside checkpoint, cond or another operator that takes functions"
ROUNDED = "in half precision, where the compiler rounds less often than torch if nobody looks"
ELSEWHERE = "on a device, where the compiler may fuse their rounding with what follows"


def obstacle_at(application: Application) -> str:
    """Why an application is not seen: to look would change what is computed. Empty where it would not."""
    z = example_of(application.before)
    if z.device.type != "cpu":
        return ELSEWHERE
    return "" if z.dtype in EXACT else ROUNDED


def obstacles_in(graph: fx.Graph) -> set[str]:
    """Why something in a whole graph is not seen."""
    calls = [node.target for node in graph.nodes if node.op == "call_function"]
    nested = any(isinstance(target, torch._ops.HigherOrderOperator) for target in calls)  # pyright: ignore[reportPrivateUsage]
    transformed = any("functorch" in str(getattr(target, "__module__", "")) for target in calls)
    return ({NESTED} if nested else set[str]()) | ({TRANSFORMED} if transformed else set[str]())


def equip(module: fx.GraphModule, found: Sequence[Application]) -> None:
    """Add an operator for each activation, and what it returns to the results."""
    tokens: list[fx.Node] = []
    for application in found:
        number = next(_numbers)
        _equipped[number] = application.applied
        example = example_of(application.before)
        with module.graph.inserting_before(application.at):
            apart = module.graph.call_method("detach", (application.before,))
            token = module.graph.call_function(torch.ops.limen.see.default, (apart, number))
        for node, value in ((apart, example.detach()), (token, example.detach().new_empty(0))):
            node.meta = {**application.at.meta, "example_value": value}
        tokens.append(token)
    output = next(node for node in module.graph.nodes if node.op == "output")
    output.args = ((*output.args[0], *tokens),)
    module.recompile()


def unequip(module: fx.GraphModule, count: int) -> None:
    """Take the operators away again."""
    output = next(node for node in module.graph.nodes if node.op == "output")
    tokens = output.args[0][-count:]
    output.args = (output.args[0][:-count],)
    for token in tokens:
        apart = token.args[0]
        module.graph.erase_node(token)
        module.graph.erase_node(apart)
    module.recompile()


class Less:
    """A compiled graph without the results that were added to it; keeps what they tell of alive."""

    def __init__(self, run: Callable[..., Any], seen: Sequence[Applied]) -> None:
        self.run = run
        self.seen = seen

    def __call__(self, *inputs: Any) -> Any:
        """Run it, while ``see`` knows its inputs."""
        global _inputs
        outer, _inputs = _inputs, inputs
        try:
            return self.run(*inputs)[: -len(self.seen)]
        finally:
            _inputs = outer


def _without_eyes(compiled: Any) -> Any:
    """The compiled function or module, called without modes and hooks: torch compiles anew where they change."""
    if isinstance(compiled, nn.Module):
        compiled.forward = _covered(compiled.forward, weakref.ref(compiled))  # left out when it is pickled or copied
        return compiled
    return _covered(compiled, None) if callable(compiled) else compiled


def _covered(function: Any, module: weakref.ref[nn.Module] | None) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        watching = None if torch.compiler.is_compiling() or _active is None else _active()
        if watching is None:
            return function(*args, **kwargs)
        with watching.eyes.unseeing(None if module is None else module()):
            return function(*args, **kwargs)

    call.covers_eyes = True  # pyright: ignore[reportAttributeAccessIssue]  # the hooks need not do it
    return call


def see(z: Tensor, number: int) -> Tensor:
    """Tell whoever watches."""
    applied = _equipped.get(number)
    watching = None if _active is None else _active()
    if applied is not None and watching is not None:
        watching.see(applied, number, z)
    return z.new_empty(0)


_library = torch.library.Library("limen", "FRAGMENT")
_library.define("see(Tensor z, int number) -> Tensor")
_library.impl("see", see, "CompositeExplicitAutograd")
_library.impl("see", lambda z, number: z.new_empty(0), "Meta")  # pyright: ignore[reportUnknownLambdaType,reportUnknownMemberType]
