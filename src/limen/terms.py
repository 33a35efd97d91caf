"""The terms on which a training is watched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import nn

from limen.errors import InvalidValue

__all__ = ["Terms", "Treat"]

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
        InvalidValue: a budget outside (0, 1], or an unknown ``treat``.
    """

    models: Sequence[nn.Module] | None = None
    budget: float | None = 0.01
    treat: Treat = "off"
    strict: bool = False
    listened: bool = False

    def __post_init__(self) -> None:
        if self.budget is not None and not 0.0 < self.budget <= 1.0:
            raise InvalidValue(
                f"watch(budget={self.budget!r}): expected a share in (0, 1], for instance 0.01 for one per cent, "
                "or None to look at every step."
            )
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


def _parts(models: Sequence[nn.Module]) -> set[nn.Module]:
    return {part for model in models for part in model.modules()}
