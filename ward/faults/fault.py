"""What a fault is, and the words that faults are described with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ward.recipe import Recipe

__all__ = [
    "ANY_HARM",
    "NO_PROGRESS",
    "Changes",
    "Fault",
    "classifies",
    "only",
    "regresses",
    "stacked",
    "unscaling",
    "words",
]

Changes = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One mistake.

    Attributes:
        name: of the mistake.
        changes: the fields of a recipe that it changes; None where the mistake cannot be made in it.
        symptoms: any of these is what is seen.
        causes: any of these is why; the first is what the mistake is.
        remedies: any of these helps.
        defect: whether it is one even where the loss falls as it should, because some of the network has no part in
            the training or adds nothing to it.
        beside: fields of a recipe that the sound twin is given too, where what the mistake changes would do harm of
            another kind as well: harm is that of the mistake alone.
    """

    name: str
    changes: Callable[[Recipe], Changes | None]
    symptoms: frozenset[str]
    causes: tuple[str, ...]
    remedies: frozenset[str]
    defect: bool = False
    beside: Changes = field(default_factory=dict[str, Any], hash=False)


def words(text: str) -> frozenset[str]:
    """A set of names out of a line."""
    return frozenset(text.split())


ANY_HARM = words(
    "dead-units dying-units saturated-units exploding-activations exploding-gradient non-finite not-learning "
    "diverging-loss oscillating-loss slow-learning collapsed-representation vanishing-gradient"
)
NO_PROGRESS = words("not-learning slow-learning collapsed-representation vanishing-gradient")


def only(
    condition: Callable[[Recipe], bool], changes: Callable[[Recipe], Changes]
) -> Callable[[Recipe], Changes | None]:
    """The changes, where the mistake can be made at all."""
    return lambda recipe: changes(recipe) if condition(recipe) else None


def stacked(recipe: Recipe) -> bool:
    """Whether layers follow one another and nothing rescales the signal on its way."""
    return recipe.net in ("mlp", "cnn", "autoencoder") and unscaling(recipe)


def unscaling(recipe: Recipe) -> bool:
    """Whether there is neither a normalisation nor a shortcut."""
    return recipe.norm == "none" and not recipe.skip


def classifies(recipe: Recipe) -> bool:
    """Whether classes are told apart by logits."""
    return recipe.loss == "cross_entropy"


def regresses(recipe: Recipe) -> bool:
    """Whether one number is predicted."""
    return recipe.data in ("diabetes", "letter_width")
