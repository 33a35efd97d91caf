"""A whole run: the program, its companion, and the end of the process, whichever way it comes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn, Protocol

from limen.launch.execute import end, execute, show
from limen.launch.imports import after_import
from limen.launch.target import Target

__all__ = ["Companion", "launch"]

PATIENCE = 2.0
"""Seconds that a program told to terminate stands still while its report is written; after that it runs on until the
report is done, for what it holds may be what the report waits for."""


class Companion(Protocol):
    """What accompanies a program; its methods must not raise."""

    def torch_is_here(self) -> None:
        """The program has just imported torch."""
        ...

    def program_ended(self, code: int) -> int:
        """It has ended with this exit code (negative: a signal). Told once. Returns the code to leave with."""
        ...


def launch(target: Target, companion: Companion) -> NoReturn:
    """Run the target as python would, tell the companion, and leave the process as python would."""
    if not target.compiles:
        raise SystemExit(_refused_by_python(target))
    owner = os.getpid()
    cancel = after_import("torch", lambda: companion.torch_is_here() if os.getpid() == owner else None)
    finish = _Once(companion.program_ended)
    _on_termination(finish)
    outcome = execute(target)
    show(outcome, target)
    cancel()
    code = outcome.code
    if os.getpid() == owner:  # a child that the program forked may come out here as well
        _join_threads()
        code = finish(code)
    end(outcome, code)


class _Once:
    """A function that is called at most once, whichever thread comes first; the others wait for its answer."""

    def __init__(self, call: Callable[[int], int]) -> None:
        self._call = call
        self._lock = threading.Lock()
        self._answer: int | None = None

    def __call__(self, code: int) -> int:
        with self._lock:
            if self._answer is None:
                self._answer = self._call(code)
            return self._answer


def _on_termination(finish: Callable[[int], int]) -> None:
    """On SIGTERM finish first, then die of it; a handler that the program sets takes the place of this one."""
    owner = os.getpid()

    def finish_and_die() -> None:
        try:
            finish(-int(signal.SIGTERM))
        finally:
            os.kill(owner, signal.SIGTERM)

    def handle(number: int, frame: FrameType | None) -> None:
        # In a thread: this handler may have interrupted code that holds a lock which finishing needs.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one kills at once
        thread = threading.Thread(target=finish_and_die, daemon=True)
        thread.start()
        thread.join(PATIENCE)

    held = threading.local()  # the signal masks of the threads that are forking

    def hold() -> None:
        # Until the child has forgotten: python drops a signal that arrives between the fork and there.
        if signal.getsignal(signal.SIGTERM) is handle:
            held.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def release() -> None:
        mask = held.__dict__.pop("mask", None)
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def forget() -> None:
        if signal.getsignal(signal.SIGTERM) is handle:
            with contextlib.suppress(ValueError):
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
        release()

    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handle)
        os.register_at_fork(before=hold, after_in_parent=release, after_in_child=forget)


def _join_threads() -> None:
    """Wait for the program's threads as python does at its end, so that a training in one is watched to its end."""
    if any(not t.daemon and t is not threading.current_thread() for t in threading.enumerate()):
        with contextlib.suppress(KeyboardInterrupt):
            threading._shutdown()  # type: ignore[attr-defined]  # what python calls next; a second call does nothing


def _refused_by_python(target: Target) -> int:
    """Nothing of the script was run: let python say what is wrong with it, in its own words."""
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return subprocess.run([sys.executable, *flags, target.file and target.name, *target.arguments]).returncode
