"""What the user calls things: dotted paths in a model, and the variables of the script that hold models and tensors."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import cast

from torch import Tensor, nn

__all__ = ["Root", "modules_in", "name_root", "name_tensors", "user_frame"]

OURS = ("limen", "torch")


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
    names: dict[str, object] = {**local}
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
            return Root(name, module)
    for name, module in modules.items():
        if any(inner is called for inner in module.modules()):
            return Root(name, module)
    return Root(type(called).__name__, called)


def modules_in(frame: FrameType | None) -> dict[str, nn.Module]:
    """Modules that a frame can name: its variables, then the attributes of its variables."""
    names = names_in(frame) if frame is not None else {}
    modules = {name: value for name, value in names.items() if isinstance(value, nn.Module)}
    for name, value in names.items():
        if isinstance(value, nn.Module | type) or name.startswith("__"):
            continue
        for attribute, inner in attributes(value).items():
            if isinstance(inner, nn.Module):
                modules.setdefault(attribute, inner)
    return modules


def attributes(value: object) -> Mapping[str, object]:
    """The instance attributes of an object, or none."""
    held = getattr(value, "__dict__", None) if type(value).__module__ != "builtins" else None
    return cast("Mapping[str, object]", held) if isinstance(held, dict) else {}


def name_tensors(tensors: Iterable[Tensor], frame: FrameType | None) -> dict[int, str]:
    """Names of tensors that belong to no module, by ``id``: their variables, or their place in a list or dict."""
    wanted = {id(tensor) for tensor in tensors}
    found: dict[int, str] = {}
    names = names_in(frame) if frame is not None else {}
    for name, value in names.items():
        if isinstance(value, Tensor):
            places: Iterable[tuple[str, object]] = [(name, value)]
        elif isinstance(value, list | tuple):
            places = [(f"{name}[{i}]", item) for i, item in enumerate(cast("list[object]", value)[:1000])]
        elif isinstance(value, dict):
            places = [
                (f"{name}[{key!r}]", item) for key, item in list(cast("dict[object, object]", value).items())[:1000]
            ]
        else:
            continue
        for place, item in places:
            if id(item) in wanted:
                found.setdefault(id(item), place)
    return found
