"""Whole numbers kept in as few bytes as hold them: exact, whatever they are, and int64 to whoever reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from limen.lasting import LastingArray
from limen.vitals.fields import lasting

__all__ = ["Narrow", "OfFew", "kept_narrow", "narrow_in"]

Integers = npt.NDArray[np.int64]
T = TypeVar("T", bound=type)

NOTHING = np.zeros(0, np.uint8)


@dataclass(frozen=True, eq=False, slots=True)
class Narrow:
    """Distances from the smallest number, in one, two, four or eight bytes each; none where all numbers are equal.

    Attributes:
        least: the smallest number; 0 where there is none.
        length: how many numbers there are.
        above: ``[length]``, unsigned, how far each is above the smallest; ``[0]`` where none is.
    """

    least: int
    length: int
    above: npt.NDArray[np.unsignedinteger] | LastingArray

    @classmethod
    def of(cls, numbers: npt.NDArray[np.integer]) -> Narrow:
        """These numbers, ``[length]``; none of them beyond int64."""
        whole = numbers if numbers.dtype == np.uint32 else np.asarray(numbers, dtype=np.int64)
        if len(whole) and whole.strides == (0,):  # one number, spread out
            return cls(int(whole[0]), len(whole), NOTHING)
        least = int(whole.min()) if len(whole) else 0
        span = int(whole.max()) - least if len(whole) else 0
        if span == 0:
            return cls(least, len(whole), NOTHING)
        above = whole - whole.dtype.type(least)
        return cls(least, len(whole), above.view(f"u{above.itemsize}").astype(np.min_scalar_type(span)))

    def __add__(self, other: Narrow) -> Narrow:
        """The sums of both, number by number."""
        if self.length == other.length and len(self.above) == len(other.above) == 0:
            return Narrow(self.least + other.least, self.length, NOTHING)
        return Narrow.of(self.numbers() + other.numbers())

    def numbers(self) -> Integers:
        """``[length]``, a new array."""
        if len(self.above) == 0:
            same = np.empty(self.length, np.int64)
            same.fill(self.least)  # less than half the time of np.full
            return same
        above = self.above.numbers() if isinstance(self.above, LastingArray) else self.above
        return above.astype(np.int64) + self.least  # what wraps around here did so in `of`

    def lasting(self) -> Narrow:
        """The same, in memory of its own."""
        if isinstance(self.above, LastingArray) or len(self.above) == 0:
            return self
        return Narrow(self.least, self.length, lasting(self.above))

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return self.above.nbytes


@dataclass(frozen=True, eq=False, slots=True)
class OfFew:
    """Numbers of which each is one of a few.

    Attributes:
        few: ``[kinds]``, int64, each number that there is, and no other.
        which: ``[length]``, the place of each in ``few``; several such numbers may share it.
    """

    few: Integers | LastingArray
    which: Narrow

    @property
    def length(self) -> int:
        """How many numbers there are."""
        return self.which.length

    def numbers(self) -> Integers:
        """``[length]``, a new array."""
        return self._few()[self.which.numbers()]

    def narrow(self) -> Narrow:
        """The same, as if each had come alone."""
        few = Narrow.of(self._few())
        above = cast("npt.NDArray[np.unsignedinteger]", few.above)
        return Narrow(few.least, self.length, above[self.which.numbers()] if len(above) else NOTHING)

    def _few(self) -> Integers:
        return self.few.numbers() if isinstance(self.few, LastingArray) else self.few


class _Field:
    """A field of a dataclass that takes whole numbers, ``Narrow`` or ``OfFew``, keeps these and gives int64."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, value: object, owner: type | None = None) -> Integers:
        if value is None:
            raise AttributeError(self._name)  # dataclasses take what the class has for a default
        return vars(value)[self._name].numbers()

    def __set__(self, value: object, numbers: npt.NDArray[np.integer] | Narrow | OfFew) -> None:
        vars(value)[self._name] = numbers if isinstance(numbers, Narrow | OfFew) else Narrow.of(numbers)


def kept_narrow(*names: str) -> Callable[[T], T]:
    """Keep these fields of a dataclass ``Narrow``: each reading makes a new array."""

    def change(kind: T) -> T:
        for name in names:
            setattr(kind, name, _Field(name))
        return kind

    return change


def narrow_in(value: object, name: str) -> Narrow:
    """How a value keeps one of these fields; of few numbers, how it would."""
    held = vars(value)[name]
    return held if isinstance(held, Narrow) else held.narrow()
