"""The model of causes: pieces of evidence for one, doubts against it, and one formula for how sure they make it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod

from limen.findings.finding import Cause

__all__ = ["LEFT", "Clue", "Doubt", "confidence", "doubted", "explained_away", "inferred"]

LEFT = 0.5
"""Of what speaks for another cause beside one that is certain: both may be true."""


@dataclass(frozen=True)
class Clue:
    """One piece of evidence for a cause.

    Attributes:
        name: what kind of evidence it is, for instance ``large-step``.
        weight: how sure it makes the cause by itself, in [0, 1]; 0 where it was looked for and not seen.
        words: the measured figures in a part of a sentence; empty where there is nothing to tell.
    """

    name: str
    weight: float
    words: str = ""


@dataclass(frozen=True)
class Doubt:
    """Something that speaks against a cause, whatever speaks for it.

    Attributes:
        name: what it is, for instance ``never-alive``.
        factor: what it leaves of the suspicion, in [0, 1]; 1 where it was looked for and not seen.
    """

    name: str
    factor: float


def confidence(clues: Iterable[Clue], doubts: Iterable[Doubt] = ()) -> float:
    """How sure the clues make a cause, and what the doubts leave of that: ``(1 - prod(1 - w)) * prod(f)``.

    The first factor is a noisy-or: each clue is wrong with the chance ``1 - w``, by itself, and the cause is not there
    only if all of them are wrong.

    Source: Pearl 1988, "Probabilistic Reasoning in Intelligent Systems", section 4.3.2.

    >>> confidence([Clue("large-step", 0.5), Clue("loss-jumped", 0.4)], [Doubt("steep-in-depth", 0.7)])
    0.49
    """
    left = prod(1.0 - clue.weight for clue in clues)
    return round((1.0 - left) * prod(doubt.factor for doubt in doubts), 3)


def inferred(name: str, clues: Iterable[Clue], doubts: Iterable[Doubt] = (), *, faint: float = 0.0) -> Cause | None:
    """The cause with the words of its clues as its evidence; None where it is no surer than ``faint``."""
    told = tuple(clue for clue in clues if clue.weight > 0.0)
    sure = confidence(told, doubts)
    if not sure > 0.0 or sure < faint:
        return None
    sentence = "; ".join(clue.words for clue in told if clue.words)
    return Cause(name, sure, f"{sentence[:1].upper()}{sentence[1:]}.")


def doubted(cause: Cause, doubts: Iterable[Doubt]) -> Cause:
    """The same cause with what the doubts leave of its confidence."""
    return replace(cause, confidence=round(cause.confidence * prod(doubt.factor for doubt in doubts), 3))


def explained_away(surest: float) -> Doubt:
    """The doubt that a cause seen with confidence ``surest`` throws on every other: ``1 - surest / 2`` is left.

    Source: Wellman & Henrion 1993, "Explaining Explaining Away", IEEE Transactions on Pattern Analysis 15(3).

    >>> explained_away(0.8).factor
    0.6
    """
    return Doubt("explained-away", 1.0 - (1.0 - LEFT) * surest)
