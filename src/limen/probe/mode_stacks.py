"""Puts a mode on the stacks of threads and takes it off, which only they themselves can do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from torch import nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode

from limen.probe.modes import insert_mode, is_present, remove_mode

__all__ = ["ModeStacks"]


class ModeStacks:
    """The stacks of all threads that have a mode on them, which each thread reaches by itself alone.

    Args:
        mode: that lets everything through where it is no longer wanted.
        is_wanted: whether it is in its place on the stack of the thread that asks.
    """

    def __init__(self, mode: TorchFunctionMode, is_wanted: Callable[[], bool]) -> None:
        self._threads: set[int] = set()  # those on whose stacks it was put and not taken off
        self._mode = mode
        self._is_wanted = is_wanted
        self._handle: Any = None

    def put(self) -> None:
        """Put it on the stack of this thread."""
        insert_mode(self._mode)
        self._threads.add(threading.get_ident())

    def take_off(self) -> None:
        """Take it off the stack of this thread, if it is there."""
        remove_mode(self._mode)
        self._threads.discard(threading.get_ident())

    def sweep(self) -> None:
        """Have the other threads take it off when they next call a module; the hook for that goes with the last."""
        if self._threads:
            self._forget()
        if self._threads and self._handle is None:
            self._handle = hooks.register_module_forward_pre_hook(self._enter)

    def _enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        if threading.get_ident() in self._threads and is_present(self._mode) and not self._is_wanted():
            self.take_off()
        self._forget()

    def _forget(self) -> None:
        """Leave out threads that have ended, and their stacks with them."""
        self._threads &= {thread.ident for thread in threading.enumerate()}
        if not self._threads and self._handle is not None:
            self._handle.remove()
            self._handle = None
