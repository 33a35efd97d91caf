"""Findings of one root as one block: where, since when, and what to do about all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from limen.findings import REMEDIES, Finding, Group, advice, group, is_safe
from limen.findings.advice import SAFE
from limen.findings.rate_choice import optimiser_of
from limen.journal import Run, TreatmentRecord
from limen.report.numbers import printable

__all__ = ["Action", "actions", "figures_of", "grouped", "known", "revived"]


@dataclass(frozen=True)
class Action:
    """What to do about a group.

    Attributes:
        remedy: its name.
        sentence: how, with the figures of the case.
        safe: whether ``--treat safe`` does it.
        done: when it was done in this run, for instance ``after step 40: 0.3 → 0.003``; empty where it was not.
    """

    remedy: str
    sentence: str
    safe: bool
    done: str


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
        return Action(printable(remedy), printable(remedy), False, "")
    done = _done(run, one, remedy)
    # once the rate was lowered, a rate to try would be stale
    sentence = printable(advice(remedy, case, None if done else run.vitals).removesuffix(SAFE))
    return Action(remedy, sentence, any(is_safe(remedy, finding, run.vitals) for finding in one.members), done)


def figures_of(record: TreatmentRecord) -> list[str]:
    """Names of what is compared with the end of the run; the rate that a treatment set is told in its own words."""
    return [name for name in record.before if name != "learning rate"]


def known(one: Group) -> str:
    """From which step on limen knew of a group, where that was not when it began; empty where it was."""
    told = min((finding.told for finding in one.members if finding.told is not None), default=one.root.step)
    return f"; known at step {told:,}" if told > one.root.step else ""


def revived(run: Run, one: Group) -> str:
    """After which steps units of a group were revived: those dead now may have died since. Empty where none were."""
    keys = {finding.key for finding in one.members}
    steps = {record.step for record in run.treatments if record.name == "revive-units" and record.finding in keys}
    told = [f"{step:,}" for step in sorted(steps)]
    row = f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else "".join(told)
    return f"; units revived after step {row}" if told else ""


def _done(run: Run, one: Group, remedy: str) -> str:
    """When: a revival the last time, each lower rate with its own change, whichever finding it answered."""
    keys = {finding.key for finding in one.members}
    optimisers = {run.vitals.optimisers[index].name for index in _optimisers(run, one)}
    kept = [record for record in run.treatments if record.kept and record.name == remedy]
    if remedy == "lower-learning-rate":
        own = [record for record in kept if record.finding in keys or record.where in optimisers]
        return "; ".join(f"after step {record.step:,}{_change(record)}" for record in own)
    last = max((record.step for record in kept if record.finding in keys), default=None)
    return f"after step {last:,}" if last is not None else ""


def _optimisers(run: Run, one: Group) -> set[int]:
    found = {optimiser_of(finding, run.vitals) for finding in one.members}
    return {index for index in found if index is not None and index < len(run.vitals.optimisers)}


def _change(record: TreatmentRecord) -> str:
    before, after = (figures.get("learning rate") for figures in (record.before, record.after))
    return f": {before:.3g} → {after:.3g}" if before is not None and after is not None else ""
