"""Fields of values that hold no array: each reading makes a new one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from limen.lasting import Memory, Stretch

__all__ = ["Column", "array_of", "held_in", "lasting", "made_when_read"]

Array = npt.NDArray[Any]
T = TypeVar("T", bound=type)

lasting = Memory().copy
"""Copies an array to where values last: those of one snapshot lie side by side, and go together."""


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """The first rows of one column of a table, in which these never change.

    Attributes:
        table: ``[rows]``, with named columns.
        name: that of the column.
        length: how many rows are meant.
    """

    table: npt.NDArray[np.void]
    name: str
    length: int

    def numbers(self) -> Array:
        """``[length]``, a new array."""
        return self.table[self.name][: self.length].copy()


class _Field:
    """A field of a dataclass that takes an array, or a ``Stretch`` or ``Column``, and gives an array."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, value: object, owner: type | None = None) -> Array:
        if value is None:
            raise AttributeError(self._name)  # dataclasses take what the class has for a default
        return array_of(vars(value)[self._name])

    def __set__(self, value: object, numbers: Array | Stretch | Column) -> None:
        vars(value)[self._name] = numbers


def made_when_read(*names: str) -> Callable[[T], T]:
    """Let these fields of a dataclass hold a ``Stretch`` or ``Column`` too: each reading makes a new array of it."""

    def change(kind: T) -> T:
        for name in names:
            setattr(kind, name, _Field(name))
        return kind

    return change


def held_in(value: object, name: str) -> Array | Column:
    """What a history holds in one of these fields."""
    return vars(value)[name]


def array_of(held: Array | Stretch | Column) -> Array:
    """What is held, as an array; a new one unless it is one."""
    return held.numbers() if isinstance(held, Stretch | Column) else held
