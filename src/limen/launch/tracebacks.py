"""Tracebacks as python would print them: without limen's frames, and without the detours torch takes for its hooks."""

from __future__ import annotations

import dis
import functools
import signal
import sys
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple

__all__ = ["clean"]

PACKAGE = str(Path(__file__).parent.parent)
DOORS = tuple(f"{PACKAGE}/{room}" for room in ("launch/", "probe/", "watch.py", "__main__.py", "cli/"))
"""Files through which a script meets limen without having called it; what a script calls itself stays visible."""
HOOKS = f"{PACKAGE}/probe/"
HANDED_ON = frozenset(("original", "func"))
"""What a hook calls a function of the training that it stands in for. All else that hooks call is limen's affair."""


class Entry(NamedTuple):
    """One line of a traceback."""

    frame: FrameType
    instruction: int
    line: int


def clean(error: BaseException) -> None:
    """Take limen out of the traceback of ``error`` and of all errors it is chained to; in place."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        current.__traceback__ = _cleaned(current.__traceback__)
        waiting += [near for near in (current.__cause__, current.__context__) if near is not None]
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions


def _cleaned(trace: TracebackType | None) -> TracebackType | None:
    before = _entries(trace)
    after = _without_detours(before)
    if after == before:
        return trace
    rebuilt: TracebackType | None = None
    for entry in reversed(after):
        rebuilt = TracebackType(rebuilt, entry.frame, entry.instruction, entry.line)
    return rebuilt


def _entries(trace: TracebackType | None) -> list[Entry]:
    entries: list[Entry] = []
    while trace is not None:
        entries.append(Entry(trace.tb_frame, trace.tb_lasti, trace.tb_lineno))
        trace = trace.tb_next
    return entries


def _without_detours(entries: list[Entry]) -> list[Entry]:
    kept: list[Entry] = []
    inside: CodeType | None = None  # of limen, what ran last
    hooked = False
    for entry in entries:
        code = entry.frame.f_code
        file = code.co_filename
        if file.startswith(DOORS) or (inside is not None and file.startswith(PACKAGE)):
            if inside is None and kept and _is_dispatch(kept[-1]):
                del kept[-2:]  # torch's dispatcher, and the function that will be entered once more, for good
            inside, hooked = code, (hooked and inside is not None) or file.startswith(HOOKS)
            continue
        if inside is not None and hooked and not (_hands_on(inside) or _handles_signal(code)):
            continue
        inside, hooked = None, False
        if kept and (direct := _direct_call(kept[-1], entry)) is not None:
            kept[-1] = direct
        else:
            kept.append(entry)
    return kept


def _hands_on(code: CodeType) -> bool:
    return not HANDED_ON.isdisjoint(code.co_varnames + code.co_freevars)


def _handles_signal(code: CodeType) -> bool:
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    return any(getattr(handler, "__code__", None) is code for handler in handlers)


def _is_dispatch(entry: Entry) -> bool:
    overrides: Any = sys.modules.get("torch.overrides")
    return overrides is not None and entry.frame.f_code is overrides.handle_torch_function.__code__


def _direct_call(outer: Entry, inner: Entry) -> Entry | None:
    """A module's call as it would be without hooks: ``_call_impl`` runs ``forward`` itself instead of ``inner``."""
    modules: Any = sys.modules.get("torch.nn.modules.module")
    if modules is None:
        return None
    call: CodeType = modules.Module._call_impl.__code__
    if outer.frame.f_code is not call or inner.frame.f_code not in call.co_consts:
        return None
    if _has_foreign_hooks(modules, outer.frame.f_locals.get("self")):
        return None
    position = _first_star_call(call)
    return Entry(outer.frame, *position) if position is not None else None


def _has_foreign_hooks(modules: Any, module: Any) -> bool:
    names = ("_backward_hooks", "_backward_pre_hooks", "_forward_hooks", "_forward_pre_hooks")
    own = [hook for name in names for hook in getattr(module, name, {}).values()]
    everywhere = [hook for name in names for hook in getattr(modules, f"_global{name}", {}).values()]
    return any(not getattr(hook, "__module__", "").startswith("limen.") for hook in own + everywhere)


@functools.cache
def _first_star_call(code: CodeType) -> tuple[int, int] | None:
    """Instruction and line of the first ``f(*args, **kwargs)``."""
    for instruction in dis.get_instructions(code):
        if instruction.opname == "CALL_FUNCTION_EX" and instruction.positions and instruction.positions.lineno:
            return instruction.offset, instruction.positions.lineno
    return None
