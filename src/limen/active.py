"""Which watch is active in this process, and what a forked child makes of it."""

from __future__ import annotations

import os
import weakref
from typing import Generic, TypeVar

from limen.probe import Probe

__all__ = ["Active"]

W = TypeVar("W")


class Active(Generic[W]):
    """Holds one watch at a time, weakly, and the probes of all: a forked child trains unwatched, unless it asks."""

    def __init__(self) -> None:
        self._watch: weakref.ref[W] | None = None
        self._probes = weakref.WeakSet[Probe]()
        self._hears_of_forks = False

    def current(self) -> W | None:
        """The one that is active; None where none is."""
        return None if self._watch is None else self._watch()

    def begin(self, watch: W, probe: Probe) -> None:
        """This one is active from now on."""
        self._watch = weakref.ref(watch)
        self._probes.add(probe)
        if not self._hears_of_forks:  # what is registered stays for good
            os.register_at_fork(after_in_child=self._leave_to_parent)
            self._hears_of_forks = True

    def end(self, watch: W) -> None:
        """It is no longer, if it was."""
        if self.current() is watch:
            self._watch = None

    def _leave_to_parent(self) -> None:
        self._watch = None
        for probe in self._probes:
            probe.close_in_fork()
