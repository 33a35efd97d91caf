"""What limen said of one case, held against what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ward.cases import Case

__all__ = ["Outcome", "outcome"]


@dataclass(frozen=True)
class Outcome:
    """One case and what was said.

    Attributes:
        case: its name.
        base: its sound recipe.
        half: ``tuning`` or ``scored``.
        architecture: what kind of network it is.
        fault: what is wrong with it; None for a sound one.
        alarms: names of all findings of severity warning and above, the most certain first.
        found: whether one of them is what the fault shows; False for a sound case.
        causes: of the alarms, ranked.
        right: place of the right cause among them, from 1; None where it is not there.
        helped: whether one of the alarms that fit names a remedy that helps.
        step: share of the run at which it was first said; None where it was not.
        peers: the rules of other tools that raise an alarm over the same vitals, by tool.
        steps: optimiser steps seen.
        seconds: of the whole command.
        error: the end of what was printed, where no result came.
    """

    case: str
    base: str
    half: str
    architecture: str
    fault: str | None
    alarms: tuple[str, ...] = ()
    found: bool = False
    causes: tuple[str, ...] = ()
    right: int | None = None
    helped: bool = False
    step: float | None = None
    peers: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    steps: int = 0
    seconds: float = 0.0
    error: str = ""


def outcome(
    case: Case,
    result: dict[str, Any] | None,
    seconds: float,
    *,
    error: str = "",
    peers: dict[str, tuple[str, ...]] | None = None,
) -> Outcome:
    """The outcome of a case from limen's JSON; None where there was none."""
    fault = case.fault
    about: dict[str, Any] = {"case": case.name, "base": case.base, "half": case.half, "seconds": seconds}
    about |= {"architecture": case.architecture, "fault": fault.name if fault else None}
    if result is None:
        return Outcome(**about, error=error or "no result")
    about["peers"] = peers or {}
    alarms = [one for one in result["findings"] if one["severity"] != "info"]
    ranked = ranked_causes(alarms)
    about |= {"alarms": tuple(map(name_of, alarms)), "causes": ranked, "steps": result["steps"]}
    if fault is None:
        return Outcome(**about)
    right = next((place for place, name in enumerate(ranked, 1) if name in fault.causes), None)
    told = [one for one in alarms if one["symptom"] in fault.symptoms or names_of_causes(one) & set(fault.causes)]
    first = min((said_at(one) for one in told), default=None)
    step = None if first is None else first / max(result["steps"], 1)
    helped = any(fault.remedies & set(one["remedies"]) for one in told)
    return Outcome(**about, found=bool(told), right=right, helped=helped, step=step)


def said_at(finding: dict[str, Any]) -> int:
    """The step at which it was first said; where that is not known, the one since which it holds."""
    told = finding.get("told")
    return finding["step"] if told is None else told


def name_of(finding: dict[str, Any]) -> str:
    """What a finding is called: its symptom, or the first of its causes."""
    return finding["symptom"] or finding["causes"][0]["name"]


def names_of_causes(finding: dict[str, Any]) -> set[str]:
    return {cause["name"] for cause in finding["causes"]}


def ranked_causes(findings: list[dict[str, Any]]) -> tuple[str, ...]:
    """Every cause named by the findings, the most certain first."""
    best: dict[str, float] = {}
    for finding in findings:
        for cause in finding["causes"]:
            best[cause["name"]] = max(best.get(cause["name"], 0.0), cause["confidence"])
    return tuple(sorted(best, key=lambda name: -best[name]))
