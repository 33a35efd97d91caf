"""What cannot be entered yet because its numbers are still on their way from a device."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from limen.kernels import Fetched

__all__ = ["Backlog"]

LONGEST = 20_000  # entries; then the device is waited for, lest memory run out


class Backlog:
    """Does things in the order they were given: at once while nothing is on its way, later otherwise.

    Attributes:
        waiting: what has yet to be done.
    """

    def __init__(self) -> None:
        self.waiting: deque[tuple[Callable[[], None], Fetched | None]] = deque()

    def __len__(self) -> int:
        return len(self.waiting)

    def do(self, action: Callable[[], None], awaits: Fetched | None = None) -> None:
        """Do something once ``awaits``, and all that was given before, has arrived."""
        if awaits is None and not self.waiting:
            action()
        else:
            self.waiting.append((action, awaits))

    def drain(self, *, wait: bool = False) -> None:
        """Do what can be done now; with ``wait``, everything."""
        wait = wait or len(self.waiting) > LONGEST
        while self.waiting:
            action, awaits = self.waiting[0]
            if not (wait or awaits is None or awaits.has_arrived):
                return
            self.waiting.popleft()
            action()
