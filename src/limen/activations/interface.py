"""What an activation is: a value with its function, slope and curvature, and what a parameter of it may be."""

import math
import sys
from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

from torch import Tensor

from limen.activations.arrays import OnArrays
from limen.activations.refusals import floating
from limen.activations.sheet import Sheet
from limen.errors import InvalidValue

__all__ = ["Activation", "Entry", "check_number"]

LARGEST = sys.float_info.max


class Named(Protocol):
    """What a message can call by its name."""

    name: ClassVar[str]


class Activation(ABC):
    """One elementwise function with its slope and curvature.

    Entries are frozen dataclasses whose fields are the parameters. The docstring of an entry says formula, range and
    hazards; ``source`` is added to it on registration. ``f``, ``df`` and ``d2f`` keep shape, dtype and device,
    turn NaN into NaN and have the mathematical limit at both infinities.

    Attributes:
        name: its key in the catalogue, set by ``register``.
        source: where the formula comes from.
    """

    name: ClassVar[str]
    source: ClassVar[str]

    @property
    @abstractmethod
    def kinks(self) -> tuple[float, ...]:
        """Points, ascending, where the slope is not continuous."""

    @property
    @abstractmethod
    def monotone(self) -> bool:
        """True when the function never falls."""

    @abstractmethod
    def f(self, x: Tensor) -> Tensor:
        """Value, any shape, floating point."""

    @abstractmethod
    def df(self, x: Tensor) -> Tensor:
        """Slope; at a kink what torch's own operator returns there."""

    @abstractmethod
    def d2f(self, x: Tensor) -> Tensor:
        """Curvature; at a kink the one of the side whose slope ``df`` returns, or 0."""

    @property
    def numpy(self) -> OnArrays:
        """``f``, ``df`` and ``d2f`` for NumPy arrays, lists and numbers."""
        return OnArrays(self.f, self.df, self.d2f)


class Entry(Activation):
    """An activation that states its properties, as all those of the catalogue do; a user's own need not.

    Its ``f``, ``df`` and ``d2f`` refuse whatever is no tensor of floating-point numbers (``WrongType``).
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for method in {"f", "df", "d2f"} & vars(cls).keys():
            setattr(cls, method, floating(getattr(cls, method)))

    @property
    @abstractmethod
    def sheet(self) -> Sheet:
        """The properties of the function with these parameters."""

    @property
    def kinks(self) -> tuple[float, ...]:
        """Those of the sheet."""
        return self.sheet.kinks

    @property
    def monotone(self) -> bool:
        """As the sheet says."""
        return self.sheet.monotone


def check_number(
    entry: Named, parameter: str, *, above: float = -math.inf, below: float = math.inf, least: float = -math.inf
) -> None:
    """Refuse a parameter that is not a finite number strictly between two limits, and at least a third one.

    Raises:
        InvalidValue: says the entry, the parameter, its value and the limits.
    """
    value: object = getattr(entry, parameter)
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) <= LARGEST  # not for NaN
        and above < value < below
        and least <= value
    ):
        return
    bounds = [(">", above), (">=", least), ("<", below)]
    limits = " and".join(f" {sign} {bound:g}" for sign, bound in bounds if math.isfinite(bound))
    raise InvalidValue(f"{entry.name}({parameter}={value!r}): expected a finite number{limits}.")
