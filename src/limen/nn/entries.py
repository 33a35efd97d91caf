"""Which entry of the catalogue the operators are asked for: its name and its parameters, as plain values."""

from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any

from limen.activations import Activation, AtKinks, Combination, Head, at_kinks, get, names
from limen.errors import InvalidValue

__all__ = ["Call", "call_of", "entry_of", "keeps_output"]

Call = tuple[str, tuple[float, ...]]
"""The name of an entry and its parameters in the order of its fields, as the operators take them.

Behind the name may stand how many numbers each field holds, where some hold several (``pau:6,4``), and the slope at
kinks, where it is another one than torch's (``relu@mean``).
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
    name, _, slope = name.partition("@")
    name, _, counts = name.partition(":")
    kind: Any = type(get(name, kind="elementwise"))
    known = [field.name for field in fields(kind)]
    values = _parted(parameters, counts) if counts else parameters
    if len(values) > len(known):
        raise InvalidValue(f"{name}{parameters}: it takes {', '.join(known) or 'no parameters'}.")
    return at_kinks(kind(*values), _slope(slope))


def _parted(numbers: tuple[float, ...], counts: str) -> tuple[Any, ...]:
    """Plain numbers as the values of fields: as many as each holds, 0 standing for a number by itself."""
    left, values = iter(numbers), list[Any]()
    for count in map(int, counts.split(",")):
        values.append(tuple(next(left) for _ in range(count)) if count else next(left))
    return tuple(values)


def _slope(text: str) -> float | str:
    """A slope at kinks as ``at_kinks`` takes it."""
    try:
        return float(text)
    except ValueError:
        return text or "torch"


def call_of(entry: Activation) -> Call:
    """What to ask the operators for.

    Raises:
        InvalidValue: the catalogue has no such entry, or its parameters are no numbers.
    """
    base: Any = entry.base if isinstance(entry, AtKinks) else entry
    kinks = f"@{entry.slope}" if isinstance(entry, AtKinks) else ""
    name: str = getattr(base, "name", "")
    if is_dataclass(base) and name in names(kind="elementwise"):
        values = [getattr(base, field.name) for field in fields(base)]
        several = [isinstance(value, tuple) and len(value) > 0 for value in values]
        numbers = [x for value, many in zip(values, several, strict=True) for x in (value if many else (value,))]
        counts = ",".join(str(len(value) if many else 0) for value, many in zip(values, several, strict=True))
        call = f"{name}{f':{counts}' if any(several) else ''}{kinks}", tuple(numbers)
        if all(isinstance(number, int | float) for number in numbers) and entry_of(*call) == entry:
            return call
    if isinstance(entry, Combination | Head):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidValue(
            f"{entry!r} is no entry of the catalogue that limen.nn can apply to each number by itself. The modules of "
            "gated units and heads are made by their own names, such as limen.nn.SwiGLU()."
        )
    raise InvalidValue(
        f"{entry!r} is no entry of the catalogue that limen.nn can apply: enter its class by "
        "limen.activations.register, with numbers as its fields, or apply its f yourself."
    )


@lru_cache(maxsize=1024)
def keeps_output(name: str, parameters: tuple[float, ...]) -> bool:
    """Whether the slope can be had from the output, so that nobody needs the input once it is computed."""
    if name not in SAME_AT_OUTPUT:
        return False
    if name in ("leaky_relu", "prelu"):
        return entry_of(name, parameters).monotone  # or both signs would become one
    return name != "threshold" or parameters[1] <= parameters[0]
