"""The open run file: brought from one save to the next in transactions, and put away at the end."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import cast

from limen.journal.delta import Drop, Put
from limen.journal.forks import QUIET
from limen.journal.place import is_busy
from limen.journal.schema import KINDS, Kind

__all__ = ["Storage"]

_ROWS = 512  # in one statement: 6,144 values of the widest table; SQLite takes 32,766 since 3.32
_LEFT_OVER = 2**20  # bytes that the -wal file keeps for the next save; thinning all histories at once needs far more
_ENOUGH = 2**22  # bytes of arrays in one transaction
_THINNED = 2**14  # rows that one transaction takes out, of some 80 bytes each
_PATIENCE = 2.0  # seconds to wait at the end for a reader

Row = tuple[object, ...]
_Drops = dict[tuple[str, tuple[int | str, ...]], list[object]]


def _owner(change: Put | Drop) -> object:
    """The number of the entry that a change is of."""
    if isinstance(change, Drop):
        return change.id
    return change.rows[0][1 if change.table == _KIND[change.table].step_table else 0]


def _put(table: str, width: int, rows: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f'REPLACE INTO "{table}" VALUES {", ".join([row] * rows)}'


def _owner_and_part(kind: Kind) -> dict[str, tuple[str, str | None]]:
    """In each table of a kind, the column that holds the entry and the one that holds its step or part."""
    return {
        kind.table: ("id", None),
        kind.step_table: (kind.table, "step"),
        kind.array_table: (kind.table, "part"),
    }


_COLUMNS = {table: pair for kind in KINDS.values() for table, pair in _owner_and_part(kind).items()}

_KIND = {table: kind for kind in KINDS.values() for table in _owner_and_part(kind)}


def _padded(values: list[object]) -> list[object]:
    """The last value repeated up to a power of two, so that few distinct statements are compiled."""
    return values + values[-1:] * ((1 << (len(values) - 1).bit_length()) - len(values))


class Storage:
    """The only writer of one run file, for use by one thread.

    Many rows go into one statement. Between two statements another thread may keep the interpreter for several
    milliseconds, so that a thousand single inserts would take seconds beside a busy training loop.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with QUIET:
            self._connection = sqlite3.connect(
                f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None, cached_statements=256, timeout=5.0
            )
        self._execute("PRAGMA journal_mode = WAL")
        self._execute("PRAGMA synchronous = NORMAL")
        self._execute(f"PRAGMA journal_size_limit = {_LEFT_OVER}")
        self._file = os.stat(path)

    def write(self, changes: Iterable[Put | Drop]) -> bool:
        """Apply changes; False where another process had locked the file, and they must be applied again.

        In one transaction, all or none, but for two things that would make the ``-wal`` file as large as the file
        itself: many megabytes of arrays are written entry by entry, and histories are thinned afterwards.

        Raises:
            FileNotFoundError: the file was removed or replaced.
            sqlite3.Error: it could not be written.
        """
        if not os.path.samestat(os.stat(self._path), self._file):
            raise FileNotFoundError("another file has taken its place")
        try:
            self._execute("BEGIN IMMEDIATE")
            thinned = self._apply(changes)
            self._execute("COMMIT")
            self._thin(thinned)
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error), QUIET:
                self._connection.rollback()
            if isinstance(error, sqlite3.Error) and is_busy(error):
                return False
            raise
        return True

    def _apply(self, changes: Iterable[Put | Drop]) -> _Drops:
        """Apply changes, but for steps that are taken out of entries that stay where they are many: returns those."""
        waiting: dict[str, list[Row]] = {}
        drops: _Drops = {}
        thinned: _Drops = {}
        gone: set[tuple[str, int]] = set()
        begun: tuple[str, object] | None = None  # the entry that the last change was of
        size = 0
        for change in changes:
            kind, owner = _KIND[change.table], _owner(change)
            if size > _ENOUGH and (kind.table, owner) != begun:
                self._flush(waiting)
                self._execute("COMMIT")
                self._execute("BEGIN IMMEDIATE")
                size = 0
            begun = kind.table, owner
            if isinstance(change, Drop):
                if change.table == kind.table:
                    gone.add((kind.table, change.id))
                is_thinned = change.table == kind.step_table and (kind.table, change.id) not in gone
                (thinned if is_thinned else drops).setdefault((change.table, change.parts), []).append(change.id)
                continue
            rows = waiting.setdefault(change.table, [])
            rows.extend(change.rows)
            if change.table == kind.array_table:
                size += sum(len(cast("bytes", row[-1])) for row in change.rows)
            whole = len(rows) - len(rows) % _ROWS
            self._put(change.table, rows[:whole])
            del rows[:whole]
        self._flush(waiting)
        few = sum(len(parts) * len(owners) for (_, parts), owners in thinned.items()) <= _THINNED
        for (table, parts), owners in (*drops.items(), *(thinned.items() if few else ())):
            self._drop(table, list(parts), owners)
        return {} if few else thinned

    def _flush(self, waiting: dict[str, list[Row]]) -> None:
        for table, rows in waiting.items():
            self._put(table, rows)
        waiting.clear()

    def _thin(self, drops: _Drops) -> None:
        """Take out steps a few at a time: all at once would copy the whole file into its ``-wal``."""
        for (table, parts), owners in drops.items():
            few = max(1, _THINNED // len(owners))
            for begin in range(0, len(parts), few):
                self._execute("BEGIN IMMEDIATE")
                self._drop(table, list(parts[begin : begin + few]), owners)
                self._execute("COMMIT")

    def _put(self, table: str, rows: list[Row]) -> None:
        """Write rows in statements of 512, 256, … 1 rows, so that few distinct statements are compiled."""
        begin, count = 0, _ROWS
        while begin < len(rows):
            if len(rows) - begin < count:
                count //= 2
                continue
            batch = rows[begin : begin + count]
            self._execute(_put(table, len(batch[0]), count), list(chain.from_iterable(batch)))
            begin += count

    def _drop(self, table: str, parts: list[object], owners: list[object]) -> None:
        """Take the same steps or parts out of many entries at once: histories are mostly thinned together."""
        owner, part = _COLUMNS[table]
        for begin in range(0, len(owners), _ROWS):
            some = _padded(owners[begin : begin + _ROWS])
            text = f'DELETE FROM "{table}" WHERE "{owner}" IN ({", ".join("?" * len(some))})'
            if part is None:
                self._execute(text, some)
            for start in range(0, len(parts), _ROWS):
                these = _padded(parts[start : start + _ROWS])
                self._execute(f'{text} AND "{part}" IN ({", ".join("?" * len(these))})', [*some, *these])

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
