"""Which entry of the catalogue the operators are asked for: its name and its parameters, as plain values."""

from dataclasses import fields
from functools import lru_cache
from typing import Any

from limen.activations import Activation, AtKinks, Entry, at_kinks, get
from limen.errors import InvalidValue

__all__ = ["Call", "call_of", "entry_of", "keeps_output"]

Call = tuple[str, tuple[float, ...]]
"""The name of an entry and its parameters in the order of its fields, as the operators take them.

Behind an ``@`` in the name stands the slope at kinks, where it is another one than torch's: ``relu@mean``.
"""

SAME_AT_OUTPUT = ("relu", "leaky_relu", "prelu", "relu6", "hardtanh", "hardshrink", "threshold")
"""Functions that leave alone what they do not flatten, so that ``f'(f(x)) = f'(x)``; with a condition for some."""


@lru_cache(maxsize=1024)
def entry_of(name: str, parameters: tuple[float, ...] = ()) -> Activation:
    """The entry that a call names, the same object each time.

    Raises:
        UnknownName: no entry bears the name.
        InvalidValue: parameters that it cannot take.
    """
    function, _, slope = name.partition("@")
    kind: Any = type(get(function))
    known = [field.name for field in fields(kind)]
    if len(parameters) > len(known):
        raise InvalidValue(f"{function}{parameters}: it takes {', '.join(known) or 'no parameters'}.")
    return at_kinks(kind(*parameters), _slope(slope))


def _slope(text: str) -> float | str:
    """A slope at kinks as ``at_kinks`` takes it."""
    try:
        return float(text)
    except ValueError:
        return text or "torch"


def call_of(entry: Activation) -> Call:
    """What to ask the operators for.

    Raises:
        InvalidValue: the catalogue has no such entry, or its parameters are no plain numbers.
    """
    base, kinks = (entry.base, f"@{entry.slope}") if isinstance(entry, AtKinks) else (entry, "")
    name: str = getattr(base, "name", "")
    parameters = tuple(getattr(base, field.name) for field in fields(base)) if isinstance(base, Entry) else ()  # type: ignore[arg-type]
    numbers = all(isinstance(number, int | float) for number in parameters)
    if not name or not numbers or entry_of(name, parameters) != base:
        raise InvalidValue(
            f"{entry!r} is no entry of the catalogue that limen.nn can apply: enter its class by "
            "limen.activations.register, with plain numbers as its fields, or apply its f yourself."
        )
    return name + kinks, parameters


@lru_cache(maxsize=1024)
def keeps_output(name: str, parameters: tuple[float, ...]) -> bool:
    """Whether the slope can be had from the output, so that nobody needs the input once it is computed."""
    if name not in SAME_AT_OUTPUT:
        return False
    if name in ("leaky_relu", "prelu"):
        return entry_of(name, parameters).monotone  # or both signs would become one
    return name != "threshold" or parameters[1] <= parameters[0]
