"""The catalogue in which each function is entered by name."""

import inspect
from collections.abc import Callable
from typing import Any, Literal, TypeVar, overload

from limen.activations.at_kinks import at_kinks
from limen.activations.frameworks import ALIASES, meant
from limen.activations.interface import Activation
from limen.activations.kinds import KINDS, Combination, Function, Head, Kind
from limen.errors import InvalidValue, UnknownName, WrongType

__all__ = ["get", "kind_of", "names", "register"]

Registered = TypeVar("Registered", bound=Function)

_ENTRIES: dict[str, type[Function]] = {}

MEANING: dict[Kind, str] = {
    "elementwise": "a function of each number by itself",
    "gated": "a function of several inputs",
    "head": "a function of a whole axis",
}


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


def kind_of(entry: Function | type[Function]) -> Kind:
    """Which kind an entry or its class is of.

    >>> kind_of(get("gelu"))
    'elementwise'
    """
    member = entry if isinstance(entry, type) else type(entry)
    return next(kind for kind, family in KINDS.items() if issubclass(member, family))


def names(*, kind: Kind | None = None) -> tuple[str, ...]:
    """The names of the catalogue, sorted.

    Args:
        kind: only the functions of each number by itself (``elementwise``), of several inputs (``gated``) or of a whole
            axis (``head``); None for all.

    Raises:
        UnknownName: there is no such kind (also a ``KeyError``).

    >>> "gelu" in names(kind="elementwise"), "glu" in names(kind="elementwise"), "glu" in names()
    (True, False, True)
    """
    _check_kind(kind)
    return tuple(sorted(name for name, entry in _ENTRIES.items() if kind in (None, kind_of(entry))))


@overload
def get(name: str, *, kind: Literal["gated"], framework: str | None = None, **parameters: Any) -> Combination: ...
@overload
def get(name: str, *, kind: Literal["head"], framework: str | None = None, **parameters: Any) -> Head: ...
@overload
def get(
    name: str,
    *,
    kind: Literal["elementwise"] | None = None,
    framework: str | None = None,
    slope_at_kink: float | str = "torch",
    **parameters: Any,
) -> Activation: ...
def get(
    name: str,
    *,
    kind: Kind | None = None,
    framework: str | None = None,
    slope_at_kink: float | str = "torch",
    **parameters: Any,
) -> Function:
    """The catalogue's entry of that name.

    Args:
        name: one of ``names()``, or another common spelling of it (``linear``, ``hard_sigmoid``).
        kind: refuse entries of another kind. Type checkers take an entry to be elementwise unless told another kind.
        framework: whose function of that name is meant, one of ``frameworks()``; their defaults differ. With it
            ``name`` is as that framework spells it. None is torch, and the catalogue's own names.
        slope_at_kink: ``torch`` for what torch's operator of that name returns there, ``left``, ``right`` or ``mean``
            of the slopes on both sides, or a number between them. For elementwise functions.
        **parameters: of the function, for instance ``alpha``; those not given keep their defaults.

    Raises:
        UnknownName: no entry bears the name, or there is no such kind or framework (also a ``KeyError``).
        InvalidValue: an entry of another kind, or a parameter that the function does not have or cannot take (also a
            ``ValueError``).
        WrongType: ``name`` is no text (also a ``TypeError``).

    >>> get("elu", alpha=0.5)
    ELU(alpha=0.5)
    >>> get("relu", slope_at_kink="mean")
    AtKinks(base=ReLU(), slope='mean')
    >>> get("leaky_relu", framework="keras"), get("gelu", framework="jax")
    (LeakyReLU(negative_slope=0.2), GELUTanh())
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise WrongType(
            f"get({name!r}): expected the name of a function, such as 'relu'. of_module finds the entry of a module."
        )
    _check_kind(kind)
    name, parameters = meant(name, framework, parameters, _ENTRIES)
    member = _ENTRIES.get(name)
    if member is None:
        raise UnknownName.of("activation", name, {*names(kind=kind), *ALIASES})
    if kind is not None and kind != kind_of(member):
        raise InvalidValue(
            f"{name} is {MEANING[kind_of(member)]}. Expected {MEANING[kind]}: one of names(kind={kind!r})."
        )
    known = inspect.signature(member).parameters
    for parameter in parameters:
        if parameter not in known:
            raise InvalidValue(
                f"{name}({parameter}={parameters[parameter]!r}): no such parameter. "
                f"{name} takes {', '.join(known) or 'none'}."
            )
    entry = member(**parameters)
    if isinstance(entry, Activation):
        return at_kinks(entry, slope_at_kink)
    if slope_at_kink != "torch":
        raise InvalidValue(
            f"{name}(slope_at_kink={slope_at_kink!r}): {name} is {MEANING[kind_of(entry)]}, which keeps its own slopes."
        )
    return entry


def _check_kind(kind: str | None) -> None:
    if kind is not None and kind not in KINDS:
        raise UnknownName.of("kind of function", kind, KINDS)
