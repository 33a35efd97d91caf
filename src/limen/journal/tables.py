"""The rows of a run file as arrays, with the type of every single value checked: SQLite itself enforces none."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict

import numpy as np

from limen.journal.encoding import Array
from limen.journal.schema import KINDS, Column, Kind
from limen.journal.unpacking import Stored

__all__ = ["stored_in"]

_ROWS = 8192  # fetched at a time, which bounds what is held as Python objects

History = tuple[Array, tuple[Array, ...]]
Arrays = dict[object, tuple[object, object]]


def stored_in(connection: sqlite3.Connection) -> dict[str, list[Stored]]:
    """Every entry of a run file in order, by table.

    Raises:
        ValueError: a value has another type than its column, or a row belongs to no entry.
        sqlite3.Error: the file is damaged.
    """
    return {table: _entries(connection, kind) for table, kind in KINDS.items()}


def _entries(connection: sqlite3.Connection, kind: Kind) -> list[Stored]:
    histories, arrays = _histories(connection, kind), _arrays(connection, kind)
    columns = tuple(np.zeros(0, dtype=_dtype(column)) for column in kind.columns)
    nothing: History = (np.zeros(0, dtype=np.int64), columns)
    found: list[Stored] = []
    for number, about in connection.execute(f'SELECT id, about FROM "{kind.table}" ORDER BY position, id'):
        if not isinstance(about, str):
            raise ValueError(f"{kind.table} {number} is not text")
        found.append(Stored(json.loads(about), *histories.pop(number, nothing), arrays.pop(number, {})))
    if histories or arrays:
        raise ValueError(f"there are rows of a {kind.table} that does not exist")
    return found


def _arrays(connection: sqlite3.Connection, kind: Kind) -> dict[int, Arrays]:
    found: dict[int, Arrays] = defaultdict(dict)
    if kind.part:
        for number, part, dtype, data in connection.execute(
            f'SELECT "{kind.table}", part, dtype, data FROM "{kind.array_table}"'
        ):
            found[number][part] = (dtype, data)
    return found


def _histories(connection: sqlite3.Connection, kind: Kind) -> dict[int, History]:
    """The history of each entry, by its number."""
    if not kind.columns:
        return {}
    read = (Column(kind.table, "INTEGER"), Column("step", "INTEGER"), *kind.columns)
    names = ", ".join(f'"{column.name}"' for column in read)
    cursor = connection.execute(f'SELECT {names} FROM "{kind.step_table}" ORDER BY step, "{kind.table}"')
    pages: list[list[Array]] = []
    while rows := cursor.fetchmany(_ROWS):
        pages.append([_column(column, values) for column, values in zip(read, zip(*rows, strict=True), strict=True)])
    if not pages:
        return {}
    owner, *columns = (np.concatenate(parts) for parts in zip(*pages, strict=True))
    order = np.argsort(owner, kind="stable")
    owners, begins = np.unique(owner[order], return_index=True)
    split = [np.split(column[order], begins[1:]) for column in columns]
    histories = {int(number): (step, tuple(rest)) for number, step, *rest in zip(owners, *split, strict=True)}
    if any(np.any(np.diff(step) <= 0) for step, _ in histories.values()):
        raise ValueError(f"the steps of a {kind.table} do not rise")
    return histories


def _dtype(column: Column) -> type[np.generic]:
    return np.int64 if column.type == "INTEGER" else np.float64


def _column(column: Column, values: tuple[object, ...]) -> Array:
    """One column of some rows; NULL in a REAL column is NaN."""
    allowed = {int} if column.type == "INTEGER" else {float, type(None)}
    if not set(map(type, values)) <= allowed:
        raise ValueError(f"column {column.name} holds something that is not a number")
    return np.array(values, dtype=_dtype(column))
