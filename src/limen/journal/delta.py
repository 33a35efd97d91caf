"""What a save must write: the difference between a run and what the file already holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from limen.journal.encoding import Array, blob_of, to_json
from limen.journal.packing import Entry, Stored, hash_of
from limen.journal.schema import KINDS, Kind

__all__ = ["Drop", "Ledger", "Placed", "Put", "changes", "enter"]

Row = tuple[object, ...]
History = tuple[Array, tuple[Array, ...]]  # steps and columns


@dataclass(frozen=True)
class Put:
    """Rows to put into a table, each in place of the one that has its key."""

    table: str
    rows: list[Row]


@dataclass(frozen=True)
class Drop:
    """Rows to take out of a table: the steps or parts of one entry, or the entry itself where there are none."""

    table: str
    id: int
    parts: tuple[int | str, ...] = ()


@dataclass(frozen=True, eq=False)
class Placed:
    """An entry with its number in the file and its position among its kind."""

    id: int
    position: int
    entry: Entry


@dataclass(frozen=True, eq=False)
class Ledger:
    """What a file holds: every entry by table and key, and the next free number of each table."""

    placed: Mapping[str, Mapping[str, Placed]] = field(default_factory=dict[str, Mapping[str, Placed]])
    free: Mapping[str, int] = field(default_factory=dict[str, int])

    def written(self) -> Ledger:
        """The same once all of it is in the file: without the arrays, of which the hashes are enough."""
        placed = {
            table: {key: replace(one, entry=one.entry.written()) for key, one in entries.items()}
            for table, entries in self.placed.items()
        }
        return Ledger(placed, self.free)


def enter(before: Ledger, entries: Mapping[str, list[Entry]]) -> Ledger:
    """The ledger once these entries, and no others, are in the file. Numbers are kept, and never given twice."""
    placed: dict[str, Mapping[str, Placed]] = {}
    free: dict[str, int] = {}
    for table in KINDS:
        known, following, here = before.placed.get(table, {}), before.free.get(table, 1), dict[str, Placed]()
        for position, entry in enumerate(entries[table]):
            old = known.get(entry.key)
            here[entry.key] = Placed(old.id if old else following, position, entry)
            following += old is None
        placed[table], free[table] = here, following
    return Ledger(placed, free)


def changes(before: Ledger, after: Ledger) -> Iterator[Put | Drop]:
    """What turns a file that holds ``before`` into one that holds ``after``, a few rows at a time.

    Raises:
        ValueError: the steps of a history do not rise.
    """
    for table, kind in KINDS.items():
        known, wanted = before.placed.get(table, {}), after.placed[table]
        for key in known.keys() - wanted.keys():
            nothing = Placed(known[key].id, 0, Entry(key, {}))
            yield Drop(table, nothing.id)
            yield from _of_parts(kind, known[key], nothing)
        for key, new in wanted.items():
            old = known.get(key)
            if old is None or old.position != new.position or old.entry.about != new.entry.about:
                yield Put(table, [(new.id, new.position, to_json(new.entry.about))])
            yield from _of_parts(kind, old, new)


def _of_parts(kind: Kind, old: Placed | None, new: Placed) -> Iterator[Put | Drop]:
    if kind.columns:
        yield from _of_history(kind, old.entry if old else None, new)
    if kind.part:
        yield from _of_arrays(kind, old.entry.arrays if old else {}, new)


def _of_arrays(kind: Kind, old: Mapping[str | int, Stored], new: Placed) -> Iterator[Put | Drop]:
    wanted = new.entry.arrays
    changed: list[Row] = [
        (new.id, part, *blob_of(stored))
        for part, stored in wanted.items()
        if not isinstance(stored, int) and (part not in old or hash_of(old[part]) != hash_of(stored))
    ]
    if changed:
        yield Put(kind.array_table, changed)
    if gone := old.keys() - wanted.keys():
        yield Drop(kind.array_table, new.id, tuple(gone))


def _same(a: Array, b: Array) -> bool:
    """Whether the bits are equal, which two equal NaN are."""
    return a is b or (a.dtype == b.dtype and a.tobytes() == b.tobytes())


def _history(kind: Kind, entry: Entry) -> History:
    if entry.history is None:
        return np.zeros(0, np.int64), ()
    steps, *columns = (getattr(entry.history, name) for name in ("step", *(column.name for column in kind.columns)))
    return steps, tuple(columns)


def _of_history(kind: Kind, old: Entry | None, new: Placed) -> Iterator[Put | Drop]:
    steps, columns = history = _history(kind, new.entry)
    before = _history(kind, old) if old else None
    held = len(before[0]) if before else 0
    grown = before is None or (
        _same(steps[:held], before[0]) and all(map(_same, (c[:held] for c in columns), before[1]))
    )
    changed = np.arange(held, len(steps)) if before is None or grown else _changed(before, history)
    _must_rise(steps[max(held - 1, 0) :] if grown else steps, f"{kind.table} {' '.join(new.entry.key.split())!r}")
    if len(changed):
        picked = (column[changed].tolist() for column in (steps, *columns))
        rows: list[Row] = [(step, new.id, *row) for step, *row in zip(*picked, strict=True)]
        yield Put(kind.step_table, rows)
    if before is not None and not grown and (gone := set(before[0].tolist()) - set(steps.tolist())):
        yield Drop(kind.step_table, new.id, tuple(sorted(gone)))


def _must_rise(steps: Array, name: str) -> None:
    listed: list[int] = steps.tolist()
    if any(later <= earlier for earlier, later in pairwise(listed)):
        raise ValueError(f"the steps of {name} do not rise")


def _changed(old: History, new: History) -> npt.NDArray[np.intp]:
    """Indices of the rows of ``new`` that are not in ``old`` with the same content, after rows have disappeared."""
    (then, before_all), (now, after_all) = old, new
    if len(then) == 0 or len(now) == 0:
        return np.arange(len(now))
    place = np.minimum(np.searchsorted(then, now), len(then) - 1)
    same = then[place] == now
    for before, after in zip(before_all, after_all, strict=True):
        kept = before[place]
        same &= (kept == after) | ((kept != kept) & (after != after))  # x != x: NaN
    return np.flatnonzero(~same)
