"""The report for a terminal: a verdict of a few lines, silence for a healthy network."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from limen.findings import Finding
from limen.journal import Run, TreatmentRecord
from limen.report.headline import cost, headline, unfinished
from limen.report.numbers import count, number, percent, printable
from limen.report.order import closed_findings, shown_findings
from limen.report.words import bounds, place_name, unit_list

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["lines", "plain", "rich_text"]

IN_FULL = 8  # findings written out; the rest is summed up, so that a sick deep network still fits a screen or two
NAMED = 4  # places named where findings are summed up
GUTTER = 10  # columns before the text, as wide as the longest label and two spaces

STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "info": "bold blue",
    "healed": "green",
    "treated": "green",
    "undone": "yellow",
    "title": "bold",
    "label": "dim",
    "text": "",
}
"""What each kind of words looks like, in rich's terms."""


@dataclass(frozen=True)
class Entry:
    """One labelled paragraph.

    Attributes:
        label: what stands in the gutter.
        text: what stands beside it, not yet wrapped.
        label_style: key of ``STYLES``.
        text_style: key of ``STYLES``.
        gap: True for an empty line before it.
    """

    label: str
    text: str
    label_style: str = "label"
    text_style: str = "text"
    gap: bool = False


def lines(run: Run, *, width: int = 96) -> list[str]:
    """The report as lines of plain text, none with a line break.

    Args:
        run: what was watched.
        width: columns at which paragraphs wrap.
    """
    return ["".join(words for words, _ in line) for line in _laid_out(run, width)]


def plain(run: Run, *, width: int = 96) -> str:
    """The report as plain text, without a line break at its end."""
    return "\n".join(lines(run, width=width))


def rich_text(run: Run, *, width: int = 96) -> Text:
    """The report in colour; the same words as :func:`plain`."""
    from rich.text import Text

    text = Text()
    for index, line in enumerate(_laid_out(run, width)):
        text.append("\n" if index else "")
        for words, style in line:
            text.append(words, style=STYLES[style] or None)
    return text


def _laid_out(run: Run, width: int) -> list[list[tuple[str, str]]]:
    verdict, _, rest = headline(run).partition(":")
    colour = {"sick": "error", "healthy": "healed", "undecided": "warning"}[run.verdict]
    colour = "warning" if colour == "healed" and unfinished(run) else colour
    first = [(f"{verdict}:", colour), (rest, "text")] if rest else [(verdict, colour)]
    laid: list[list[tuple[str, str]]] = [first]
    for entry in _entries(run):
        laid += [[("", "text")]] if entry.gap else []
        room = max(width - GUTTER, 20)
        wrapped = textwrap.wrap(printable(entry.text), room, break_on_hyphens=False) or [""]
        for index, words in enumerate(wrapped):
            label = (entry.label if index == 0 else "").ljust(GUTTER)
            laid.append([(label, entry.label_style), (words, entry.text_style)])
    return laid


def _entries(run: Run) -> list[Entry]:
    shown = shown_findings(run)
    entries = [entry for finding in shown[:IN_FULL] for entry in _finding(run, finding)]
    entries += _summed_up(run, shown[IN_FULL:])
    entries += [_healed(run, finding, gap=not index) for index, finding in enumerate(closed_findings(run))]
    entries += [entry for record in run.treatments for entry in _treated(record)]
    entries += [Entry("cost", cost(run), gap=True)] if entries else []
    notes = run.vitals.notes
    return entries + [Entry("note", note, gap=not index) for index, note in enumerate(notes)]


def _finding(run: Run, finding: Finding) -> list[Entry]:
    site = run.vitals.site(finding.where)
    where = place_name(run, finding.where)
    parts = [site.site.function] if site is not None and site.site.function not in where else []
    parts += [f"layer {finding.layer}"] if finding.layer and finding.layer not in where else []
    aside = f" ({', '.join(parts)})" if parts else ""
    title = f"{finding.name} at {shortened(where)}{shortened(aside)}"
    entries = [
        Entry(finding.severity, title, finding.severity, "title", gap=True),
        Entry("  what", finding.message.replace(finding.where, shortened(finding.where))),
        Entry("", f"{bounds(finding)}; {percent(finding.confidence)} sure"),
    ]
    if finding.units:
        entries.append(Entry("  units", unit_list(finding.units, site.site.units if site else None)))
    entries.append(Entry("  since", f"step {finding.step:,} of {run.vitals.step:,}"))
    for index, cause in enumerate(finding.causes):
        evidence = f": {cause.evidence}" if cause.evidence else ""
        entries.append(Entry("" if index else "  why", f"{cause.name} ({percent(cause.confidence)}){evidence}"))
    remedies = ", or ".join(finding.remedies)
    more = f"limen explain {finding.name}"
    return [*entries, Entry("  do", f"{remedies}; see `{more}`" if remedies else f"see `{more}`")]


def shortened(text: str, most: int = 160) -> str:
    """A long name without its middle; the JSON has it whole.

    >>> shortened("a" * 10 + "b" * 10, 11)
    'aaaaa…bbbbb'
    """
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def _summed_up(run: Run, findings: tuple[Finding, ...]) -> list[Entry]:
    """One entry for all findings of one name, severity and first cause."""
    alike: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        cause = finding.causes[0].name if finding.causes and finding.symptom else ""
        alike.setdefault((finding.severity, finding.name, cause), []).append(finding)
    entries: list[Entry] = []
    for (severity, name, cause), group in alike.items():
        places = ", ".join(place_name(run, finding.where) for finding in group[:NAMED])
        places += " …" if len(group) > NAMED else ""
        since = min(finding.step for finding in group)
        text = f"{name} at {count(len(group), 'more place')}, first at step {since:,}: {places}"
        text += f" ({cause})" if cause else ""
        entries.append(Entry(severity, text, severity, gap=not entries))
    return entries


def _healed(run: Run, finding: Finding, *, gap: bool) -> Entry:
    where = place_name(run, finding.where)
    text = f"{finding.name} at {where}: began at step {finding.step:,}, healed at step {finding.closed or 0:,}"
    return Entry("healed", text, "healed", gap=gap)


def _treated(record: TreatmentRecord) -> list[Entry]:
    label = "treated" if record.kept else "undone"
    title = f"{record.name} at {record.where} after step {record.step:,}"
    entries = [Entry(label, title, label, "title", gap=True)]
    entries += [Entry("", record.detail)] if record.detail else []
    return [*entries, *(Entry("", line) for line in comparison(record))]


def comparison(record: TreatmentRecord) -> list[str]:
    """``name: before -> after`` for each figure of a treatment."""
    rows = [f"{name}: {number(value)} -> {_after(record, name)}" for name, value in record.before.items()]
    return rows + [f"{name}: {number(v)} after" for name, v in record.after.items() if name not in record.before]


def _after(record: TreatmentRecord, name: str) -> str:
    return number(record.after[name]) if name in record.after else "not measured yet"
