"""The terms on which a training is watched."""

from __future__ import annotations

import math
import numbers
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from torch import nn

from limen.errors import InvalidValue

__all__ = ["Terms", "Treat", "check_optimizers", "models_of", "share_of"]

Treat = Literal["off", "safe"]


@dataclass(frozen=True, eq=False)
class Terms:
    """What one watch was asked to do.

    Attributes:
        models: only these are watched; None for all that the process trains.
        budget: share of the training's time that may be taken, in (0, 1]; None to look at every step.
        treat: which repairs may be made.
        strict: raise errors of limen's own.
        listened: somebody is told where the training stands.

    Raises:
        InvalidValue: an unknown ``treat``.
    """

    models: Sequence[nn.Module] | None = None
    budget: float | None = 0.01
    treat: Treat = "off"
    strict: bool = False
    listened: bool = False

    def __post_init__(self) -> None:
        if self.treat not in ("off", "safe"):
            raise InvalidValue(f"watch(treat={self.treat!r}): expected 'off' or 'safe'.")

    def cover(self, inner: Terms) -> bool:
        """Whether all models of an inner watch are watched on these terms too."""
        return self.models is None or (inner.models is not None and _parts(inner.models) <= _parts(self.models))

    def beyond(self, outer: Terms) -> list[str]:
        """What these terms ask for and those of an outer watch do not grant."""
        mine, its = (math.inf if terms.budget is None else terms.budget for terms in (self, outer))
        wishes = {
            f"treat={self.treat!r}": self.treat == "safe" != outer.treat,
            f"budget={self.budget}": mine > its,
            "strict=True": self.strict and not outer.strict,
            "listener": self.listened,
        }
        return [wish for wish, unmet in wishes.items() if unmet]


def share_of(budget: object) -> float | None:
    """The budget that ``limen.watch`` was given: a share, or None for every step.

    Raises:
        InvalidValue: something else.
    """
    if budget is None:
        return None
    share = float(budget) if not isinstance(budget, bool) and isinstance(budget, numbers.Real) else math.nan
    if not 0.0 < share <= 1.0:
        raise InvalidValue(
            f"watch(budget={reprlib.repr(budget)}): expected a number in (0, 1], the share of the training's time that "
            "watching may take, for instance 0.01 for one per cent; budget=None looks at every step."
        )
    return share


def models_of(given: nn.Module | Sequence[nn.Module] | None) -> Sequence[nn.Module] | None:
    """The models that ``limen.watch`` was given, as a list.

    Raises:
        InvalidValue: something else is among them.
    """
    if given is not None and not isinstance(given, nn.Module | Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        given = cast("Sequence[nn.Module]", [given])
    models = [given] if isinstance(given, nn.Module) else None if given is None else list(given)
    for thing in models or ():
        if not isinstance(thing, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValue(f"watch({type(thing).__name__}): expected a torch.nn.Module or a list of them.")
    return models


def check_optimizers(given: object) -> None:
    """Whether ``limen.watch`` was given optimisers, as far as can be told without calling them.

    Raises:
        InvalidValue: something else is among them.
    """
    for thing in cast("Sequence[object]", given) if isinstance(given, list | tuple) else [given]:
        if thing is not None and not callable(getattr(thing, "step", None)):
            raise InvalidValue(
                f"watch(optimizer={type(thing).__name__}): expected a torch.optim.Optimizer, a list of them or nothing."
            )


def _parts(models: Sequence[nn.Module]) -> set[nn.Module]:
    return {part for model in models for part in model.modules()}
