"""The last line of a terminal, shared with a program that knows nothing of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, TextIO

__all__ = ["Screen", "is_terminal"]

ERASE = b"\r\x1b[2K"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a line can be drawn on this stream and taken away again."""
    try:
        return stream is not None and stream.isatty() and os.environ.get("TERM", "") != "dumb"
    except ValueError:  # closed
        return False


class Screen:
    """Draws one line at the cursor and takes it away before anyone else writes.

    The streams stay the objects they are: only ``write`` and ``flush`` of their binary buffers are watched, by
    attributes of the instances; ``flush`` is what ``input`` and careful programs call before others write. So
    ``isatty``, ``fileno``, ``encoding``, a new text wrapper around the same buffer, or a copy of ``sys.stdout`` that
    someone took earlier all work as ever. The line is drawn only where the last thing written was a newline: a
    progress bar or a prompt is never written over.
    """

    def __init__(self, stream: TextIO, *others: TextIO | None) -> None:
        shared = [stream, *(other for other in others if other is not None and is_terminal(other))]
        self._streams = list({id(each): each for each in shared}.values())
        self._write: Callable[[Any], Any] = stream.buffer.write
        self._flush = stream.buffer.flush
        self._lock = threading.RLock()
        self._drawn = False
        self._at_start = True
        self._own_flush = False
        self._restore = [self._listen(each.buffer) for each in self._streams]
        os.register_at_fork(before=self.erase, after_in_child=self._forget)

    def draw(self, line: str) -> None:
        """Show ``line`` (no newline in it), unless the cursor stands within something else."""
        with self._lock:
            if not self._restore or not self._emptied() or not self._at_start:
                return
            self._send(ERASE + line.encode("utf-8", "replace"))
            self._drawn = True

    def say(self, line: str) -> None:
        """Leave ``line`` standing above the live one, under the same condition."""
        with self._lock:
            if self._restore and self._emptied() and self._at_start:
                self._send((ERASE if self._drawn else b"") + line.encode("utf-8", "replace") + b"\n")
                self._drawn = False

    def erase(self) -> None:
        """Take the line away."""
        with self._lock:
            if self._drawn:
                self._drawn = False
                self._send(ERASE)

    def close(self) -> None:
        """Take the line away and leave the streams as they were. Safe to call twice."""
        self.erase()
        with self._lock:
            while self._restore:
                self._restore.pop()()

    def _forget(self) -> None:
        """In a forked child, which does not know what its parent draws."""
        self._lock = threading.RLock()
        self._drawn = False
        while self._restore:
            self._restore.pop()()

    def _emptied(self) -> bool:
        """Whether everything the program wrote has reached the terminal: only then is the cursor where we think."""
        self._own_flush = True
        try:
            for stream in self._streams:
                stream.flush()
        except (OSError, ValueError):
            return False
        finally:
            self._own_flush = False
        return True

    def _send(self, data: bytes) -> None:
        try:
            self._write(data)
            self._flush()
        except (OSError, ValueError):  # the program closed its stderr, or the terminal is gone
            self._drawn = False

    def _listen(self, buffer: Any) -> Callable[[], None]:
        write: Callable[[Any], Any] = buffer.write
        flush: Callable[[], Any] = buffer.flush

        def watched_write(data: Any, /) -> Any:
            with self._lock:
                self.erase()
                written = write(data)
                if last := bytes(memoryview(data).cast("B")[-1:]):
                    self._at_start = last == b"\n"
                return written

        def watched_flush() -> Any:
            with self._lock:
                if self._drawn and not self._own_flush:
                    self.erase()
                    self._at_start = False  # what comes now, a prompt perhaps, does not come through here
                return flush()

        def restore() -> None:
            for name, watched in (("write", watched_write), ("flush", watched_flush)):
                if vars(buffer).get(name) is watched:
                    delattr(buffer, name)

        buffer.write, buffer.flush = watched_write, watched_flush
        return restore
