"""The findings of the HTML report: a card for each group, in it the evidence of each member."""

from __future__ import annotations

import math
from collections.abc import Sequence

from limen.findings import Cause, Finding, Group
from limen.journal import Run
from limen.report.draw import Json
from limen.report.groups import actions, known, revived
from limen.report.numbers import count, percent, printable, sentence
from limen.report.words import bounds, evidence, phrase, place_name, spread, unit_list

__all__ = ["cards"]

UNFOLDED = 3  # groups shown open: more than a reader takes in at once

Drawings = dict[tuple[str, int], list[Json]]
"""The figures of each finding, by its identity and the step it began at: it may come back."""


def cards(run: Run, groups: Sequence[Group], drawings: Drawings) -> Json:
    """The groups, each with the figures that show its members."""
    findings = [finding for one in groups for finding in (*one.members, *one.consequences)]
    held = sum(1 for finding in findings if finding.closed is None)
    ended = len(findings) - held
    noun = "finding" if any(finding.severity != "info" for finding in findings) else "remark"
    parts = [f"{count(held, noun)} {'holds' if held == 1 else 'hold'}"] if held else []
    parts += [f"{ended} {'has' if ended == 1 else 'have'} healed"] if ended else []
    entries = [
        _card(run, one, drawings) | {"open": index < UNFOLDED and one.closed is None}
        for index, one in enumerate(groups)
    ]
    return {"groups": entries, "findings": len(findings), "findings_title": ", ".join(parts)}


def _card(run: Run, one: Group, drawings: Drawings) -> Json:
    members = [_member(run, finding, drawings) for finding in one.members]
    return {
        "name": one.root.name,
        "severity": one.severity,
        "title": sentence(phrase(run, *one.members)),
        "spread": spread(one.members) if len(members) > 1 else "",
        "step": f"{one.root.step:,}",
        "revived": known(one) + revived(run, one),
        "closed": f"{one.closed:,}" if one.closed is not None else "",
        "confidence": percent(max(finding.confidence for finding in one.members)),
        "causes": [_cause(cause, one) for cause in one.causes],
        "actions": actions(run, one),
        "members": members,
        "consequences": [_member(run, finding, drawings) for finding in one.consequences],
    }


def _member(run: Run, finding: Finding, drawings: Drawings) -> Json:
    site = run.vitals.site(finding.where)
    name = place_name(run, finding.where)
    return {
        "title": sentence(phrase(run, finding)),
        "message": sentence(printable(finding.message)),
        "bounds": bounds(finding),
        "step": f"{finding.step:,}",
        "name": name,
        "path": printable(finding.where) if name != printable(finding.where) else "",
        "layer": printable(finding.layer) if finding.layer and finding.layer != finding.where else "",
        "units": _units(finding, site.site.units if site else None),
        "drawings": drawings.get((finding.key, finding.step), []),
    }


def _units(finding: Finding, total: int | None) -> str:
    if not finding.units:
        return ""
    listed = unit_list(finding.units, total, most=12)
    return f"{listed} units" if listed.startswith("all ") else f"units {listed}"


def _cause(cause: Cause, one: Group) -> Json:
    known = math.isfinite(cause.confidence)
    return {
        "name": printable(cause.name),
        "confidence": percent(cause.confidence),
        "width": round(100 * min(max(cause.confidence, 0.0), 1.0)) if known else 0,
        "evidence": printable(evidence(cause, one.root) if len(one.members) == 1 else cause.evidence),
    }
