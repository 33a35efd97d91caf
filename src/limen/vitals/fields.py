"""Fields of values that hold no array: each reading makes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from limen.lasting import Memory, Stretch

__all__ = ["Column", "lasting", "made_when_read"]

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
        """``[length]``, not to be written to."""
        made = self.table[self.name][: self.length]
        made.flags.writeable = False
        return made


class _Field:
    """A field of a dataclass that takes an array, or a ``Stretch`` or ``Column``, and gives an array."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, value: object, owner: type | None = None) -> Array:
        if value is None:
            raise AttributeError(self._name)  # dataclasses take what the class has for a default
        held = vars(value)[self._name]
        return held.numbers() if isinstance(held, Stretch | Column) else held

    def __set__(self, value: object, numbers: Array | Stretch | Column) -> None:
        vars(value)[self._name] = numbers


def made_when_read(*names: str) -> Callable[[T], T]:
    """Let these fields of a dataclass hold a ``Stretch`` or ``Column`` too: each reading makes an array of it."""

    def change(kind: T) -> T:
        for name in names:
            setattr(kind, name, _Field(name))
        return kind

    return change
