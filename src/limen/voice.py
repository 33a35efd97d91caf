"""What a watch says of itself while the training has the terminal, and for the reader of the report."""

from __future__ import annotations

import contextlib
import sys

__all__ = ["Voice", "broken"]


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
