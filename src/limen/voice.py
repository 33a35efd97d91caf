"""What a watch says of itself: on stderr, to the reader of the report, and as its own ``repr``."""

from __future__ import annotations

import contextlib
import sys

__all__ = ["Voice", "broken", "standing"]


class Voice:
    """Speaks on stderr, one line at a time."""

    def __init__(self) -> None:
        self._said = set[str]()

    def say(self, message: str) -> None:
        """One line; nothing where a script has closed its stderr."""
        with contextlib.suppress(OSError, ValueError):
            print(f"limen: {message}", file=sys.stderr)

    def say_once(self, message: str) -> None:
        """The same, unless it was said before."""
        if message not in self._said:
            self._said.add(message)
            self.say(message)


def broken(error: Exception, step: int) -> str:
    """Why a watch ended of itself, for the reader of the report."""
    return f"the watch ended at step {step:,} because of an error of its own ({type(error).__name__}: {error})"


def standing(steps: int, looked: int, sites: int, state: str) -> str:
    """Where a watch stands, as its ``repr``.

    >>> standing(1200, 480, 5, "nothing found so far")
    '<limen.watch: 480 of 1,200 steps watched, 5 sites, nothing found so far>'
    """
    seen = f"{steps:,}" if looked == steps else f"{looked:,} of {steps:,}"
    return f"<limen.watch: {seen} step{'s' * (steps != 1)} watched, {sites:,} site{'s' * (sites != 1)}, {state}>"
