"""The verdict in one sentence, how far it reaches, and what watching cost."""

import signal

from limen.findings import group
from limen.journal import Run
from limen.report.looks import ending
from limen.report.names import shortened
from limen.report.numbers import count, duration, percent, printable
from limen.report.order import remarks
from limen.report.words import phrase
from limen.vitals import EVIDENCE

__all__ = ["allowance", "cost", "headline", "undecided", "unfinished"]

TOLD = 2  # remarks of a healthy run that are written out
LONGEST = 80  # characters of one
FREE = 2.0  # seconds that watching may always take, whatever the budget


def headline(run: Run) -> str:
    """What a reader in a hurry should know of the part that was seen."""
    if run.verdict == "undecided":
        return undecided(run)
    seen = f"{count(len(run.vitals.sites), 'site')}, {_watched(run)}"
    if run.verdict == "healthy":
        return f"healthy: {seen}{_remarked(run)}"
    tally = [(len([f for f in run.open_findings if f.severity == level]), level) for level in ("error", "warning")]
    found = f"sick: {', '.join(count(many, level) for many, level in tally if many)}{_roots(run)}; {seen}"
    return f"{found}; {_broken(run)}" if run.broken else found


def _remarked(run: Run) -> str:
    """What is worth a word about a healthy run, each with the name that ``limen explain`` knows; often nothing."""
    said = remarks(run)
    if not said:
        return ""
    told = group(said, run.vitals)[:TOLD]
    clauses = [f"{shortened(phrase(run, *one.members), LONGEST)} ({printable(one.root.name)})" for one in told]
    rest = len(said) - sum(len(one.members) + len(one.consequences) for one in told)
    more = f" and {rest:,} more" if rest else ""
    return f"; {count(len(said), 'remark')}: {', '.join(clauses)}{more}"


def _roots(run: Run) -> str:
    """How many of the findings stand for the others, where some do."""
    grave = [finding for finding in run.open_findings if finding.severity != "info"]
    roots = len(group(grave))
    return f" with {'one root' if roots == 1 else f'{roots} roots'}" if roots < len(grave) else ""


def unfinished(run: Run) -> str:
    """Why what was seen is not the whole training; empty for one that was watched to its end.

    A journal whose process was killed and one that still grows look alike.
    """
    if not run.vitals.step:
        return ""
    when = f"step {run.vitals.step:,}"
    if run.exit_code:
        return f"did not finish: {_code(run.exit_code)} at {when}"
    if run.broken:
        return _broken(run)
    return "" if run.finished else f"did not finish: killed after {when}, or still running"


def undecided(run: Run) -> str:
    """Why there is no verdict, and what would be needed for one."""
    if run.broken:
        return f"undecided: {printable(run.broken)}"
    if not run.vitals.step:
        return "no training step was seen"
    if not run.vitals.sites:
        steps = count(run.vitals.step, "step")
        return f"undecided: no activation function was seen in {steps}; limen check says where one is missing"
    if run.vitals.step < EVIDENCE.steps:
        return f"undecided: {count(run.vitals.step, 'step')} seen, {EVIDENCE.steps} needed"
    return f"undecided: {count(run.samples, 'sample')} seen, {EVIDENCE.samples:,} needed"


def _code(code: int) -> str:
    try:
        return f"exit code {code}" if code > 0 else signal.Signals(-code).name
    except ValueError:  # a journal may hold any number
        return f"signal {-code}"


def _broken(run: Run) -> str:
    return f"not watched to the end: {printable(run.broken)}"


def cost(run: Run) -> str:
    """What watching took, measured against what it was allowed."""
    return f"{duration(run.spent)} ({allowance(run)})"


def allowance(run: Run) -> str:
    """The limit that counts: while less than the free seconds were spent no share does, however short the training."""
    if run.budget is None:
        return f"{percent(run.overhead)} of the time; no limit was set"
    if run.spent <= FREE:
        return f"of the {FREE:g} s that are always allowed"
    return f"{percent(run.overhead)} of the time, {percent(run.budget)} allowed"


def _watched(run: Run) -> str:
    """How many steps there were, and how many of them limen saw."""
    steps, looked = count(run.vitals.step, "step"), run.vitals.looked
    if not 0 < looked < run.vitals.step:
        return f"{steps} watched"
    when = ending(run)
    return f"{looked:,} of {steps} watched" + ("" if when == "at the end" else f", the last {when}, to keep the budget")
