"""A run file read back, with every byte of it taken for hostile."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from limen.errors import UnreadableJournal
from limen.journal.run import Run
from limen.journal.schema import APPLICATION_ID, VERSION, create, layout
from limen.journal.tables import stored_in
from limen.journal.unpacking import unpack

__all__ = ["read"]

_SMALLEST = 512  # bytes: SQLite takes anything shorter than its smallest page for an empty database
_LARGEST = 2**30  # bytes; twenty times what a journal is promised to stay under
_NOT_OURS = "it is not a limen journal"
_CHECK_PATH = "Check the path: journals are written by 'limen run' and 'limen.watch', and usually end in .limen."
_DAMAGED = "Part of it is missing or overwritten: use another copy of the file, or run the training again."


class _Refused(Exception):
    def __init__(self, found: str, advice: str) -> None:
        super().__init__(found, advice)
        self.found, self.advice = found, advice


def read(path: str | Path) -> Run:
    """The run that was last saved in a journal, also while it is being written or after its process was killed.

    Nothing in the file is executed, and nothing is believed: tables, types, sizes and JSON are checked.

    Raises:
        UnreadableJournal: it is missing, not a journal, of another version, or damaged (also an ``OSError``).
    """
    try:
        size = _size(path)
        try:
            return _run_in(Path(path).absolute(), size)
        except sqlite3.Error as error:
            if not _name(error).startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY")):
                raise
        return _run_in_copy(Path(path).absolute(), size)
    except _Refused as refused:
        found, advice, cause = refused.found, refused.advice, None
    except sqlite3.Error as error:
        (found, advice), cause = _what_sqlite_says(error), error
    except OSError as error:
        found, advice, cause = error.strerror or str(error), "Check the path and its permissions.", error
    except (ValueError, RecursionError) as error:
        found, advice, cause = f"it is damaged ({error})", _DAMAGED, error
    raise UnreadableJournal(f"The journal {str(path)!r} cannot be read: {found}. {advice}") from cause


def _size(path: str | Path) -> int:
    """Bytes of the file and of what was not yet merged into it; refuses what cannot be a journal."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        raise _Refused("there is no such file", _CHECK_PATH) from None
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "not a regular file"
        raise _Refused(f"it is {what}", _CHECK_PATH)
    if not os.access(path, os.R_OK):
        raise _Refused("you have no permission to read it", "Ask its owner, or copy it where you may.")
    wal = Path(f"{path}-wal")
    size = found.st_size + (wal.stat().st_size if wal.is_file() else 0)
    if size == 0:
        raise _Refused("it is empty", _CHECK_PATH)
    if found.st_size < _SMALLEST:
        raise _Refused(_NOT_OURS, _CHECK_PATH)
    if size > _LARGEST:
        raise _Refused(f"it has {size:,} bytes, and no journal grows beyond {_LARGEST:,}", _CHECK_PATH)
    return size


def _name(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", "")


def _what_sqlite_says(error: sqlite3.Error) -> tuple[str, str]:
    name = _name(error)
    if name == "SQLITE_NOTADB":
        return _NOT_OURS, _CHECK_PATH
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program has locked it", "Try again when that program is done."
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return str(error), "Check the path and its permissions."
    return f"it is damaged ({error})", _DAMAGED


def _run_in_copy(path: Path, size: int) -> Run:
    """From a copy, where the folder is read-only: SQLite must make a file beside a journal that was not closed."""
    with tempfile.TemporaryDirectory(prefix="limen-") as folder:
        copy = Path(folder).absolute() / "copy.limen"
        shutil.copyfile(path, copy)
        if os.path.isfile(f"{path}-wal"):
            shutil.copyfile(f"{path}-wal", f"{copy}-wal")
        return _run_in(copy, size)


def _run_in(path: Path, size: int) -> Run:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(size, 2**16))  # no value is longer than its file
        for setting in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
            connection.execute(f"PRAGMA {setting}").fetchall()
        connection.execute("BEGIN")  # one moment of a file that may be growing
        _must_be_a_journal(connection)
        if path.stat().st_size % connection.execute("PRAGMA page_size").fetchone()[0]:
            raise ValueError("it ends in the middle of a page")  # which SQLite would fill with zeros
        return unpack(stored_in(connection))


def _must_be_a_journal(connection: sqlite3.Connection) -> None:
    """Refuse other applications, other versions, other tables, and a broken tree of pages.

    The declarations must be exactly ours: no view or trigger of a crafted file is ever evaluated. The check of the
    pages finds any that is used twice, so that there are never more rows than the file has room for.
    """
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise _Refused(f"it is an SQLite file, but {_NOT_OURS.removeprefix('it is ')}", _CHECK_PATH)
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        age = "newer" if version > VERSION else "older"
        raise _Refused(
            f"it has version {version} of the journal's layout, and this limen reads version {VERSION}",
            f"Read it with the {age} limen that wrote it.",
        )
    if layout(connection) != _our_layout():
        raise ValueError("its tables are not those of a journal")
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise ValueError(str(found).replace("\n", " ")[:200])


@cache
def _our_layout() -> set[tuple[str, str, str, str | None]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        create(connection)
        return layout(connection)
