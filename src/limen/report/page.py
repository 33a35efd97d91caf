"""The words of the HTML report, section by section, before they are escaped and set."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import limen
from limen.findings import Finding
from limen.journal import Run, TreatmentRecord
from limen.report.draw import Json
from limen.report.groups import actions, figures_of, grouped
from limen.report.headline import allowance, headline, undecided, unfinished
from limen.report.looks import ending
from limen.report.numbers import count, duration, number, printable, sentence
from limen.report.order import closed_findings, remarks, shown_findings
from limen.report.words import phrase, place_name, reason

__all__ = ["about", "treatments", "verdict"]


def verdict(run: Run) -> Json:
    """The banner: what was watched, what came out, and the figures of the run."""
    shown = shown_findings(run)
    facts = [
        _fact("Steps", f"{run.vitals.step:,}", _seen(run)),
        _fact("Sites", f"{len(run.vitals.sites):,}", f"{sum(v.site.units for v in run.vitals.sites):,} units"),
        _fact("Time", duration(run.seconds), "" if run.finished else "not finished when this was written"),
        _fact("Cost of watching", duration(run.spent), allowance(run)),
    ]
    return {
        "verdict": run.verdict,
        "kicker": _kicker(run),
        "version": printable(run.environment.get("limen") or limen.__version__),
        "command": command(run),
        "started": moment(run.started),
        "title": _title(run, shown),
        "lede": _lede(run, shown),
        "facts": facts,
    }


def treatments(run: Run) -> Json:
    """What was done, with the figures before and after."""
    kept = sum(1 for record in run.treatments if record.kept)
    undone = len(run.treatments) - kept
    title = f"{count(kept, 'treatment')} kept" + (f", {undone} undone" if undone else "")
    return {"treatments": [_treatment(run, record) for record in run.treatments], "treatments_title": title}


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
    limit = allowance(run)
    joint = " " if limit.startswith("of ") else ": "
    title = f"Watching took {duration(run.spent)}{joint}{limit}" if run.seconds > 0 else "The run"
    return {"about": entries, "cost_title": title, "notes": [printable(note) for note in run.vitals.notes]}


def command(run: Run) -> str:
    """The script with its arguments, as typed."""
    return printable(" ".join((run.script, *run.arguments)))


def moment(seconds: float) -> str:
    """A time since 1970 as ``2025-11-21 04:40 UTC``; empty for none."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC") if seconds > 0 else ""
    except (ValueError, OverflowError, OSError):  # a journal may hold any number
        return ""


def _fact(name: str, value: str, more: str) -> Json:
    return {"name": name, "value": value, "more": more}


def _entry(name: str, value: str) -> Json:
    return {"name": printable(name), "value": printable(value)}


def _seen(run: Run) -> str:
    looked, samples = run.vitals.looked, f"{run.vitals.samples:,} samples"
    return f"{looked:,} looked at, {samples}" if 0 < looked < run.vitals.step else f"{samples} looked at"


def _kicker(run: Run) -> str:
    """The verdict in a word or two, and whether it is one on the whole training."""
    cut = unfinished(run)
    return sentence(run.verdict) + (f"; {cut}" if cut and run.verdict != "healthy" else "")


def _title(run: Run, shown: Sequence[Finding]) -> str:
    if run.verdict == "sick":
        return sentence(phrase(run, *grouped(run, shown)[0].members))
    if run.verdict == "undecided":
        return sentence(undecided(run).removeprefix("undecided: "))
    if unfinished(run):
        return sentence(unfinished(run))
    title = "Healthy again" if closed_findings(run) else "Healthy" if run.findings else "Nothing to report"
    title += f", with {count(len(remarks(run)), 'remark')}" if remarks(run) else ""
    return title if ending(run) == "at the end" else f"{title}, up to {ending(run).removeprefix('at ')}"


def _lede(run: Run, shown: Sequence[Finding]) -> str:
    if run.verdict != "sick":
        seen = headline(run).removeprefix("healthy: ")
        return "" if run.verdict == "undecided" else f"{f'Healthy until then: {seen}' if unfinished(run) else seen}."
    worst = grouped(run, shown)[0]
    parts = [f"Since step {worst.root.step:,}."]
    if worst.causes and worst.symptom:
        parts = [f"Since step {worst.root.step:,}, most likely because {reason(worst.causes[0])}."]
    todo = [one.sentence for one in actions(run, worst) if not one.done]
    parts += todo[:1]
    told = {finding.key for finding in (*worst.members, *worst.consequences)}
    others = len([finding for finding in run.open_findings if finding.key not in told])
    parts += [f"{count(others, 'more finding')} below."] if others > 0 else []
    return printable(" ".join(parts))


def _treatment(run: Run, record: TreatmentRecord) -> Json:
    names = [*figures_of(record), *(name for name in record.after if name not in record.before)]
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
        "where": place_name(run, record.where),
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
