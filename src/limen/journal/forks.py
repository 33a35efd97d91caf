"""Keeps forks and SQLite apart.

SQLite holds locks of its own for moments of each call. A child forked in such a moment inherits them locked, and
would wait for ever at its first own use of SQLite (a data set in a ``DataLoader`` worker, for instance). So a fork
waits until the journal's thread is outside of SQLite.
"""

import os
import threading

__all__ = ["QUIET"]

QUIET = threading.Lock()
"""Held around each call into SQLite by a journal's thread."""

_PATIENCE = 5.0  # seconds: a fork must not wait for ever on a disk that hangs
_held: list[bool] = []


def _before() -> None:
    _held.append(QUIET.acquire(timeout=_PATIENCE))


def _after_in_parent() -> None:
    if _held.pop():
        QUIET.release()


def _after_in_child() -> None:
    _held.clear()
    if QUIET.locked():  # the only thread of the child is the one that forked
        QUIET.release()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
