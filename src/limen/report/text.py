"""The report for a terminal: a verdict of a few lines, silence for a healthy network."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from limen.findings import Finding, Group
from limen.findings.advice import SAFE
from limen.journal import Run, TreatmentRecord
from limen.report.groups import Action, actions, figures_of, grouped, known, revived
from limen.report.headline import cost, headline
from limen.report.numbers import number, percent, printable, sentence
from limen.report.order import closed_findings, shown_findings
from limen.report.words import bounds, evidence, phrase, place_name, places, spread, unit_list

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["lines", "plain", "rich_text"]

IN_FULL = 8  # groups written out; the rest is summed up, so that a sick deep network still fits a screen or two
NAMED = 6  # places of a group with a line of their own
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
    groups = grouped(run, shown_findings(run))
    entries = [entry for one in groups[:IN_FULL] for entry in _group(run, one)]
    entries += [_summed_up(run, one, gap=not index) for index, one in enumerate(groups[IN_FULL:])]
    entries += [_healed(run, one, gap=not index) for index, one in enumerate(grouped(run, closed_findings(run)))]
    entries += [entry for record in run.treatments for entry in _treated(run, record)]
    entries += [Entry("cost", cost(run), gap=True)] if entries else []
    notes = run.vitals.notes
    return entries + [Entry("note", note, gap=not index) for index, note in enumerate(notes)]


def _group(run: Run, one: Group) -> list[Entry]:
    root = one.root
    alone = len(one.members) == 1
    entries = [Entry(one.severity, _title(run, one), one.severity, "title", gap=True)]
    entries.append(Entry("  what", root.message.replace(root.where, shortened(root.where))))
    if alone:
        entries.append(Entry("", "; ".join(filter(None, (bounds(root), f"{percent(root.confidence)} sure")))))
        entries += _units(run, root)
    else:
        entries += _members(run, one)
    entries.append(Entry("  since", f"step {root.step:,} of {run.vitals.step:,}{known(one)}{revived(run, one)}"))
    entries += _causes(one)
    entries += [Entry("  so", _consequence(run, finding)) for finding in one.consequences]
    todo = [Entry("", _action(action)) for action in actions(run, one)] + [Entry("", f"limen explain {root.name}")]
    return [*entries, replace(todo[0], label="  do"), *todo[1:]]


def _causes(one: Group) -> list[Entry]:
    """A line for each; none for one that would only say again what has been said, and how sure it is."""
    told = [(cause, evidence(cause, one.root)) for cause in one.causes]
    told = [(cause, more) for cause, more in told if more or cause.name != one.root.name or len(one.members) > 1]
    lines = [f"{cause.name} ({percent(cause.confidence)}){f': {more}' if more else ''}" for cause, more in told]
    return [Entry("" if index else "  why", line) for index, line in enumerate(lines)]


def _consequence(run: Run, finding: Finding) -> str:
    """What became of units in a few words, as their figures explain nothing here; all else as it was told."""
    return f"{sentence(phrase(run, finding))}." if finding.units else finding.message


def _title(run: Run, one: Group) -> str:
    root = one.root
    if len(one.members) > 1:
        wide, named = spread(one.members), places(run, one.members)
        return f"{root.name} in {wide}" + (f": {named}" if named != wide else "")
    site = run.vitals.site(root.where)
    where = place_name(run, root.where)
    parts = [site.site.function] if site is not None and site.site.function not in where else []
    parts += [f"layer {root.layer}"] if root.layer and root.layer not in where else []
    aside = f" ({', '.join(parts)})" if parts else ""
    return f"{root.name} at {shortened(where)}{shortened(aside)}"


def _units(run: Run, finding: Finding) -> list[Entry]:
    site = run.vitals.site(finding.where)
    listed = unit_list(finding.units, site.site.units if site else None)
    return [Entry("  units", listed)] if finding.units else []


def _members(run: Run, one: Group) -> list[Entry]:
    """A line for each place; the first ones of many."""
    entries = [
        Entry("", f"{shortened(place_name(run, f.where))}: {f'{bounds(f)}, ' * bool(bounds(f))}since step {f.step:,}")
        for f in one.members[:NAMED]
    ]
    more = len(one.members) - NAMED
    return [*entries, Entry("", f"and {more:,} more")] if more > 0 else entries


def _action(action: Action) -> str:
    text = f"{action.remedy}: {action.sentence}" if action.sentence != action.remedy else action.remedy
    return f"{text} Done {action.done}." if action.done else text + SAFE * action.safe


def shortened(text: str, most: int = 160) -> str:
    """A long name without its middle; the JSON has it whole.

    >>> shortened("a" * 10 + "b" * 10, 11)
    'aaaaa…bbbbb'
    """
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def _summed_up(run: Run, one: Group, *, gap: bool) -> Entry:
    cause = f" ({one.causes[0].name})" if one.causes and one.symptom else ""
    text = f"{one.root.name} at {places(run, one.members)}, since step {one.root.step:,}{cause}"
    return Entry(one.severity, text, one.severity, gap=gap)


def _healed(run: Run, one: Group, *, gap: bool) -> Entry:
    when = f"began at step {one.root.step:,}, healed at step {one.closed or 0:,}"
    return Entry("healed", f"{one.root.name} at {places(run, one.members)}: {when}", "healed", gap=gap)


def _treated(run: Run, record: TreatmentRecord) -> list[Entry]:
    label = "treated" if record.kept else "undone"
    title = f"{record.name} at {place_name(run, record.where)} after step {record.step:,}"
    entries = [Entry(label, title, label, "title", gap=True)]
    entries += [Entry("", record.detail)] if record.detail else []
    return [*entries, *(Entry("", line) for line in comparison(record))]


def comparison(record: TreatmentRecord) -> list[str]:
    """``name: 24 then, 3 at the end`` for each figure of a treatment: what came later may have had a part in it."""
    rows = [f"{name}: {number(record.before[name])} then, {_after(record, name)}" for name in figures_of(record)]
    return rows + [f"{name}: {number(v)} at the end" for name, v in record.after.items() if name not in record.before]


def _after(record: TreatmentRecord, name: str) -> str:
    return f"{number(record.after[name])} at the end" if name in record.after else "not measured since"
