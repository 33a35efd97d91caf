"""Takes a mode out of the stacks of other threads, which only they can reach."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from torch import nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode

from limen.probe.modes import is_present, remove_mode

__all__ = ["Leftovers"]


class Leftovers:
    """Threads that still have a mode on their stacks where it is no longer wanted, and lets everything through.

    Each takes it off when it next calls a module. The hook for that goes when no thread is left.

    Args:
        mode: to take off.
        is_wanted: whether it is in its place on the stack of the thread that asks.

    Attributes:
        threads: those on whose stacks it was put and not taken off.
    """

    def __init__(self, mode: TorchFunctionMode, is_wanted: Callable[[], bool]) -> None:
        self.threads: set[int] = set()
        self._mode = mode
        self._is_wanted = is_wanted
        self._handle: Any = None

    def sweep(self) -> None:
        """Have the threads that still run take it off."""
        if self.threads:
            self._forget()
        if self.threads and self._handle is None:
            self._handle = hooks.register_module_forward_pre_hook(self._enter)

    def _enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        here = threading.get_ident()
        if here in self.threads and is_present(self._mode) and not self._is_wanted():
            remove_mode(self._mode)
            self.threads.discard(here)
        self._forget()

    def _forget(self) -> None:
        """Leave out threads that have ended, and their stacks with them."""
        self.threads &= {thread.ident for thread in threading.enumerate()}
        if not self.threads and self._handle is not None:
            self._handle.remove()
            self._handle = None
