"""What is looked up: an entry of the catalogue, or a user's function that was described."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from limen.activations import (
    Activation,
    AtKinks,
    CombinationSheet,
    Description,
    Entry,
    HeadSheet,
    Sheet,
    Tails,
    get,
    kind_of,
    names,
    tails,
)
from limen.errors import InvalidValue
from limen.report.plot.panel import Floats

__all__ = ["Curve", "Subject", "catalogue", "of_description", "of_name"]

Curve = Callable[[Floats], Floats]
AnySheet = Sheet | CombinationSheet | HeadSheet


@dataclass(frozen=True, eq=False)
class Subject:
    """One function and all that is known of it.

    Attributes:
        name: of the entry, or of the user's function.
        kind: ``elementwise``, ``gated``, ``head``, or ``described`` for a user's function.
        parameters: by name.
        text: the docstring, cleaned; empty for a user's function.
        source: where the formula comes from; empty for a user's function.
        sheet: its properties.
        entry: the catalogue's, if it is one of each number by itself.
        description: of a user's function.
    """

    name: str
    kind: str
    parameters: dict[str, Any]
    text: str
    source: str
    sheet: AnySheet
    entry: Activation | None = None
    description: Description | None = None

    @property
    def curves(self) -> tuple[Curve, Curve, Curve] | None:
        """Value, slope and curvature, from arrays to arrays; None for a function of several numbers."""
        if self.description is not None:
            return self.description.f, self.description.df, self.description.d2f
        if self.entry is not None:
            return _curve(self.entry.f), _curve(self.entry.df), _curve(self.entry.d2f)
        return None

    @property
    def tails(self) -> Tails | None:
        """The flat sides of an entry."""
        return tails(self.entry) if self.entry is not None else None

    @property
    def title(self) -> str:
        """The name, with parameters that are not those by default."""
        usual = {} if self.description is not None else of_name(self.name).parameters if self.parameters else {}
        other = [f"{name}={value}" for name, value in self.parameters.items() if value != usual.get(name)]
        return f"{self.name}({', '.join(other)})" if other else self.name


def catalogue() -> tuple[Subject, ...]:
    """All entries with their own parameters, sorted by name."""
    return tuple(of_name(name) for name in names())


def of_name(name: str, **parameters: Any) -> Subject:
    """The entry of that name.

    Raises:
        UnknownName: there is none; the nearest is suggested (also a ``KeyError``).
        InvalidValue: a parameter that it does not have or cannot take (also a ``ValueError``).
    """
    found: Any = get(name, **parameters)
    base: Any = found.base if isinstance(found, AtKinks) else found
    if not isinstance(base, Entry) and isinstance(base, Activation):
        raise InvalidValue(f"{name} states no sheet. limen.activations.describe finds one of any function.")
    fields = {one.name: getattr(base, one.name) for one in dataclasses.fields(cast(Any, base))}
    entry = found if isinstance(found, Activation) else None
    return Subject(name, kind_of(base), fields, inspect.getdoc(base) or "", base.source, base.sheet, entry)


def of_description(found: Description) -> Subject:
    """A user's function, once it was described."""
    return Subject(found.name, "described", {}, "", "", found.sheet, description=found)


def _curve(function: Callable[[Tensor], Tensor]) -> Curve:
    def curve(x: Floats) -> Floats:
        with torch.no_grad():
            return function(torch.from_numpy(x)).numpy(force=True)

    return curve
