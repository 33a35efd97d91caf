"""From vitals to findings with their causes, and findings over time."""

from dataclasses import replace

import numpy as np

from limen.findings.causes import ranked, sights
from limen.findings.causes.clues import Doubt, doubted
from limen.findings.causes.registry import in_order
from limen.findings.consequences import BY_THE_LOSS, folded, handed_down
from limen.findings.direction import direction_words
from limen.findings.finding import Cause, Finding, Severity
from limen.findings.remedies import fitting, remedies_for
from limen.findings.rules import RULES
from limen.findings.thresholds import Thresholds
from limen.vitals import Vitals

__all__ = ["diagnose", "track"]

_RANK: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}

AT_ONE_REMOVE = Doubt("at-one-remove", 0.9)
DEFAULTS = Thresholds()


def diagnose(vitals: Vitals, limits: Thresholds = DEFAULTS) -> tuple[Finding, ...]:
    """What is wrong, worst first, with ranked causes and remedies; empty for a healthy training.

    Args:
        vitals: What was seen of a training so far. Never changed.
        limits: The limits of all rules.

    Returns:
        Findings by severity, then by how far the first step lies back, then by place.

    >>> diagnose(Vitals())
    ()
    """
    with np.errstate(all="ignore"):  # vitals of a training gone wrong hold infinities
        seen = [finding for rule in RULES.values() for finding in rule(vitals, limits)]
        facts = [_answered(one, one.causes, vitals) for one in sights(vitals, limits)]
        explained = [_explained(finding, vitals, limits, facts) for finding in folded(seen, limits)]
        explained = [*facts, *(_inherited(finding, explained, vitals) for finding in explained)]
    return tuple(sorted(explained, key=lambda one: _place(one, vitals)))


def track(before: tuple[Finding, ...], now: tuple[Finding, ...], step: int) -> tuple[Finding, ...]:
    """The findings of a run so far: those of ``now``, and those of ``before`` that are over.

    The same symptom at the same place is the same finding: it keeps its earliest step and when it was first told, and
    takes everything else from ``now``. One that is gone is closed at ``step``; one that comes back is open again.

    Args:
        before: What ``track`` returned last; empty at first.
        now: What ``diagnose`` says at this step.
        step: The training step.

    Returns:
        Open findings in the order of ``now``, then closed ones, the latest closed first.
    """
    known = {one.key: one for one in before}
    opened = [_continued(one, known.get(one.key), step) for one in now]
    current = {one.key for one in now}
    gone = [one if one.closed is not None else replace(one, closed=step) for one in before if one.key not in current]
    gone.sort(key=lambda one: -(one.closed or 0))
    return (*opened, *gone)


def _continued(finding: Finding, known: Finding | None, step: int) -> Finding:
    if known is None:
        return replace(finding, told=step)
    return replace(finding, step=min(finding.step, known.step), told=known.told)


def _inherited(finding: Finding, roots: list[Finding], vitals: Vitals) -> Finding:
    """What follows from a root has its most likely cause as well, a little less certain."""
    known = {one.name: one for one in finding.causes}
    for root in handed_down(finding, roots):
        for cause in root.causes[:1]:
            known.setdefault(cause.name, doubted(cause, [AT_ONE_REMOVE]))
    return finding if len(known) == len(finding.causes) else _answered(finding, in_order(known.values()), vitals)


def _explained(finding: Finding, vitals: Vitals, limits: Thresholds, facts: list[Finding]) -> Finding:
    told = replace(finding, message=finding.message + direction_words(finding, vitals))
    return _answered(told, ranked(vitals, finding, limits, facts), vitals)


def _answered(finding: Finding, causes: tuple[Cause, ...], vitals: Vitals) -> Finding:
    adaptive = bool(vitals.optimisers) and all(one.adaptive for one in vitals.optimisers)
    remedies = remedies_for(finding.symptom, causes, adaptive=adaptive)
    return replace(finding, causes=causes, remedies=fitting(remedies, finding, vitals))


def _place(finding: Finding, vitals: Vitals) -> tuple[int, int, float, int, str]:
    """Sort key: severity, the whole model's symptoms after their witnesses, size, forward order, name."""
    seen = vitals.site(finding.where)
    whole = 1 if finding.symptom in BY_THE_LOSS else 0
    size = finding.measured if finding.unit.startswith("share") and not whole else 2.0  # beyond any share: first
    return _RANK[finding.severity], whole, -size, seen.site.order if seen else 0, finding.key
