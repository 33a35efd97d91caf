"""What the user calls things: dotted paths in a model, and the variables of the script that hold models and tensors."""

from __future__ import annotations

import inspect
import itertools
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import TypeGuard, cast

from torch import Tensor, nn

__all__ = ["Root", "modules_in", "name_root", "name_tensors", "user_frame"]

OURS = ("limen", "torch")
MOST_ITEMS = 1000  # entries of one container that are looked at
PLAIN = (str, int, float, bool, type(None))  # keys whose `repr` runs no code of the user's


@dataclass(frozen=True, eq=False)
class Root:
    """A model as the script calls it.

    Attributes:
        label: the variable that holds it, or its class name.
        top: the module from which paths are counted: the one in that variable, which may contain the called one.
    """

    label: str
    top: nn.Module


def user_frame() -> FrameType | None:
    """The innermost frame that is neither torch's nor limen's."""
    frame = inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__", "")).split(".")[0] in OURS:
        frame = frame.f_back
    return frame


def names_in(frame: FrameType) -> dict[str, object]:
    """Local and global variables of a frame, without leaving references to them behind."""
    local = frame.f_locals
    names: dict[str, object] = {name: value for name, value in local.items() if name.isidentifier()}  # no `.0`
    if sys.version_info < (3, 13) and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        local.clear()  # only a snapshot, which would keep this step's tensors alive as long as the frame runs
    for name, value in frame.f_globals.items():
        names.setdefault(name, value)
    return names


def name_root(called: nn.Module, frame: FrameType | None) -> Root:
    """Find the variable that holds ``called``, or holds a module that contains it, or an object that does."""
    modules = modules_in(frame)
    for name, module in modules.items():
        if module is called:
            return Root(label_of(name, module), module)
    for name, module in modules.items():
        if any(inner is called for inner in module.modules()):
            return Root(label_of(name, module), module)
    return Root(type(called).__name__, called)


def label_of(name: str, module: nn.Module) -> str:
    """What to call a model: its variable, but ``self`` by its class, for a model that calls its own parts."""
    return type(module).__name__ if name == "self" else name


def modules_in(frame: FrameType | None) -> dict[str, nn.Module]:
    """Modules that a frame can name: its variables, the attributes of its variables, then what stands in containers."""
    names = names_in(frame) if frame is not None else {}
    objects = [
        value for name, value in names.items() if not issubclass(type(value), type) and not name.startswith("__")
    ]
    spaces = [names, *map(attributes, objects)]
    modules: dict[str, nn.Module] = {}
    for space in spaces:
        for name, value in space.items():
            if is_module(value):
                modules.setdefault(name, value)
    for space in spaces:
        for name, value in space.items():
            for place, item in items_of(name, value):
                if is_module(item):
                    modules.setdefault(place, item)
    return modules


def is_module(value: object) -> TypeGuard[nn.Module]:
    """Whether a value is a module by its type; `isinstance` would ask a proxy to load what it stands for."""
    return issubclass(type(value), nn.Module)


def attributes(value: object) -> Mapping[str, object]:
    """The instance attributes of an object, or none; those of a module are its own affair."""
    kind = type(value)
    if issubclass(kind, nn.Module) or kind.__module__ == "builtins":
        return {}
    try:
        held = object.__getattribute__(value, "__dict__")  # asks no `__getattr__` of the user's
    except AttributeError:
        return {}
    return cast("Mapping[str, object]", held) if isinstance(held, dict) else {}


def items_of(name: str, value: object) -> list[tuple[str, object]]:
    """The first entries of a list, tuple or dictionary, each called by its place."""
    if type(value) in (list, tuple):
        return [(f"{name}[{place}]", item) for place, item in enumerate(cast("list[object]", value)[:MOST_ITEMS])]
    if type(value) in (dict, OrderedDict, defaultdict):
        entries = itertools.islice(cast("dict[object, object]", value).items(), MOST_ITEMS)
        return [(f"{name}[{key!r}]", item) for key, item in entries if type(key) in PLAIN]
    return []


def name_tensors(tensors: Iterable[Tensor], frame: FrameType | None) -> dict[int, str]:
    """Names of tensors that belong to no module, by ``id``: their variables, or their place in a list or dict."""
    wanted = {id(tensor) for tensor in tensors}
    found: dict[int, str] = {}
    names = names_in(frame) if frame is not None else {}
    for name, value in names.items():
        for place, item in ((name, value), *items_of(name, value)):
            if id(item) in wanted:
                found.setdefault(id(item), place)
    return found
