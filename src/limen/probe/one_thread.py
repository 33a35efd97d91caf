"""Which thread the training is in: two at once would be one heap of steps."""

from __future__ import annotations

import faulthandler
import re
import tempfile
import threading
import weakref
from collections.abc import Callable

from torch import Tensor
from torch.optim import Optimizer

from limen.probe.beginning import Beginning
from limen.probe.scope import Scope
from limen.probe.stretches import Stretches
from limen.probe.taps import Listener

__all__ = ["OneThread", "is_idle"]

TOGETHER = (
    "Another training ran at the same time in another thread: it was not watched, and all that is told is of the one "
    "that began first. A process of its own for each lets both be watched."
)
WAITS = (
    ("/threading.py", "start"),
    ("/threading.py", "join"),
    ("/concurrent/futures/_base.py", "result"),
    ("/concurrent/futures/thread.py", "shutdown"),
    ("/asyncio/base_events.py", "run_forever"),
)
"""End of a file's name, and the function in it in which a thread does nothing but wait for others."""
LONG = 50  # steps of others without anything at home, after which the training is taken to be theirs
RESTS = ("/concurrent/futures/thread.py", "_worker")  # the innermost call of a thread without work
THREAD = re.compile(r"(?:Current thread|Thread) (0x[0-9a-f]+)")
CALL = re.compile(r'  File "(.*)", line \d+ in (.*)')


class OneThread:
    """Passes on what happens in one thread, that of the training.

    It goes along where the training moves to another thread: its optimiser steps there, or the thread that it was in
    has ended or waits for others.

    Args:
        listener: told of what happens there.
        stretches: what goes its usual way is noted there, and not passed on.
        scope: where it is limited, only an optimiser of its models tells where their training is.
        note: told once of a second training at the same time.
    """

    def __init__(
        self, listener: Listener, stretches: Stretches, scope: Scope, note: Callable[[str, str], None]
    ) -> None:
        self._listener = listener
        self._stretches = stretches
        self._scope = scope
        self._note = note
        self._home = threading.get_ident()
        self._settled = False  # something of a training has happened at home
        self._running = 0  # backward passes at home that have not ended
        self._moved: weakref.WeakSet[Optimizer] = weakref.WeakSet()  # that have stepped at home
        self._others: list[tuple[weakref.ref[Optimizer], int]] = []  # steps elsewhere since the last event at home
        self._refused: weakref.WeakSet[Optimizer] = weakref.WeakSet()  # of another training; they stay so
        self._elsewhere: set[int] = set()  # threads in which those have stepped last
        self._heard = threading.local()  # in each thread, of its backward passes in progress, which were passed on
        self._lock = threading.Lock()

    def before_backward(self, beginning: Beginning | None) -> None:
        """A backward pass begins."""
        with self._lock:
            here = self._is_home(None)
            self._running += here
        self._passes().append(here)
        if here:
            self._listener.before_backward(beginning)

    def after_backward(self, succeeded: bool) -> None:
        """It ended."""
        passes = self._passes()
        if passes and passes.pop():
            with self._lock:
                self._running -= 1
            self._listener.after_backward(succeeded)

    def after_noted(self, succeeded: bool) -> None:
        """One ended that had been noted only."""
        self._listener.after_backward(succeeded)

    def after_scaling(self, loss: Tensor, enlarged: Tensor, factor: Tensor) -> None:
        """A gradient scaler has multiplied a loss."""
        if threading.get_ident() == self._home or not self._settled:
            self._listener.after_scaling(loss, enlarged, factor)

    def before_update(self, optimiser: Optimizer, has_closure: bool) -> None:
        """An optimiser is about to step."""
        with self._lock:
            here = self._is_home(optimiser)
        if here:
            self._moved.add(optimiser)
            self._listener.before_update(optimiser, has_closure)

    def after_evaluation(self, optimiser: Optimizer) -> None:
        """Its closure has returned for the first time."""
        if threading.get_ident() == self._home:
            self._listener.after_evaluation(optimiser)

    def after_update(self, optimiser: Optimizer, has_closure: bool) -> None:
        """It has stepped."""
        if threading.get_ident() == self._home:
            self._listener.after_update(optimiser, has_closure)

    def _passes(self) -> list[bool]:
        if not hasattr(self._heard, "passes"):
            self._heard.passes = []
        return self._heard.passes

    def _is_home(self, optimiser: Optimizer | None) -> bool:
        """Whether this thread is the one of the training, be it from now on."""
        here = threading.get_ident()
        concerns = not self._scope.is_limited if optimiser is None else self._scope.concerns([optimiser])
        if here == self._home:
            self._settled = self._settled or concerns
            if self._others:
                self._refuse()
            return True
        if not concerns or (here in self._elsewhere if optimiser is None else optimiser in self._refused):
            return False
        silent, stretch = len(self._others) >= LONG, self._stretches.current
        running = self._running or (stretch is not None and stretch.in_backward)
        if not running and (not self._settled or silent or optimiser in self._moved or is_idle(self._home)):
            self._home, self._settled, self._others = here, True, []
            self._elsewhere.discard(here)
            return True
        if optimiser is not None:
            self._others.append((weakref.ref(optimiser), here))
            if stretch is not None:
                stretch.disturbed = True
        return False

    def _refuse(self) -> None:
        """Something has happened at home since optimisers stepped elsewhere: theirs are other trainings."""
        for held, thread in self._others:
            optimiser = held()
            if optimiser is not None:
                self._refused.add(optimiser)
                self._elsewhere.add(thread)
        self._others = []
        self._note("threads", TOGETHER)


def is_idle(thread: int) -> bool:
    """Whether a thread has ended, or only waits for others."""
    calls = calls_in(thread)
    return not calls or is_of(calls[0], RESTS) or any(is_of(call, wait) for call in calls for wait in WAITS)


def is_of(call: tuple[str, str], known: tuple[str, str]) -> bool:
    """Whether a call is the one known by the end of its file's name and its function."""
    return call[0].endswith(known[0]) and call[1] == known[1]


def calls_in(thread: int) -> list[tuple[str, str]]:
    """File and function of the calls that a thread is in, the innermost first; none where it has ended.

    To follow ``f_back`` from frame to frame is not safe: the thread may run on in between, and the interpreter then
    reads what is no frame any more. This asks for the whole stack in one call, during which no other thread runs.
    """
    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        written = file.read().decode("ascii", "replace")
    calls: dict[int, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] = []
    for line in written.splitlines():
        if head := THREAD.match(line):
            current = calls.setdefault(int(head[1], 16), [])
        elif call := CALL.match(line):
            current.append((call[1].replace("\\", "/"), call[2]))
    return calls.get(thread, [])
