"""Where files go: checked before a training starts, so that hours of it are not lost to a mistyped folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from limen.errors import UnwritablePath
from limen.ranks import Ranks, for_rank

__all__ = ["check_journal", "check_report", "check_writable", "default_report", "shown", "temporary_journal"]

DEFAULT_REPORT = "limen-report.html"
SQLITE = b"SQLite format 3\0"  # what every journal begins with


def check_writable(path: Path, option: str) -> Path:
    """The absolute path of a file that can be written; nothing is left behind and an existing file is not touched.

    Raises:
        UnwritablePath: it cannot be written (also an ``OSError``).
    """
    path = Path(os.path.abspath(path))
    if path.is_dir():
        raise UnwritablePath(f"{option}: asked to write {path}, which is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise UnwritablePath(f"{option}: asked to write {path}, but there is no folder {path.parent}. Create it first.")
    if path.exists() and not path.is_file():
        return path  # a device or a pipe, such as /dev/stdout
    if reason := _obstacle(path):
        raise UnwritablePath(f"{option}: asked to write {path}, which is not possible ({reason}). Name another place.")
    return path


def check_journal(path: Path, option: str) -> Path:
    """The absolute path of a run file that can be written; it may take the place of an older one, and of nothing else.

    Raises:
        UnwritablePath: it cannot be written, or something else is there that would be lost (also an ``OSError``).
    """
    path = check_writable(path, option)
    if path.exists() and not path.is_file():
        raise UnwritablePath(f"{option}: asked to write {path}, which is not a regular file. Name another place.")
    if path.exists() and _first_bytes(path, len(SQLITE)) not in (b"", SQLITE):
        raise UnwritablePath(
            f"{option}: asked to write {path}, which is something else than a journal. Remove it first."
        )
    return path


def check_report(path: Path, option: str) -> Path:
    """The absolute path of a report that can be written; it may take the place of an older one, and of nothing else.

    Raises:
        UnwritablePath: it cannot be written, or something else is there that would be lost (also an ``OSError``).
    """
    path = check_writable(path, option)
    if path.is_file():
        begins = _first_bytes(path, 4096)
        if begins and not (b"limen" in begins and begins.lower().startswith((b"<!doctype html", b"{"))):
            raise UnwritablePath(
                f"{option}: asked to write {path}, which is something else than a report. Name another file."
            )
    return path


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def _obstacle(path: Path) -> str:
    existed = path.exists()
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666))
        if not existed:
            path.unlink()
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def default_report(folder: Path) -> Path:
    """``limen-report.html`` in ``folder``, or in a new temporary folder where that cannot be written."""
    try:
        return check_writable(folder / DEFAULT_REPORT, "--report")
    except UnwritablePath:
        return Path(tempfile.mkdtemp(prefix="limen-")) / DEFAULT_REPORT


def temporary_journal(name: str, ranks: Ranks | None = None) -> Path:
    """A journal named after what is run, in a new temporary folder, which ranks of one run on one machine share."""
    stem = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in Path(name).stem) or "script"
    if ranks is None:
        return Path(tempfile.mkdtemp(prefix="limen-")) / f"{stem}.limen"
    return for_rank(_shared_folder(f"{name} {ranks.run} {ranks.world}") / f"{stem}.limen", ranks.present[0])


def _shared_folder(what: str) -> Path:
    """The same temporary folder for whoever says the same, of this user; a new one where another has taken its name."""
    user = os.getuid() if hasattr(os, "getuid") else 0  # not on Windows
    name = hashlib.sha256(f"{user} {what}".encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"limen-ranks-{name}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == user:
            return folder
    return Path(tempfile.mkdtemp(prefix="limen-"))


def shown(path: Path, folder: Path) -> str:
    """A path as the user would name it who works in ``folder``.

    >>> shown(Path("/home/ada/runs/a.html"), Path("/home/ada")), shown(Path("/tmp/a.html"), Path("/home/ada"))
    ('runs/a.html', '/tmp/a.html')
    """
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)
