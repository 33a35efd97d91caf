"""What is to be run: a script or a module, found and compiled before anything else happens."""

from __future__ import annotations

import difflib
import importlib.util
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from limen.errors import InvalidValue

__all__ = ["Target", "module_target", "script_target"]


@dataclass(frozen=True)
class Target:
    """A program and its arguments.

    Attributes:
        name: path of the script, or name of the module, as the user wrote it.
        arguments: its own arguments, untouched.
        file: absolute path of the script, as python would put it into ``__file__``; empty for a module.
        code: the compiled script; None for a module, and for a script that does not compile.
    """

    name: str
    arguments: tuple[str, ...]
    file: str = ""
    code: CodeType | None = None

    @property
    def is_module(self) -> bool:
        """Whether it is run as ``python -m``."""
        return not self.file

    @property
    def compiles(self) -> bool:
        """False for a script that python refuses: python itself says best why."""
        return self.is_module or self.code is not None


def module_target(name: str, arguments: tuple[str, ...]) -> Target:
    """The target of ``python -m name``; python looks for it when it runs."""
    return Target(name, arguments)


def script_target(path: str, arguments: tuple[str, ...]) -> Target:
    """The target of ``python path``.

    Raises:
        InvalidValue: there is no such file, or it is a folder, an archive or byte code (also a ``ValueError``).
    """
    source = _read(path)
    file = path if os.path.isabs(path) else os.path.join(os.getcwd(), path)  # not normalised: python does not either
    try:
        code = compile(source, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        _refuse_other_programs(path, source)
        return Target(path, arguments, file)
    return Target(path, arguments, file, code)


def _read(path: str) -> bytes:
    if os.path.isdir(path):
        inside = os.path.join(path, "__main__.py")
        advice = f"Name the script: {inside}." if os.path.exists(inside) else "Name a script in it."
        raise InvalidValue(f"asked to run {path!r}, which is a folder. {advice}")
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        folder = os.path.dirname(os.path.abspath(path))
        raise InvalidValue(f"asked to run {path!r}, but there is no such file in {folder}. {_nearest(path)}") from None
    except OSError as error:
        raise InvalidValue(f"asked to run {path!r}, which cannot be read: {error.strerror}.") from None


def _nearest(path: str) -> str:
    folder = Path(path).parent
    scripts = sorted(file.name for file in folder.glob("*.py")) if folder.is_dir() else []
    if re.fullmatch(r"python[\d.]*", os.path.basename(path)):
        return "Leave that word out: limen run SCRIPT."
    if os.path.basename(path) == "torchrun":
        return "It comes first: torchrun … -m limen run SCRIPT."
    near = difflib.get_close_matches(os.path.basename(path), scripts, n=1)
    if near:
        return f"Did you mean {os.path.join(os.path.dirname(path), near[0])!r}?"
    return "Check the path; for a module, say limen run -m MODULE."


def _refuse_other_programs(path: str, source: bytes) -> None:
    """Byte code and archives are what python would run although they do not compile; they have no source to watch."""
    if path.endswith(".pyc") or source.startswith(importlib.util.MAGIC_NUMBER):
        raise InvalidValue(f"asked to run {path!r}, which is python byte code. Name its source file.")
    if zipfile.is_zipfile(path):
        raise InvalidValue(f"asked to run {path!r}, which is a zip archive. Unpack it and name the script in it.")
