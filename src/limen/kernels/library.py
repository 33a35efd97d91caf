"""The compiled kernels: where they are, and whether they can be used."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from ctypes import c_char_p, c_double, c_int, c_int64, c_void_p
from pathlib import Path

import torch

from limen.errors import InvalidValue

__all__ = ["BUILT", "SWITCH", "Library", "choose"]

BUILT = Path(__file__).with_name("_pass.so")
VERSION = 4  # of the functions in pass.c
SWITCH = "LIMEN_KERNELS"
TORCH = "torch"


class Library:
    """The functions of ``pass.c``.

    Attributes:
        file: where they were loaded from.
        paths: the instruction sets that this machine has, best first.
        path: the one in use; every one of them finds the same numbers.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        functions = ctypes.CDLL(str(file))
        if functions.limen_version() != VERSION:
            raise OSError(f"{file.name} was compiled from another version of limen: install limen again")
        self.measure = functions.limen_measure
        self.measure.argtypes = [c_void_p, c_void_p, c_double, c_double, c_int, c_void_p]
        self.measure.restype = c_int64
        self.histogram = functions.limen_histogram
        self.histogram.argtypes = [c_void_p, c_void_p, c_void_p]
        self.histogram.restype = None
        self.norms = functions.limen_norms
        self.norms.argtypes = [c_int64, c_void_p, c_void_p, c_void_p, c_int, c_void_p]
        self.keep = functions.limen_keep
        self.keep.argtypes = [c_int64, c_void_p, c_void_p]
        self.keep.restype = None
        self.moved = functions.limen_moved
        self.moved.argtypes = [c_int64, c_void_p, c_void_p]
        self.moved.restype = None
        self.add = functions.limen_add
        self.add.argtypes = [c_void_p, c_void_p, c_void_p, c_int, c_void_p]
        self.add_sums = functions.limen_add_sums
        self.add_sums.argtypes = [c_void_p, c_int64, c_int64, c_void_p]
        self.commit = functions.limen_commit
        self.commit.argtypes = [c_int64, c_void_p, c_int64, c_void_p]
        self.commit.restype = c_int64
        self._choose = functions.limen_path
        self._choose.restype = c_char_p
        self.paths = self._known_paths()
        self.use(self.paths[0])
        self.has_team = _lend_team(functions)

    def use(self, path: str) -> None:
        """Change to another instruction set; for the whole process."""
        self._choose(self.paths.index(path))
        self.path = path

    def _known_paths(self) -> tuple[str, ...]:
        names: list[str] = []
        while (name := self._choose(len(names))) is not None:
            names.append(name.decode())
        return tuple(names)


def choose(wish: str | None, file: Path = BUILT) -> tuple[Library | None, str]:
    """The library, or None where torch is to serve; and a line that says which and why.

    Args:
        wish: ``torch``, or an instruction set; None for the best there is.
        file: the compiled library.

    Raises:
        InvalidValue: nothing here answers to the wish.
    """
    if wish == TORCH:
        return None, f"torch ({SWITCH}={TORCH})"
    try:
        library, reason = Library(file), ""
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


def _lend_team(functions: ctypes.CDLL) -> bool:
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
