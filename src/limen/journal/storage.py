"""The open run file: brought from one save to the next in transactions, and put away at the end."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from limen.journal.delta import Change
from limen.journal.forks import QUIET
from limen.journal.place import is_busy
from limen.journal.schema import KINDS, Kind

__all__ = ["Storage"]

_ROWS = 512  # in one statement: 6,144 values of the widest table; SQLite takes 32,766 since 3.32
_PATIENCE = 2.0  # seconds to wait at the end for a reader

Row = tuple[object, ...]


def _put(table: str, width: int, rows: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f'REPLACE INTO "{table}" VALUES {", ".join([row] * rows)}'


def _drop(table: str, keys: tuple[str, ...], rows: int) -> str:
    row = f"({', '.join('?' * len(keys))})"
    names = ", ".join(f'"{key}"' for key in keys)
    return f'DELETE FROM "{table}" WHERE ({names}) IN (VALUES {", ".join([row] * rows)})'


def _keys(kind: Kind) -> dict[str, tuple[str, ...]]:
    """The primary key of each table of a kind."""
    return {
        kind.table: ("id",),
        kind.step_table: ("step", kind.table),
        kind.array_table: (kind.table, "part"),
    }


_KEYS = {table: key for kind in KINDS.values() for table, key in _keys(kind).items()}


class Storage:
    """The only writer of one run file, for use by one thread.

    Many rows go into one statement. Between two statements another thread may keep the interpreter for several
    milliseconds, so that a thousand single inserts would take seconds beside a busy training loop.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = sqlite3.connect(
            f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None, cached_statements=256, timeout=5.0
        )
        self._execute("PRAGMA journal_mode = WAL")
        self._execute("PRAGMA synchronous = NORMAL")
        self._file = os.stat(path)

    def write(self, changes: Iterable[Change]) -> bool:
        """Apply changes in one transaction, all or none; False where another process had locked the file.

        Raises:
            FileNotFoundError: the file was removed or replaced.
            sqlite3.Error: it could not be written.
        """
        if not os.path.samestat(os.stat(self._path), self._file):
            raise FileNotFoundError("another file has taken its place")
        try:
            self._execute("BEGIN IMMEDIATE")
            self._apply(changes)
            self._execute("COMMIT")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            if isinstance(error, sqlite3.Error) and is_busy(error):
                return False
            raise
        return True

    def _apply(self, changes: Iterable[Change]) -> None:
        waiting: dict[tuple[str, str], list[Row]] = {}
        for change in changes:
            rows = waiting.setdefault((change.action, change.table), [])
            rows.extend(change.rows)
            whole = len(rows) - len(rows) % _ROWS
            self._send(change.action, change.table, rows[:whole])
            del rows[:whole]
        for (action, table), rows in waiting.items():
            self._send(action, table, rows)

    def _send(self, action: str, table: str, rows: list[Row]) -> None:
        """Write rows in statements of 512, 256, … 1 rows, so that few distinct statements are compiled."""
        begin, count = 0, _ROWS
        while begin < len(rows):
            if len(rows) - begin < count:
                count //= 2
                continue
            batch = rows[begin : begin + count]
            text = _put(table, len(batch[0]), count) if action == "put" else _drop(table, _KEYS[table], count)
            self._execute(text, list(chain.from_iterable(batch)))
            begin += count

    def _execute(self, statement: str, values: list[object] | tuple[()] = ()) -> None:
        with QUIET:
            self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        """Close the file without more ado."""
        with QUIET:
            self._connection.close()

    def put_away(self) -> None:
        """Close the file so that it is one file again, readable also where nothing can be written.

        While somebody reads it that cannot be done; then it stays in WAL mode, whole with its ``-wal`` beside it.
        """
        until = time.monotonic() + _PATIENCE
        try:
            while True:
                try:
                    self._execute("PRAGMA journal_mode = DELETE")
                    return
                except sqlite3.Error as error:
                    if not is_busy(error) or time.monotonic() > until:
                        raise
                    time.sleep(0.05)
        finally:
            self.close()
