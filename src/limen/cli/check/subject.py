"""``MODULE:FACTORY``: finding it, calling it, and saying what is wrong with it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import sysconfig
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from limen.errors import InvalidValue, UnknownName

__all__ = ["build", "find"]

WAY_OUT = "Name a module or a file and a function in it that makes the model: net:build, src/net.py:build."

GUARD = 'Let the script parse its arguments and train under `if __name__ == "__main__":`, so that it can be imported.'
STDLIB = sysconfig.get_path("stdlib")


def find(subject: str, *, asked: str = "", kind: str = "model factory", way_out: str = WAY_OUT) -> Any:
    """What ``MODULE:FACTORY`` names.

    Args:
        subject: module or file, a colon, and the name of something in it.
        asked: the command that messages are to name; ``limen check SUBJECT`` if empty.
        kind: what is looked for.
        way_out: what to do instead.

    Raises:
        InvalidValue: there is no such module, or importing it raised (also a ``ValueError``).
        UnknownName: the module has nothing of that name; the nearest is suggested (also a ``KeyError``).
    """
    name, colon, attribute = subject.rpartition(":")
    asked = asked or f"limen check {subject}"
    if not colon or not name or not attribute:
        raise InvalidValue(f"{asked}: expected MODULE:{kind.split()[-1].upper()}. {way_out}")
    found: Any = load(name, asked, way_out)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise UnknownName.of(f"{kind} in {name}", part, factories(found) or ["nothing callable"])
        found = getattr(found, part)
    return found


def load(name: str, asked: str, way_out: str = WAY_OUT) -> ModuleType:
    """A module by its name, or a file by its path, imported as a script in this folder would import it.

    What it finds in ``sys.argv`` is its own name and no arguments: those of limen are none of its own.
    """
    path = Path(name)
    is_file = path.suffix == ".py"
    folder = str(path.parent.resolve() if is_file else Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if is_file and not path.is_file():
        raise InvalidValue(f"{asked}: there is no file {name}. {way_out}")
    try:
        with run_as(name):
            return loaded_from(path.resolve()) if is_file else importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not is_file and error.name and (error.name == name or name.startswith(f"{error.name}.")):
            raise InvalidValue(f"{asked}: no module is named {error.name!r}. {way_out}") from error
        raise InvalidValue(f"{asked}: importing {name} raised {told(error)}.") from error
    except SystemExit as error:
        raise InvalidValue(f"{asked}: importing {name} raised {told(error)}. {GUARD}") from error
    except Exception as error:
        raise InvalidValue(f"{asked}: importing {name} raised {told(error)}.") from error


@contextmanager
def run_as(name: str) -> Generator[None]:
    """``sys.argv`` as it is for a program that is started without arguments."""
    before, sys.argv = sys.argv, [name]
    try:
        yield
    finally:
        sys.argv = before


def loaded_from(path: Path) -> ModuleType:
    """The module in a file, under its own name where no other module has that."""
    known = sys.modules.get(path.stem)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    name = path.stem if known is None else str(path)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} cannot be imported", name=name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses look themselves up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def factories(found: Any) -> list[str]:
    """Names of what could be called for a model."""
    return [name for name, one in vars(found).items() if callable(one) and not name.startswith("_")]


def build(found: Any, subject: str) -> tuple[nn.Module, Any]:
    """The model that a factory makes, and the sample where it gives one as well.

    Raises:
        InvalidValue: it cannot be called without arguments, raised, or made no module (also a ``ValueError``).
    """
    if isinstance(found, nn.Module):
        return found, None
    if not callable(found):
        raise InvalidValue(f"limen check {subject}: {type(found).__name__} cannot be called. {WAY_OUT}")
    if missing := required(found):
        raise InvalidValue(
            f"limen check {subject}: it needs {', '.join(missing)}. Write a function without arguments that calls it, "
            "and name that."
        )
    try:
        with run_as(subject.rpartition(":")[0]):
            made: Any = found()
    except (Exception, SystemExit) as error:
        raise InvalidValue(f"limen check {subject}: the factory raised {told(error)}.") from error
    if isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], nn.Module):
        return made[0], made[1]
    if not isinstance(made, nn.Module):
        raise InvalidValue(
            f"limen check {subject}: the factory returned {type(made).__name__}; expected a torch.nn.Module, or a pair "
            "of one and a sample."
        )
    return made, None


def required(found: Any) -> list[str]:
    """Names of the arguments that a callable cannot be called without."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return []
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [one.name for one in parameters if one.default is inspect.Parameter.empty and one.kind in named]


def told(error: BaseException) -> str:
    """An error in one line, with where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if is_of_a_user(one.filename)]
    where = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    words = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}{': ' if words else ''}{words.rstrip('.')}{where}"


def is_of_a_user(file: str) -> bool:
    """Whether a file is neither python's nor limen's own."""
    ours = "importlib" in file or "/limen/cli/" in file
    return not ours and (not file.startswith(STDLIB) or "site-packages" in file)
