"""The layout of a run file: one table per kind of entry, one for its rows over time, one for its arrays.

Every kind has a table of entries ``(id, position, about)``, where ``about`` is JSON. A kind with a history has a
table ``<kind>_step`` with one row per recorded step; its key begins with the step, so that a running training only
touches the last pages. A kind with arrays has a table ``<kind>_array`` of raw little-endian blobs: ``<f8``, ``<i8``, or
``<u2+1000`` for unsigned numbers to which 1,000 must be added; ``=+7`` and no bytes where all numbers are 7.
"""

import sqlite3
from dataclasses import dataclass
from typing import Literal

__all__ = ["APPLICATION_ID", "KINDS", "VERSION", "Column", "Kind", "create", "layout"]

APPLICATION_ID = 0x6C696D6E
"""``limn`` in ASCII: how the ``file`` command and limen know a run file."""

VERSION = 4
"""Raised with every change of the tables, of the JSON in them, or of the meaning of either."""


@dataclass(frozen=True)
class Column:
    """One column of a history: its name and how SQLite keeps it (a NaN is kept as NULL)."""

    name: str
    type: Literal["INTEGER", "REAL"] = "REAL"


@dataclass(frozen=True)
class Kind:
    """One kind of entry and its tables.

    Attributes:
        table: name of the table of entries.
        columns: of the history, beside the step and the entry; empty where a kind has no history.
        part: how an array of an entry is named, by a word or by a step; None where a kind has no arrays.
    """

    table: str
    columns: tuple[Column, ...] = ()
    part: Literal["TEXT", "INTEGER"] | None = None

    @property
    def step_table(self) -> str:
        """Name of the table of the history."""
        return f"{self.table}_step"

    @property
    def array_table(self) -> str:
        """Name of the table of the arrays."""
        return f"{self.table}_array"


def _whole(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "INTEGER") for name in names)


def _real(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name) for name in names)


_SITE_COLUMNS = (
    *_whole("samples", "dead", "saturated", "nonfinite"),
    *_real("inactive", "mean", "std", "low", "high", "gradient"),
)

KINDS: dict[str, Kind] = {
    kind.table: kind
    for kind in (
        Kind("run"),  # a single entry: what was run, for how long, on what machine
        Kind("site", _SITE_COLUMNS, part="TEXT"),
        Kind("parameter", _real("gradient", "weight", "update")),
        Kind("loss", _real("value")),
        Kind("optimiser", _real("learning_rate")),
        Kind("histogram", part="INTEGER"),
        Kind("finding"),
        Kind("treatment"),
    )
}
"""All kinds of entries, by name of their table."""


def _tables(kind: Kind) -> list[str]:
    """The statements that make the tables of one kind."""
    owner = f'"{kind.table}" INTEGER NOT NULL'
    made = [f'CREATE TABLE "{kind.table}" (id INTEGER PRIMARY KEY, position INTEGER NOT NULL, about TEXT NOT NULL)']
    if kind.columns:
        columns = ", ".join(f'"{column.name}" {column.type}' for column in kind.columns)
        key = f'PRIMARY KEY (step, "{kind.table}")'
        made.append(
            f'CREATE TABLE "{kind.step_table}" (step INTEGER NOT NULL, {owner}, {columns}, {key}) WITHOUT ROWID'
        )
    if kind.part:
        columns = f"part {kind.part} NOT NULL, dtype TEXT NOT NULL, data BLOB NOT NULL"
        made.append(f'CREATE TABLE "{kind.array_table}" ({owner}, {columns}, PRIMARY KEY ("{kind.table}", part))')
    return made


def create(connection: sqlite3.Connection) -> None:
    """Lay out an empty run file in one transaction, so that a crash leaves all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    for kind in KINDS.values():
        for statement in _tables(kind):
            connection.execute(statement)
    connection.execute("COMMIT")


def layout(connection: sqlite3.Connection) -> set[tuple[str, str, str, str | None]]:
    """Type, name, table and SQL of everything a file declares: equal in all run files of one version."""
    return set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))
