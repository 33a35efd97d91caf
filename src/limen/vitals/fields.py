"""Fields of values that hold no array: each reading makes a new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from limen.lasting import LastingArray, Memory

__all__ = ["Table", "held_in", "lasting", "made_when_read", "shortest"]

Array = npt.NDArray[Any]
T = TypeVar("T", bound=type)

lasting = Memory().copy
"""Copies an array to where values last: those of one snapshot lie side by side, and go together."""


def shortest(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.floating]:
    """The same in float32, where that holds all of them; it does what was read of tensors of float32 or less."""
    with np.errstate(over="ignore"):
        short = numbers.astype(np.float32)
    return short if np.array_equal(short, numbers, equal_nan=True) else numbers


class Table(NamedTuple):
    """The first rows of a table in which these never change.

    Attributes:
        rows: ``[rows]``, of several columns.
        length: how many of them are meant.
    """

    rows: npt.NDArray[np.void] | LastingArray
    length: int

    def column(self, place: int) -> Array:
        """``[length]``, a new array."""
        rows = self.rows.open() if isinstance(self.rows, LastingArray) else self.rows
        return rows[rows.dtype.names[place]][: self.length].copy()  # pyright: ignore[reportOptionalSubscript]


class _Field:
    """A field of a dataclass that takes an array, a ``LastingArray`` or a ``Table``, and gives an array.

    A ``LastingArray`` of float32 gives float64.
    """

    def __init__(self, name: str, place: int) -> None:
        self._name, self._place = name, place

    def __get__(self, value: object, owner: type | None = None) -> Array:
        if value is None:
            raise AttributeError(self._name)  # dataclasses take what the class has for a default
        held = vars(value)[self._name]
        if isinstance(held, Table):
            return held.column(self._place)
        if isinstance(held, LastingArray):
            return held.open().astype(np.float64) if held.dtype == np.float32 else held.numbers()
        return held

    def __set__(self, value: object, numbers: Array | LastingArray | Table) -> None:
        vars(value)[self._name] = numbers


def held_in(value: object, name: str) -> Any:
    """What a value holds of which it gives a new array when this field is read."""
    return vars(value)[name]


def made_when_read(*names: str) -> Callable[[T], T]:
    """Let these fields of a dataclass hold more than arrays: each reading makes a new array of it.

    Either a ``LastingArray``, or a ``Table`` that has a column for each of these fields in their order.
    """

    def change(kind: T) -> T:
        for place, name in enumerate(names):
            setattr(kind, name, _Field(name, place))
        return kind

    return change
