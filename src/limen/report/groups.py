"""Findings of one root as one block: where, since when, and what to do about all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from limen.findings import REMEDIES, Finding, Group, advice, group, is_safe
from limen.findings.advice import SAFE
from limen.journal import Run
from limen.report.numbers import printable

__all__ = ["Action", "actions", "grouped"]


@dataclass(frozen=True)
class Action:
    """What to do about a group.

    Attributes:
        remedy: its name.
        sentence: how, with the figures of the case.
        safe: whether ``--treat safe`` does it.
        done: the step after which it was done in this run; None where it was not.
    """

    remedy: str
    sentence: str
    safe: bool
    done: int | None


def grouped(run: Run, findings: Sequence[Finding]) -> tuple[Group, ...]:
    """The findings in groups, in the order of the first of each."""
    return group(findings, run.vitals)


def actions(run: Run, one: Group) -> list[Action]:
    """What to do, best first; nothing about what is over."""
    if one.closed is not None:
        return []
    # the sentence for several layers names none of them
    case = one.root if len(one.members) == 1 else replace(one.root, layer=None, units=())
    return [_action(run, one, replace(case, remedies=one.remedies), remedy) for remedy in one.remedies]


def _action(run: Run, one: Group, case: Finding, remedy: str) -> Action:
    if remedy not in REMEDIES:  # a journal may hold any name
        return Action(printable(remedy), printable(remedy), False, None)
    keys = {finding.key for finding in one.members}
    done = [
        record.step for record in run.treatments if record.kept and record.name == remedy and record.finding in keys
    ]
    sentence = printable(advice(remedy, case, run.vitals).removesuffix(SAFE))
    return Action(remedy, sentence, is_safe(remedy, case), max(done, default=None))
