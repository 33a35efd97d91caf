"""The words of the HTML report, section by section, before they are escaped and set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import limen
from limen.findings import Cause, Finding
from limen.journal import Run, TreatmentRecord
from limen.report.draw import Json
from limen.report.order import shown_findings
from limen.report.words import bounds, count, headline, number, percent, phrase, printable, reason, undecided, unit_list

__all__ = ["about", "cards", "treatments", "verdict"]

FREE = 2  # seconds that watching may always take, whatever the budget
UNFOLDED = 3  # findings shown open: more than a reader takes in at once


def verdict(run: Run) -> Json:
    """The banner: what was watched, what came out, and the figures of the run."""
    shown = shown_findings(run)
    facts = [
        _fact("Steps", f"{run.vitals.step:,}", _seen(run)),
        _fact("Sites", f"{len(run.vitals.sites):,}", f"{sum(v.site.units for v in run.vitals.sites):,} units"),
        _fact("Time", duration(run.seconds), "" if run.finished else "not finished when this was written"),
        _fact("Cost of watching", _cost(run), _budget(run)),
    ]
    return {
        "verdict": run.verdict,
        "version": printable(run.environment.get("limen") or limen.__version__),
        "command": command(run),
        "started": moment(run.started),
        "title": _title(run, shown),
        "lede": _lede(run, shown),
        "facts": facts,
    }


def cards(run: Run, findings: Sequence[Finding], drawings: Sequence[list[Json]]) -> Json:
    """The findings, each with the figures that show it."""
    held = sum(1 for finding in findings if finding.closed is None)
    ended = len(findings) - held
    parts = [f"{count(held, 'finding')} {'holds' if held == 1 else 'hold'}"] if held else []
    parts += [f"{ended} {'has' if ended == 1 else 'have'} healed"] if ended else []
    entries = [
        _card(run, finding, drawn) | {"open": index < UNFOLDED and finding.closed is None}
        for index, (finding, drawn) in enumerate(zip(findings, drawings, strict=True))
    ]
    return {"findings": entries, "findings_title": ", ".join(parts)}


def treatments(run: Run) -> Json:
    """What was done, with the figures before and after."""
    kept = sum(1 for record in run.treatments if record.kept)
    undone = len(run.treatments) - kept
    title = f"{count(kept, 'treatment')} kept" + (f", {undone} undone" if undone else "")
    return {"treatments": [_treatment(record) for record in run.treatments], "treatments_title": title}


def about(run: Run) -> Json:
    """Where and how it ran, what it cost, and what could not be seen."""
    entries = [_entry(name, value) for name, value in run.environment.items()]
    if run.exit_code is not None:
        entries.append(_entry("exit code", str(run.exit_code)))
    for index, optimiser in enumerate(run.vitals.optimisers):
        entries.append(
            _entry("optimiser" if not index else f"optimiser {index + 1}", _optimiser(optimiser.name, run, index))
        )
    inputs = run.vitals.inputs
    if inputs is not None:
        scale = f"mean {number(inputs.mean)}, standard deviation {number(inputs.std)}"
        entries.append(_entry("input", f"{scale}, from {number(inputs.low)} to {number(inputs.high)}"))
    share, spent = percent(run.overhead), duration(run.spent)
    title = f"Watching took {spent} of {duration(run.seconds)}: {share}" if run.seconds > 0 else "The run"
    return {"about": entries, "cost_title": title, "notes": [printable(note) for note in run.vitals.notes]}


def sentence(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]


def command(run: Run) -> str:
    """The script with its arguments, as typed."""
    return printable(" ".join((run.script, *run.arguments)))


def moment(seconds: float) -> str:
    """A time since 1970 as ``2025-11-21 04:40 UTC``; empty for none."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC") if seconds > 0 else ""
    except (ValueError, OverflowError, OSError):  # a journal may hold any number
        return ""


def duration(seconds: float) -> str:
    """A time span in the unit that suits it.

    >>> [duration(s) for s in (0.0061, 12.31, 754.0, 93_784.0)]
    ['6.1 ms', '12.3 s', '12 min 34 s', '26 h 3 min']
    """
    if not math.isfinite(seconds):
        return "unknown"
    if seconds < 1:
        return f"{number(1000 * seconds)} ms"
    if seconds < 60:
        return f"{number(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _fact(name: str, value: str, more: str) -> Json:
    return {"name": name, "value": value, "more": more}


def _entry(name: str, value: str) -> Json:
    return {"name": printable(name), "value": printable(value)}


def _seen(run: Run) -> str:
    looked, samples = run.vitals.looked, f"{run.vitals.samples:,} samples"
    return f"{looked:,} looked at, {samples}" if 0 < looked < run.vitals.step else f"{samples} looked at"


def _cost(run: Run) -> str:
    """A share where it counts; a time span where the run was too short for the share to matter."""
    return percent(run.overhead) if run.spent > FREE else duration(run.spent)


def _budget(run: Run) -> str:
    share = "" if run.spent > FREE else f"{percent(run.overhead)} of the run; "
    return share + ("no limit was set" if run.budget is None else f"allowed: {percent(run.budget)}, or {FREE} s")


def _title(run: Run, shown: Sequence[Finding]) -> str:
    if run.verdict == "sick":
        return sentence(phrase(run, shown[0]))
    if run.verdict == "undecided":
        return sentence(undecided(run).removeprefix("undecided: "))
    return "Healthy again" if any(f.closed is not None for f in run.findings) else "Nothing to report"


def _lede(run: Run, shown: Sequence[Finding]) -> str:
    if run.verdict != "sick":
        return "" if run.verdict == "undecided" else f"{sentence(headline(run).removeprefix('healthy: '))}."
    first = shown[0]
    parts = [f"Since step {first.step:,}."]
    if first.causes and first.symptom:
        parts = [f"Since step {first.step:,}, most likely because {reason(first.causes[0])}."]
    others = len(run.open_findings) - 1
    parts += [f"{count(others, 'more finding')} below."] if others > 0 else []
    return printable(" ".join(parts))


def _card(run: Run, finding: Finding, drawn: list[Json]) -> Json:
    site = run.vitals.site(finding.where)
    return {
        "name": finding.name,
        "severity": finding.severity,
        "title": sentence(phrase(run, finding)),
        "step": f"{finding.step:,}",
        "closed": f"{finding.closed:,}" if finding.closed is not None else "",
        "confidence": percent(finding.confidence),
        "message": sentence(printable(finding.message)),
        "bounds": bounds(finding),
        "where": printable(finding.where),
        "layer": printable(finding.layer) if finding.layer and finding.layer != finding.where else "",
        "units": _units(finding, site.site.units if site else None),
        "causes": [_cause(cause) for cause in finding.causes],
        "remedies": [printable(remedy) for remedy in finding.remedies],
        "drawings": drawn,
    }


def _units(finding: Finding, total: int | None) -> str:
    if not finding.units:
        return ""
    listed = unit_list(finding.units, total, most=12)
    return f"{listed} units" if listed.startswith("all ") else f"units {listed}"


def _cause(cause: Cause) -> Json:
    known = math.isfinite(cause.confidence)
    return {
        "name": printable(cause.name),
        "confidence": percent(cause.confidence),
        "width": round(100 * min(max(cause.confidence, 0.0), 1.0)) if known else 0,
        "evidence": printable(cause.evidence),
    }


def _treatment(record: TreatmentRecord) -> Json:
    names = [*record.before, *(name for name in record.after if name not in record.before)]
    rows = [
        {
            "name": printable(name),
            "before": number(record.before[name]) if name in record.before else "–",
            "after": number(record.after[name]) if name in record.after else "–",
        }
        for name in names
    ]
    return {
        "name": sentence(printable(record.name).replace("-", " ")),
        "where": printable(record.where),
        "step": f"{record.step:,}",
        "kept": record.kept,
        "detail": sentence(printable(record.detail)),
        "rows": rows,
    }


def _optimiser(name: str, run: Run, index: int) -> str:
    vitals = run.vitals.optimisers[index]
    rates = vitals.learning_rate
    rate = f", learning rate {number(float(rates[-1]))}" if len(rates) else ""
    momentum = f", momentum {number(vitals.momentum)}" if vitals.momentum else ""
    decay = f", weight decay {number(vitals.weight_decay)}" if vitals.weight_decay else ""
    return f"{name}{rate}{momentum}{decay}"
