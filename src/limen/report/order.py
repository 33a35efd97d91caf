"""Findings in the order in which a person should read them."""

from limen.findings import Finding
from limen.journal import Run

__all__ = ["closed_findings", "remarks", "shown_findings", "sorted_findings"]

WHOLE = "model"  # where a finding is that concerns the training as a whole
RANK = {"error": 0, "warning": 1, "info": 2}


def shown_findings(run: Run) -> tuple[Finding, ...]:
    """Findings that still hold, worst first; none for a healthy run, which gets a line."""
    if run.verdict == "healthy":
        return ()
    return _ranked(run, [f for f in run.findings if f.closed is None])


def remarks(run: Run) -> tuple[Finding, ...]:
    """What is worth a word about a healthy run: its findings that still hold, all of the lowest severity."""
    if run.verdict != "healthy":
        return ()
    return _ranked(run, [f for f in run.findings if f.closed is None])


def closed_findings(run: Run) -> tuple[Finding, ...]:
    """Findings that no longer hold, in the order in which they ended."""
    closed = [f for f in run.findings if f.closed is not None and f.severity != "info"]
    return tuple(sorted(closed, key=lambda f: (f.closed or 0, f.where)))


def sorted_findings(run: Run) -> tuple[Finding, ...]:
    """All findings: those that still hold, worst first, then those that have ended."""
    still = _ranked(run, [f for f in run.findings if f.closed is None])
    return still + _ranked(run, [f for f in run.findings if f.closed is not None])


def _ranked(run: Run, findings: list[Finding]) -> tuple[Finding, ...]:
    """Worst first; among equals those with a place, which explain those of the whole model; then by onset and place."""
    place = {vitals.site.name: index for index, vitals in enumerate(run.vitals.sites)}
    return tuple(
        sorted(findings, key=lambda f: (RANK[f.severity], f.where == WHOLE, f.step, place.get(f.where, -1), f.where))
    )
