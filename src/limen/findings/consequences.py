"""What follows from what: one root is told, and what is only its consequence is folded under it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from limen.findings.finding import CAUSES, SYMPTOMS, Finding
from limen.findings.thresholds import Thresholds

__all__ = ["BY_THE_LOSS", "CONSEQUENCES", "Consequence", "folded", "follows", "handed_down"]

Fold = Literal["left out", "listed", "listed with its causes"]


@dataclass(frozen=True)
class Consequence:
    """One symptom that follows from another.

    Attributes:
        root: the symptom that comes first.
        symptom: the one that follows from it.
        fold: ``left out`` where the figures of what follows mean nothing beside the root; ``listed`` where it is
            true as well, and told below its root if both have the same most likely cause; ``listed with its causes``
            where what explains a root that is an error explains it too.
        reason: why it follows, as a sentence.
    """

    root: str
    symptom: str
    fold: Fold
    reason: str


BLOCKED = "No gradient passes a layer all of whose slopes are about zero."
NOT_A_NUMBER = "Whatever is compared with a NaN is false: nothing that is measured after it means anything."
UNTAUGHT = "What keeps a network from working keeps its loss from falling."

LEADS_TO_NAN = frozenset({"exploding-gradient", "exploding-activations"})
BY_THE_LOSS = ("diverging-loss", "oscillating-loss", "slow-learning", "not-learning")
"""Symptoms of the training as a whole: they follow from what is wrong inside."""

CONSEQUENCES: tuple[Consequence, ...] = (
    *(
        Consequence("non-finite", after, "left out", NOT_A_NUMBER)
        for after in SYMPTOMS
        if after not in {"non-finite", "exploding-gradient"}
    ),
    Consequence("dead-units", "vanishing-gradient", "left out", BLOCKED),
    Consequence("saturated-units", "vanishing-gradient", "left out", BLOCKED),
    Consequence(
        "exploding-activations",
        "exploding-gradient",
        "listed",
        "The gradient of a weight is a product with the signal that enters it.",
    ),
    *(
        Consequence(root, "non-finite", "listed", "What doubles at each step or layer soon overflows.")
        for root in sorted(LEADS_TO_NAN)
    ),
    *(
        Consequence(root, "diverging-loss", "listed", "A step is as large as its gradient, and throws the weights.")
        for root in sorted(LEADS_TO_NAN)
    ),
    *(
        Consequence(root, after, "listed with its causes", UNTAUGHT)
        for after in ("slow-learning", "not-learning")
        for root in SYMPTOMS
        if root not in {"non-finite", *BY_THE_LOSS}
    ),
    *(
        Consequence(root, "not-learning", "listed with its causes", "The same loss, said once more.")
        for root in BY_THE_LOSS
        if root != "not-learning"
    ),
)
"""The whole table. A cause that is seen by itself is the root, besides, of every symptom it is the likeliest of."""

_TABLE = {(one.root, one.symptom): one for one in CONSEQUENCES}


def follows(root: str, symptom: str) -> bool:
    """Whether ``symptom`` is listed as a consequence under ``root``, a symptom or a cause that is seen by itself.

    >>> follows("exploding-activations", "not-learning"), follows("not-learning", "exploding-activations")
    (True, False)
    """
    if root in CAUSES:
        return symptom in SYMPTOMS
    known = _TABLE.get((root, symptom))
    return known is not None and known.fold != "left out"


def folded(findings: list[Finding], limits: Thresholds) -> list[Finding]:
    """Without those whose figures mean nothing beside the root they follow from.

    Only an error stands in the way of others. What was established before the first NaN counts: ``limits.steps``
    steps that agree.
    """
    errors = [one for one in findings if one.severity == "error"]
    return [one for one in findings if not any(_hides(root, one, limits) for root in errors)]


def _hides(root: Finding, finding: Finding, limits: Thresholds) -> bool:
    known = _TABLE.get((root.name, finding.name))
    if known is None or known.fold != "left out":
        return False
    return root.symptom != "non-finite" or finding.step + limits.steps > root.step


def handed_down(finding: Finding, others: Iterable[Finding]) -> list[Finding]:
    """Of ``others``, the roots whose causes are those of ``finding``, too."""
    return [one for one in others if one.severity == "error" and _hands_down(one.name, finding.name)]


def _hands_down(root: str, symptom: str) -> bool:
    known = _TABLE.get((root, symptom))
    return known is not None and known.fold == "listed with its causes"
