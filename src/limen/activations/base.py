"""What an activation is, and the catalogue in which each one is entered by name."""

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, TypeVar

from torch import Tensor

from limen.activations.sheet import Sheet
from limen.errors import InvalidValue, UnknownName

__all__ = ["Activation", "Entry", "check_number", "get", "names", "register"]


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


class Entry(Activation):
    """An activation that states its properties, as all those of the catalogue do; a user's own need not."""

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


Registered = TypeVar("Registered", bound=Activation)

_ENTRIES: dict[str, type[Activation]] = {}


def register(name: str) -> Callable[[type[Registered]], type[Registered]]:
    """Enter a class into the catalogue under ``name`` and add its source to its sheet.

    Raises:
        InvalidValue: another class bears this name already.
    """

    def enter(entry: type[Registered]) -> type[Registered]:
        if name in _ENTRIES:
            raise InvalidValue(
                f"register({name!r}): this name belongs to {_ENTRIES[name].__qualname__} already. Choose another one."
            )
        entry.name = name
        entry.__doc__ = f"{inspect.cleandoc(entry.__doc__ or '')}\n\nSource: {entry.source}."
        _ENTRIES[name] = entry
        return entry

    return enter


def names() -> tuple[str, ...]:
    """All names of the catalogue, sorted.

    >>> "gelu" in names()
    True
    """
    return tuple(sorted(_ENTRIES))


def get(name: str, **parameters: float) -> Activation:
    """The catalogue's entry of that name.

    Args:
        name: one of ``names()``.
        **parameters: of the function, for instance ``alpha``; those not given keep their defaults.

    Raises:
        UnknownName: no entry bears the name (also a ``KeyError``).
        InvalidValue: a parameter that the function does not have or cannot take (also a ``ValueError``).

    >>> get("elu", alpha=0.5)
    ELU(alpha=0.5)
    """
    entry = _ENTRIES.get(name)
    if entry is None:
        raise UnknownName.of("activation", name, _ENTRIES)
    known = inspect.signature(entry).parameters
    for parameter in parameters:
        if parameter not in known:
            raise InvalidValue(
                f"{name}({parameter}={parameters[parameter]!r}): no such parameter. "
                f"{name} takes {', '.join(known) or 'none'}."
            )
    return entry(**parameters)


def check_number(
    entry: Activation, parameter: str, *, above: float = -math.inf, below: float = math.inf, least: float = -math.inf
) -> None:
    """Refuse a parameter that is not a finite number strictly between two limits, and at least a third one.

    Raises:
        InvalidValue: says the entry, the parameter, its value and the limits.
    """
    value: object = getattr(entry, parameter)
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and above < value < below
        and least <= value
    ):
        return
    bounds = [(">", above), (">=", least), ("<", below)]
    limits = " and".join(f" {sign} {bound:g}" for sign, bound in bounds if math.isfinite(bound))
    raise InvalidValue(f"{entry.name}({parameter}={value!r}): expected a finite number{limits}.")
