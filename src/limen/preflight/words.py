"""The result of a check for a terminal: a verdict of a few lines, one for a healthy model."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from limen.findings import Finding, advice
from limen.preflight.flight import titled

__all__ = ["Outcome", "headline", "laid_out", "plain"]

GUTTER = 10  # columns before the text
NAMED = 6  # further places of one fault that are named
WIDTH = 96

Line = tuple[str, str, str]
"""What stands in the gutter, the text beside it, and its kind: a severity, ``title``, ``label``, ``text``, ``note``."""


class Outcome(Protocol):
    """What is told of a check."""

    @property
    def model(self) -> str:
        """Class of the model."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Worst first."""
        ...

    @property
    def parameters(self) -> int:
        """Entries of all parameters."""
        ...

    @property
    def layers(self) -> int:
        """Applications of a weight."""
        ...

    @property
    def activations(self) -> int:
        """Applications of an activation."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be looked at."""
        ...

    @property
    def seconds(self) -> float:
        """What the check took."""
        ...


def plain(outcome: Outcome, *, width: int = WIDTH) -> str:
    """The result as plain text, without a line break at its end."""
    return "\n".join((label.ljust(GUTTER) + text).rstrip() for label, text, _ in laid_out(outcome, width=width))


def laid_out(outcome: Outcome, *, width: int = WIDTH) -> list[Line]:
    """The lines of the result, wrapped."""
    lines: list[Line] = []
    for label, text, kind in entries(outcome):
        if not text:
            lines.append(("", "", kind))
        wrapped = textwrap.wrap(text, max(width - GUTTER, 20), break_on_hyphens=False, break_long_words=False)
        lines += [(label if index == 0 else "", words, kind) for index, words in enumerate(wrapped)]
    return lines


def entries(outcome: Outcome) -> Iterator[Line]:
    """The paragraphs of the result."""
    worst = outcome.findings[0].severity if outcome.findings else "healthy"
    yield "limen", headline(outcome), worst if worst != "info" else "healthy"
    yield "", looked(outcome), "label"
    for group in groups(outcome.findings):
        yield from of_group(group)
    for index, note in enumerate(outcome.notes):
        if index == 0 and outcome.findings:
            yield "", "", "label"
        yield "note" if index == 0 else "", note, "note"


def headline(outcome: Outcome) -> str:
    """The verdict in one sentence."""
    faults = [one for one in outcome.findings if one.severity != "info"]
    if not faults:
        return f"{outcome.model} is ready to train: nothing wrong was found."
    errors = sum(one.severity == "error" for one in faults)
    counts = [(errors, "error"), (len(faults) - errors, "warning")]
    told = " and ".join(f"{count} {word}{'s' * (count > 1)}" for count, word in counts if count)
    return f"{outcome.model} is not ready to train: {told}."


def looked(outcome: Outcome) -> str:
    """What was looked at, in a line."""
    counts = ((outcome.layers, "layer"), (outcome.activations, "activation"), (outcome.parameters, "parameter"))
    told = ", ".join(f"{size(count)} {word}{'s' * (count != 1)}" for count, word in counts)
    return f"{told}, one pass over a sample in {outcome.seconds:.2g} s"


def size(count: int) -> str:
    """A number of parameters in few figures.

    >>> size(650), size(25_557_032)
    ('650', '25.6 M')
    """
    for unit, name in ((1e9, "G"), (1e6, "M")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count:,}"


def groups(findings: tuple[Finding, ...]) -> list[list[Finding]]:
    """Findings of one name and severity together, in the order of their first."""
    known: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        known.setdefault((one.severity, one.name), []).append(one)
    return list(known.values())


def of_group(group: list[Finding]) -> Iterator[Line]:
    """The paragraphs of one fault, at one place or several."""
    first = group[0]
    yield "", "", "label"
    several = f" and {len(group) - 1} more place{'s' * (len(group) > 2)}" if len(group) > 1 else ""
    yield first.severity, f"{first.name} at {titled(first.where)}{several}", "title"
    yield "  what", first.message, "text"
    for other in group[1:NAMED]:
        yield "", other.message, "text"
    if len(group) > NAMED:
        yield "", f"and at {', '.join(one.where for one in group[NAMED : NAMED + 12])}", "text"
    yield "  why", first.causes[0].evidence, "text"
    for index, remedy in enumerate(first.remedies[:2]):
        told = advice(remedy, replace(first, where=titled(first.where)))
        yield "" if index else "  do", f"{remedy}: {told}", "text"
    yield "" if first.remedies else "  do", f"limen explain {first.name}", "text"
