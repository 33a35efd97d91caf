"""Keeps errors of limen's own out of the training, counts the time that limen takes of it, and one thread at a time."""

from __future__ import annotations

import functools
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import torch

from limen.probe.modes import unseen
from limen.probe.quick import State

__all__ = ["Guarded", "alone", "clock", "guarded", "is_of_a_signal"]

clock = time.perf_counter

P = ParamSpec("P")
R = TypeVar("R")


class Guarded(Protocol):
    """What is called from the midst of a training."""

    state: State

    @property
    def lock(self) -> AbstractContextManager[bool]:
        """Held, more than once if need be, by who enters something or copies what was entered."""
        ...

    def fail(self, error: Exception) -> None:
        """Hear of an error of limen's own."""
        ...


def is_of_a_signal(error: Exception) -> bool:
    """Whether a signal handler of the script raised it, while limen happened to run."""
    handlers = {getattr(signal.getsignal(number), "__code__", None) for number in signal.valid_signals()} - {None}
    return any(frame.f_code in handlers for frame, _ in traceback.walk_tb(error.__traceback__))


G = TypeVar("G", bound=Guarded)


def guarded(method: Callable[Concatenate[G, P], R]) -> Callable[Concatenate[G, P], R | None]:
    """Keep an error out of the training, and account for the time that the method takes in seconds."""

    @functools.wraps(method)
    def wrapper(self: G, /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        state = self.state
        if state.closed:
            return None
        thread = threading.get_ident()
        if state.busy == thread:  # called by another guarded method, which accounts for the time of both
            return method(self, *args, **kwargs)
        began, grad = clock(), torch.is_grad_enabled()
        state.busy = thread  # no call between this and the ``finally`` below: an interrupt may come after any
        try:
            with self.lock, unseen():
                return method(self, *args, **kwargs)
        except Exception as error:
            if is_of_a_signal(error):
                raise
            self.fail(error)
            return None
        finally:
            state.busy = 0
            if torch.is_grad_enabled() is not grad:  # an interrupt came on the way out of a ``no_grad``, or into one
                torch.set_grad_enabled(grad)
            state.cost += clock() - began

    return wrapper


def alone(method: Callable[Concatenate[G, P], R]) -> Callable[Concatenate[G, P], R]:
    """Let whichever thread calls the method wait for guarded ones in others, and these for it."""

    @functools.wraps(method)
    def wrapper(self: G, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            return method(self, *args, **kwargs)

    return wrapper
