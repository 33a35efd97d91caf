"""Calls back as soon as a program has imported a package, and not before: limen must not import it first.

A script may set ``OMP_NUM_THREADS`` before its ``import torch``; were torch imported earlier, its results would differ.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["after_import"]

OWN = "limen."


def after_import(name: str, call: Callable[[], None]) -> Callable[[], None]:
    """Call ``call`` once, right after the package ``name`` was imported; at once where it already is.

    Where a module of limen's own imports it, because the program asked for that module, the call waits until that
    module is complete.

    Returns:
        A function that calls the whole thing off.
    """
    if name in sys.modules:
        call()
        return lambda: None
    finder = _Finder(name, call)
    sys.meta_path.insert(0, finder)
    return finder.remove


class _Finder:
    """Finds nothing itself; has the package found by the others and listens at its loader."""

    def __init__(self, name: str, call: Callable[[], None]) -> None:
        self._name = name
        self._call = call
        self._asking = False
        self._loaded = False
        self._within = False  # a module of limen's own

    def remove(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        own = fullname.startswith(OWN) and not self._within
        if self._asking or not (own or fullname == self._name):
            return None
        self._asking = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._asking = False
        if spec is not None and spec.loader is not None:
            self._listen(spec.loader, own)
        return spec

    def _listen(self, loader: Any, own: bool) -> None:
        load = loader.exec_module

        def load_and_tell(module: ModuleType) -> None:
            del loader.exec_module  # the loader is as it was, also for those who look at it later
            self._within = self._within or own
            try:
                load(module)
            finally:
                self._within = self._within and not own
            self._loaded = self._loaded or not own
            if self._loaded and not self._within and self in sys.meta_path:
                self.remove()
                self._call()

        loader.exec_module = load_and_tell
