"""Where causes are entered by name: what explains a symptom, and what is seen without one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from limen.findings.causes.clues import doubted, explained_away
from limen.findings.finding import CAUSES, SYMPTOMS, Cause, Finding
from limen.findings.thresholds import Thresholds
from limen.vitals import Vitals

__all__ = ["EXPLANATIONS", "FACTS", "Explanation", "Fact", "Sight", "cause", "fact", "in_order", "ranked", "sights"]

Explanation = Callable[[Vitals, Finding, Thresholds], Cause | None]
Sight = Callable[[Vitals, Thresholds], Iterator[Finding]]

EXPLANATIONS: dict[str, Explanation] = {}
"""Every function that looks for evidence of a cause behind a symptom, by the cause."""


@dataclass(frozen=True)
class Fact:
    """A cause that can be seen by itself, before any harm.

    Attributes:
        sight: yields a finding without a symptom and with this cause alone for each place where it is seen.
        explains: symptoms that follow from it.
    """

    sight: Sight
    explains: frozenset[str]


FACTS: dict[str, Fact] = {}
"""Every cause that can be seen by itself, by name."""


def cause(name: str) -> Callable[[Explanation], Explanation]:
    """Enter the function below under ``name``, which must be one of ``CAUSES``. Its docstring is its manual page."""
    if name not in CAUSES or name in EXPLANATIONS:
        raise ValueError(f"cause({name!r}): expected a cause of limen.findings.CAUSES that has no evidence yet.")

    def enter(function: Explanation) -> Explanation:
        EXPLANATIONS[name] = function
        return function

    return enter


def fact(name: str, *, explains: Collection[str]) -> Callable[[Sight], Sight]:
    """Enter the function below as what sees the cause ``name`` by itself.

    Its docstring is the cause's manual page, unless an explanation of the same cause has it.

    Args:
        name: one of ``CAUSES``.
        explains: the ``SYMPTOMS`` that follow from it.
    """
    if name not in CAUSES or name in FACTS or not set(explains) <= set(SYMPTOMS):
        raise ValueError(f"fact({name!r}): expected a cause of limen.findings.CAUSES, once, and symptoms it explains.")

    def enter(function: Sight) -> Sight:
        FACTS[name] = Fact(function, frozenset(explains))
        return function

    return enter


def sights(vitals: Vitals, limits: Thresholds) -> list[Finding]:
    """Every cause that is seen by itself."""
    return [finding for fact in FACTS.values() for finding in fact.sight(vitals, limits)]


def ranked(vitals: Vitals, finding: Finding, limits: Thresholds, facts: Iterable[Finding] = ()) -> tuple[Cause, ...]:
    """All causes of ``finding`` for which there is evidence, most likely first.

    A fact that the symptom follows from is a cause with its own confidence, and explains the others away
    (``clues.explained_away``); where evidence makes the same cause surer than the fact does, that counts.

    Args:
        vitals: What was seen.
        finding: The symptom.
        limits: What counts as what.
        facts: What ``sights`` saw.
    """
    found = [explanation(vitals, finding, limits) for explanation in EXPLANATIONS.values()]
    seen = {one.name: one.causes[0] for one in sorted(facts, key=_confidence) if _explains(one, finding)}
    away = explained_away(max((one.confidence for one in seen.values()), default=0.0))
    likeliest = dict(seen)
    for one in found:
        if one is not None:
            rival = one if one.name in seen else doubted(one, [away])
            likeliest[one.name] = max(rival, likeliest.get(one.name, rival), key=lambda either: either.confidence)
    return in_order(likeliest.values())


def in_order(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """Most likely first; equally likely ones as in ``CAUSES``."""
    return tuple(sorted(causes, key=lambda one: (-one.confidence, CAUSES.index(one.name))))


def _explains(fact: Finding, finding: Finding) -> bool:
    return fact.name in FACTS and finding.symptom in FACTS[fact.name].explains


def _confidence(finding: Finding) -> float:
    return finding.causes[0].confidence
