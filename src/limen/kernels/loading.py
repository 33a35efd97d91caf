"""How a compiled library is opened, which of its instruction sets serves, and whose threads it runs on."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from ctypes import c_char_p, c_void_p
from pathlib import Path
from typing import Protocol, TypeVar

import torch

from limen.errors import InvalidValue

__all__ = ["SWITCH", "Compiled", "choose", "known_paths", "lend_team", "may_share", "opened", "team_size"]

SWITCH = "LIMEN_KERNELS"
TORCH = "torch"

_forked = False


def _note_fork() -> None:
    global _forked
    _forked = True  # threads of the parent do not live on in the child, and torch's team would wait for them


os.register_at_fork(after_in_child=_note_fork)


class Compiled(Protocol):
    """A compiled library.

    Attributes:
        paths: the instruction sets that this machine has, best first.
        path: the one in use.
    """

    paths: tuple[str, ...]
    path: str

    def use(self, path: str) -> None:
        """Change to another instruction set; for the whole process."""
        ...


Loaded = TypeVar("Loaded", bound=Compiled)


def choose(wish: str | None, file: Path, load: Callable[[Path], Loaded]) -> tuple[Loaded | None, str]:
    """The library, or None where torch is to serve; and a line that says which and why.

    Args:
        wish: ``torch``, or an instruction set; None for the best there is.
        file: the compiled library.
        load: opens it.

    Raises:
        InvalidValue: nothing here answers to the wish.
    """
    if wish == TORCH:
        return None, f"torch ({SWITCH}={TORCH})"
    try:
        library, reason = load(file), ""
    except AttributeError:
        library, reason = None, f"{file.name} was compiled from another version of limen: install limen again"
    except OSError as error:
        library, reason = None, str(error) if file.exists() else "not compiled: no C compiler at installation"
    known: Sequence[str] = library.paths if library is not None else ()
    if wish and wish not in known:
        found = f"this machine has {', '.join(known)}" if known else f"there are no compiled kernels: {reason}"
        raise InvalidValue(f"{SWITCH}={wish}: expected {TORCH} or an instruction set; {found}. Unset it for the best.")
    if library is None:
        return None, f"torch ({reason})"
    if wish:
        library.use(wish)
    return library, f"compiled ({library.path})"


def opened(file: Path, version: int) -> ctypes.CDLL:
    """The functions of a file that was compiled from this version of its sources.

    Raises:
        OSError: it is none, or of another version.
    """
    functions = ctypes.CDLL(str(file))
    if functions.limen_version() != version:
        raise OSError(f"{file.name} was compiled from another version of limen: install limen again")
    return functions


def known_paths(functions: ctypes.CDLL) -> tuple[str, ...]:
    """The instruction sets that this machine has, best first."""
    choose = functions.limen_path
    choose.restype = c_char_p
    names: list[str] = []
    while (name := choose(len(names))) is not None:
        names.append(name.decode())
    return tuple(names)


def lend_team(functions: ctypes.CDLL) -> bool:
    """Let the kernels run on torch's own threads, where this torch has those of gcc's OpenMP."""
    try:
        loaded = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"), os.RTLD_NOLOAD | os.RTLD_NOW)
        team = ctypes.cast(loaded.GOMP_parallel, c_void_p)
    except (OSError, AttributeError):
        return False
    lend = functions.limen_use_team
    lend.argtypes, lend.restype = [c_void_p], None
    lend(team)
    return True


def may_share(has_team: bool) -> bool:
    """Whether torch's threads may be lent."""
    return has_team and not _forked


def team_size(has_team: bool) -> int:
    """How many of torch's threads may share a work."""
    return torch.get_num_threads() if may_share(has_team) else 1
