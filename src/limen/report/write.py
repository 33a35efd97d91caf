"""Reports as files: written whole or not at all."""

import json
import os
from pathlib import Path

from limen.errors import UnwritablePath
from limen.journal import Run
from limen.report.html import html
from limen.report.to_json import to_json

__all__ = ["check_writable", "write_html", "write_json", "write_whole"]


def check_writable(path: str | Path) -> None:
    """Find out before a training begins that its report could not be written after it.

    Leaves nothing behind, and an existing file as it is.

    Raises:
        UnwritablePath: ``path`` is a folder, its folder does not exist, or a file there cannot be created
            (also an ``OSError``).
    """
    target = Path(path)
    try:
        _check(target)
    except UnwritablePath:
        raise
    except OSError as error:
        raise _refused(target, error) from error


def _check(target: Path) -> None:
    if target.is_dir():
        raise UnwritablePath(f"Cannot write {target}: it is a folder. Give the name of a file in it.")
    if target.exists() and not os.access(target, os.W_OK):
        raise UnwritablePath(f"Cannot write {target}: the file exists and is read-only. Choose another name.")
    if target.exists() and not target.is_file():
        return  # a device or pipe, such as /dev/stdout
    folder = target.resolve().parent
    if not folder.is_dir():
        raise UnwritablePath(f"Cannot write {target}: there is no folder {folder}. Create it first: mkdir -p {folder}")
    draft = _draft(target)
    draft.touch(exist_ok=False)
    draft.unlink()


def write_html(run: Run, path: str | Path) -> None:
    """Write the HTML report of a run.

    Raises:
        UnwritablePath: the file could not be written (also an ``OSError``).
    """
    # a path that is not valid text (a stray byte in a file name) is shown as "?"
    write_whole(Path(path), html(run).encode("utf-8", "replace"))


def write_json(run: Run, path: str | Path) -> None:
    """Write the JSON of a run, strict: no NaN, no infinity.

    Raises:
        UnwritablePath: the file could not be written (also an ``OSError``).
    """
    text = json.dumps(to_json(run), allow_nan=False, ensure_ascii=False, indent=2)
    # "backslashreplace" turns a stray byte into \udcXX, which is an escape of JSON too
    write_whole(Path(path), f"{text}\n".encode("utf-8", "backslashreplace"))


def _draft(target: Path) -> Path:
    whole = target.resolve()
    return whole.with_name(f".{whole.name[:100]}.{os.getpid()}.draft")


def _refused(target: Path, error: OSError) -> UnwritablePath:
    reason = error.strerror or type(error).__name__
    return UnwritablePath(f"Cannot write {target}: {reason}. Choose a folder that you may write to.")


def write_whole(target: Path, content: bytes) -> None:
    """Write beside the target, then rename: a reader never sees half a file.

    Raises:
        UnwritablePath: the file could not be written (also an ``OSError``).
    """
    check_writable(target)
    draft = _draft(target)
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)
        else:
            draft.write_bytes(content)
            draft.replace(target.resolve())
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise _refused(target, error) from error
