"""Runs a target in this process exactly as python would, and says how it ended."""

from __future__ import annotations

import builtins
import contextlib
import importlib.machinery
import os
import runpy
import signal
import sys
from dataclasses import dataclass
from types import ModuleType, TracebackType
from typing import NoReturn

from limen.launch.target import Target
from limen.launch.tracebacks import clean

__all__ = ["Outcome", "end", "execute", "show"]


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a program ended.

    Attributes:
        error: what it raised and did not catch, ``SystemExit`` included; None when it ran to its last line.
    """

    error: BaseException | None = None

    @property
    def code(self) -> int:
        """The exit code that a shell would see; negative for a signal."""
        if self.error is None:
            return 0
        if isinstance(self.error, SystemExit):
            code = self.error.code
            return 0 if code is None else code & 0xFF if isinstance(code, int) else 1
        return -int(signal.SIGINT) if self.is_interrupt else 1

    @property
    def is_interrupt(self) -> bool:
        """Whether python would die of Ctrl-C: of ``KeyboardInterrupt`` itself, not of a class derived from it."""
        return type(self.error) is KeyboardInterrupt


def execute(target: Target) -> Outcome:
    """Run the target as ``__main__`` of this process.

    Args:
        target: a module, or a script that compiles.

    Returns:
        How it ended; the traceback of the error is the one that python would have.
    """
    main = _enter(target)
    try:
        if target.code is None:
            run_as_main = runpy._run_module_as_main  # type: ignore[attr-defined]  # what python -m itself calls
            run_as_main(target.name)
        else:
            exec(target.code, main.__dict__)
    except BaseException as error:
        clean(error)
        return Outcome(error)
    finally:
        _flush()
    return Outcome()


def show(outcome: Outcome, target: Target) -> None:
    """Print what python prints about the end of a program, and forget what python forgets."""
    error = outcome.error
    if isinstance(error, SystemExit):
        if error.code is not None and not isinstance(error.code, int) and sys.stderr is not None:
            sys.stderr.write(f"{error.code}\n")
    elif error is not None:
        _show_uncaught(error)
    if not target.is_module:
        for name in ("__file__", "__cached__"):
            sys.modules["__main__"].__dict__.pop(name, None)


def end(outcome: Outcome, code: int) -> NoReturn:
    """Leave the process with ``code``; where that is the program's own, in the program's own way."""
    if code == outcome.code:
        if outcome.is_interrupt:
            sys.excepthook = _silent  # it was shown before; python now dies of the signal
            raise KeyboardInterrupt
        if isinstance(outcome.error, SystemExit) and isinstance(outcome.error.code, int):
            raise SystemExit(outcome.error.code)
    raise SystemExit(code)


def _silent(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    pass


def _enter(target: Target) -> ModuleType:
    """Give this process the face of ``python TARGET``: a fresh ``__main__``, ``sys.argv`` and ``sys.path[0]``."""
    main = ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __annotations__={})
    if target.is_module:
        sys.argv[:] = ["-m", *target.arguments]
        folder = os.getcwd()
    else:
        loader = importlib.machinery.SourceFileLoader("__main__", target.file)
        main.__dict__.update(__file__=target.file, __cached__=None, __loader__=loader)
        sys.argv[:] = [target.name, *target.arguments]
        folder = os.path.dirname(os.path.realpath(target.file))
    if not sys.flags.safe_path:
        sys.path[0] = folder
    _previous.append(sys.modules["__main__"])
    sys.modules["__main__"] = main
    return main


_previous: list[ModuleType] = []
"""Limen's own ``__main__``, kept from being torn down while its functions still run."""


def _flush() -> None:
    """Python empties both streams when a program ends, before it prints a traceback; errors come up again later."""
    for stream in (sys.stderr, sys.stdout):
        with contextlib.suppress(Exception):
            stream.flush()


def _show_uncaught(error: BaseException) -> None:
    """What ``PyErr_Print`` does."""
    trace = error.__traceback__
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    try:
        sys.excepthook(type(error), error, trace)
    except BaseException as raised:
        broken = raised
    else:
        return
    clean(broken)
    sys.stderr.write("Error in sys.excepthook:\n")
    sys.__excepthook__(type(broken), broken, broken.__traceback__)
    sys.stderr.write("\nOriginal exception was:\n")
    sys.__excepthook__(type(error), error, trace)
