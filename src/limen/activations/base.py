"""The catalogue in which each activation is entered by name."""

import inspect
from collections.abc import Callable
from typing import TypeVar

from limen.activations.at_kinks import at_kinks
from limen.activations.frameworks import ALIASES, meant
from limen.activations.interface import Activation
from limen.errors import InvalidValue, UnknownName

__all__ = ["get", "names", "register"]

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


def get(
    name: str, *, framework: str | None = None, slope_at_kink: float | str = "torch", **parameters: float
) -> Activation:
    """The catalogue's entry of that name.

    Args:
        name: one of ``names()``, or another common spelling of it (``swish``, ``hard_sigmoid``).
        framework: whose function of that name is meant, one of ``frameworks()``; their defaults differ. With it
            ``name`` is as that framework spells it. None is torch, and the catalogue's own names.
        slope_at_kink: ``torch`` for what torch's operator of that name returns there, ``left``, ``right`` or ``mean``
            of the slopes on both sides, or a number between them.
        **parameters: of the function, for instance ``alpha``; those not given keep their defaults.

    Raises:
        UnknownName: no entry bears the name, or there is no such framework (also a ``KeyError``).
        InvalidValue: a parameter that the function does not have or cannot take (also a ``ValueError``).

    >>> get("elu", alpha=0.5)
    ELU(alpha=0.5)
    >>> get("relu", slope_at_kink="mean")
    AtKinks(base=ReLU(), slope='mean')
    >>> get("leaky_relu", framework="keras"), get("gelu", framework="jax")
    (LeakyReLU(negative_slope=0.2), GELUTanh())
    """
    name, parameters = meant(name, framework, parameters, _ENTRIES)
    entry = _ENTRIES.get(name)
    if entry is None:
        raise UnknownName.of("activation", name, {*_ENTRIES, *ALIASES})
    known = inspect.signature(entry).parameters
    for parameter in parameters:
        if parameter not in known:
            raise InvalidValue(
                f"{name}({parameter}={parameters[parameter]!r}): no such parameter. "
                f"{name} takes {', '.join(known) or 'none'}."
            )
    return at_kinks(entry(**parameters), slope_at_kink)
