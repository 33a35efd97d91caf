"""The compiled functions: where they are, and how they are called."""

from __future__ import annotations

from ctypes import c_char_p, c_double, c_int, c_int64, c_void_p
from pathlib import Path

from limen.kernels.loading import known_paths, lend_team, opened

__all__ = ["BUILT", "FunctionLibrary"]

BUILT = Path(__file__).with_name("_functions.so")
VERSION = 1  # of the functions in functions.c


class FunctionLibrary:
    """The functions of ``functions.c``.

    Attributes:
        file: where they were loaded from.
        paths: the instruction sets that this machine has, best first.
        path: the one in use; all keep the same bounds of error, and may differ in last bits.
        places: by name in the catalogue, the number by which a function is called.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        functions = opened(file, VERSION)
        self.apply = functions.limen_apply
        self.apply.argtypes = [c_int, c_int, c_int, c_void_p, c_void_p, c_void_p, c_int64, c_double, c_double, c_int]
        self.apply.restype = None
        self._choose = functions.limen_path
        self.paths = known_paths(functions)
        self.use(self.paths[0])
        self.has_team = lend_team(functions)
        name = functions.limen_function
        name.restype = c_char_p
        self.places: dict[str, int] = {}
        while (found := name(len(self.places))) is not None:
            self.places[found.decode()] = len(self.places)

    def use(self, path: str) -> None:
        """Change to another instruction set; for the whole process."""
        self._choose(self.paths.index(path))
        self.path = path
