"""A pseudo-terminal to run programs in, and a small model of a screen to replay their bytes on."""

import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PIECE = re.compile(
    r"\x1b\[(?P<number>[\d;]*)(?P<letter>[A-Za-z])|\x1b\[\?\d+[hl]|(?P<control>[\r\n\x08])|(?P<text>[^\x1b\r\n\x08]+)"
)


def in_terminal(*command: str, cwd: Path, typed: bytes = b"", **more: str) -> tuple[int, str]:
    """Exit code of python with these arguments, and all that it wrote; its three streams are one terminal."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "OMP_NUM_THREADS": "1", **more}
    os.write(master, typed)  # before the program begins, or it would be chance where the terminal echoes it
    with subprocess.Popen(
        [sys.executable, *command], stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=environment
    ) as process:
        os.close(slave)
        received = bytearray()
        try:
            while chunk := os.read(master, 4096):
                received += chunk
        except OSError:  # the other side is closed: so a pseudo-terminal ends
            pass
        os.close(master)
        return process.wait(60), received.decode()


@contextmanager
def as_terminal(monkeypatch: pytest.MonkeyPatch, **more: str) -> Iterator[bytearray]:
    """A terminal for what this very process prints on stdout, which is in the bytes once the block has ended."""
    master, slave = pty.openpty()
    for name, value in {"TERM": "xterm", "COLUMNS": "100", **more}.items():
        monkeypatch.setenv(name, value)
    written = bytearray()

    def read() -> None:
        with suppress(OSError):  # the other side is closed: so a pseudo-terminal ends
            while chunk := os.read(master, 4096):
                written.extend(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with monkeypatch.context() as for_now, open(slave, "w", encoding="utf-8") as stream:
            for_now.setattr(sys, "stdout", stream)
            yield written
    finally:
        reader.join()
        os.close(master)


def replay(written: str) -> list[str]:
    """The lines that stand on a (very tall) screen in the end, without trailing blanks."""
    rows: list[list[str]] = [[]]
    row = column = 0
    for piece in PIECE.finditer(written):
        if piece["control"] == "\r":
            column = 0
        elif piece["control"] == "\x08":
            column = max(0, column - 1)
        elif piece["control"] == "\n":
            row += 1
        elif piece["letter"] == "A":
            row = max(0, row - int(piece["number"] or 1))
        elif piece["letter"] == "K":
            rows[row] = [] if piece["number"] == "2" else rows[row][:column]
        for letter in piece["text"] or "":
            rows[row].extend(" " * (column + 1 - len(rows[row])))
            rows[row][column] = letter
            column += 1
        rows.extend([] for _ in range(row + 1 - len(rows)))
    return ["".join(line).rstrip() for line in rows]
