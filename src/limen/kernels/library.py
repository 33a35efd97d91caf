"""The compiled kernels: where they are, and whether they can be used."""

from __future__ import annotations

from ctypes import c_double, c_int, c_int64, c_void_p
from pathlib import Path

from limen.kernels import loading
from limen.kernels.loading import SWITCH, known_paths, lend_team, opened

__all__ = ["BUILT", "SWITCH", "Library", "choose"]

BUILT = Path(__file__).with_name("_pass.so")
VERSION = 6  # of the functions in pass.c


class Library:
    """The functions of ``pass.c``.

    Attributes:
        file: where they were loaded from.
        paths: the instruction sets that this machine has, best first.
        path: the one in use; every one of them finds the same numbers.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        functions = opened(file, VERSION)
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
        self.add_norm = functions.limen_add_norm
        self.add_norm.argtypes = [c_void_p, c_double]
        self.add_norm.restype = None
        self.add_gradient = functions.limen_add_gradient
        self.add_gradient.argtypes = [c_void_p, c_int64, c_int64, c_void_p, c_int]
        self.commit = functions.limen_commit
        self.commit.argtypes = [c_int64, c_void_p, c_int64, c_void_p]
        self.commit.restype = c_int64
        self.close = functions.limen_close
        self.close.argtypes = [c_void_p, c_int64]
        self.roll = functions.limen_roll
        self.roll.argtypes = [c_void_p]
        self._choose = functions.limen_path
        self.paths = known_paths(functions)
        self.use(self.paths[0])
        self.has_team = lend_team(functions)

    def use(self, path: str) -> None:
        """Change to another instruction set; for the whole process."""
        self._choose(self.paths.index(path))
        self.path = path


def choose(wish: str | None, file: Path = BUILT) -> tuple[Library | None, str]:
    """The library, or None where torch is to serve; and a line that says which and why: see ``loading.choose``."""
    return loading.choose(wish, file, Library)
