"""What cannot be entered yet because its numbers are still on their way from a device."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from limen.kernels import Fetched

__all__ = ["Backlog"]

LONGEST = 20_000  # entries; then the device is waited for, lest memory run out


class Backlog:
    """Does things in the order they were given: at once while nothing is on its way, later otherwise."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[[], None], Fetched | None]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def do(self, action: Callable[[], None], awaits: Fetched | None = None) -> None:
        """Do something once ``awaits``, and all that was given before, has arrived."""
        if awaits is None and not self._waiting:
            action()
        else:
            self._waiting.append((action, awaits))

    def drain(self, *, wait: bool = False) -> None:
        """Do what can be done now; with ``wait``, everything."""
        wait = wait or len(self._waiting) > LONGEST
        while self._waiting:
            action, awaits = self._waiting[0]
            if not (wait or awaits is None or awaits.has_arrived):
                return
            self._waiting.popleft()
            action()
