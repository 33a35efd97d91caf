"""Where a run file may be made: an unused path, or that of an older run file that nobody writes any more."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from itertools import count
from pathlib import Path

from limen.errors import UnwritablePath
from limen.journal.schema import APPLICATION_ID, KINDS, create

__all__ = ["is_busy", "make", "put_aside"]

_SIDE_FILES = ("-wal", "-shm", "-journal")


def make(path: Path) -> None:
    """Create an empty run file at an absolute path, in place of an older one.

    Raises:
        UnwritablePath: the file cannot be created, holds something else, or belongs to a running training.
    """
    try:
        _clear(path)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))  # says why, where SQLite does not
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            create(connection)
    except UnwritablePath:
        raise
    except (OSError, ValueError, sqlite3.Error) as error:  # ValueError: a NUL in the path
        raise _refusal(path, getattr(error, "strerror", None) or str(error)) from error


def put_aside(path: Path) -> Path | None:
    """Rename an older run at an absolute path to ``run.limen.1`` and so on; one without a step is not worth it.

    The number comes last, lest ``run.rank*.limen`` or ``*.limen`` find it beside the journals of the new run.

    Returns:
        Where it is now; None where there was nothing to keep.

    Raises:
        UnwritablePath: the file holds something else, belongs to a running training, or cannot be renamed.
    """
    if not path.is_file() or path.stat().st_size == 0:
        return None
    _must_be_unused_journal(path)
    if not _has_steps(path):
        return None
    aside = next(free for number in count(1) if not (free := Path(f"{path}.{number}")).exists())
    try:
        for suffix in ("", *_SIDE_FILES):
            if os.path.exists(f"{path}{suffix}"):
                os.rename(f"{path}{suffix}", f"{aside}{suffix}")
    except OSError as error:
        raise _refusal(path, f"the older run there cannot be renamed ({error.strerror})") from error
    return aside


def _has_steps(path: Path) -> bool:
    """Whether a run file holds anything of a training; one that cannot be read may."""
    tables = [kind.step_table for kind in KINDS.values() if kind.columns]
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return any(connection.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone() for table in tables)
    except sqlite3.Error:
        return True


def _refusal(path: Path, why: str, advice: str = "Choose another path for the journal.") -> UnwritablePath:
    return UnwritablePath(f"The journal {str(path)!r} cannot be written: {why}. {advice}")


def _clear(path: Path) -> None:
    """Make room: remove an older run file or an empty file, refuse everything else."""
    if not path.parent.is_dir():
        raise _refusal(path, f"there is no folder {str(path.parent)!r}", "Create it first, or choose another path.")
    if os.path.lexists(path):
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise _refusal(path, "it is a folder", "Add a file name to it.")
        if not stat.S_ISREG(found.st_mode):
            raise _refusal(path, "it is not a regular file")
        if found.st_size > 0:
            _must_be_unused_journal(path)
        path.unlink()
    for suffix in _SIDE_FILES:  # a stale one would be replayed into the new file
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _must_be_unused_journal(path: Path) -> None:
    if _application_id(path) != APPLICATION_ID:
        raise _refusal(
            path,
            "there is a file that is not a limen journal, and it would be lost",
            "Remove it yourself, or choose another path for the journal.",
        )
    if _in_use(path):
        raise _refusal(path, "another training is writing it, or it is being read")


def _application_id(path: Path) -> int | None:
    """What a file says it is; None where it is not an SQLite file.

    Asked through SQLite: closing a plain file handle would drop the locks this process may hold on the same file.
    """
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute("PRAGMA application_id").fetchone()[0])
    except sqlite3.Error:
        return None


def _in_use(path: Path) -> bool:
    """Whether another connection has the run file open: then it cannot leave WAL mode."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=1.0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    except sqlite3.Error as error:
        return is_busy(error)
    return False


def is_busy(error: sqlite3.Error) -> bool:
    """Whether SQLite failed only because another connection holds a lock."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
