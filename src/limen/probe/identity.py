"""A table by identity that keeps nothing alive."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

__all__ = ["ByIdentity"]

V = TypeVar("V")


class ByIdentity(Generic[V]):
    """Values by object, for objects that others own: an ``id`` given to another object later finds nothing."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[weakref.ref[object], V]] = {}

    def get(self, thing: object) -> V | None:
        """The value of an object, or None."""
        entry = self._entries.get(id(thing))
        return entry[1] if entry is not None and entry[0]() is thing else None

    def put(self, thing: object, value: V) -> None:
        """Enter a value; one that was there for the same object stays."""
        if self.get(thing) is None:
            self._entries[id(thing)] = (weakref.ref(thing), value)

    def values(self) -> Iterator[V]:
        """Values of all objects whose ``id`` was not taken by another, in the order they were entered."""
        return (value for _, value in list(self._entries.values()))  # others may enter some meanwhile

    def things(self) -> Iterator[Any]:
        """All objects that still exist, in the order they were entered."""
        return (thing for held, _ in self._entries.values() if (thing := held()) is not None)

    def __contains__(self, thing: object) -> bool:
        return self.get(thing) is not None

    def __len__(self) -> int:
        return len(self._entries)
