"""The catalogue on a terminal, or plainly on whatever else there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from limen.functions import Subject

__all__ = ["FunctionScreen"]

WIDTH = 100
"""Columns of a sheet on a wide terminal and in a file."""

INDENT = "  "
STYLES = {"title": "bold", "axis": "bright_black"}
COLOURS = ("cyan", "yellow", "green", "magenta", "red", "blue")

PLAIN = str.maketrans(
    {"∞": "inf", "–": "-", "…": "...", "′": "'", "″": "''", "²": "^2", "³": "^3", "≥": ">=", "≤": "<=", "·": "*",
     "±": "+-", "é": "e", "ö": "oe", "ü": "ue"}
)  # fmt: skip
"""What a terminal without Unicode shows instead."""

WIDEST_COLUMN = 40


class FunctionScreen:
    """Prints to a terminal, or plainly to whatever else there is."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False)
        self._plain = not _shows("∞⣿┼″", stream)
        self._terminal = self._console.is_terminal

    def table(self, subjects: Sequence[Subject]) -> None:
        """A line for each function."""
        from limen.functions import table

        head, *rows = table(subjects, self._console.width if self._terminal else None)
        if not rows:
            self._line("No function has all of these properties.")
            return
        self._line(head, "bold")
        for row in rows:
            self._line(row)

    def sheet(self, subject: Subject, window: tuple[float, float] | None) -> None:
        """Formula, curves, properties and what to know."""
        from limen.functions import about, facts, formula, measured

        self._line(f"{subject.title} ({subject.kind} function)", "bold cyan")
        if subject.text:
            self._wrapped(formula(subject.text))
        if subject.curves is not None:
            self._line("")
            self._curves([subject], window)
        self._line("")
        known = [*facts(subject), *measured(subject)]
        wide = max(len(name) for name, _ in known) + 2
        for name, value in known:
            self._wrapped(value, f"{name:{wide}}")
        for part in [*about(subject.text), *([f"Source: {subject.source}."] if subject.source else [])]:
            self._line("")
            self._wrapped(part.replace("``", ""))

    def compare(self, subjects: Sequence[Subject], window: tuple[float, float] | None) -> None:
        """Curves on top of each other, then the properties side by side."""
        from limen.functions import facts, formula
        from limen.report.plot.terminal import LETTERS

        drawn = [subject for subject in subjects if subject.curves is not None]
        if drawn:
            self._curves(drawn, window)
            self._line("")
        heads = {
            id(one): (f"{letter} {one.title}", i) for i, (letter, one) in enumerate(zip(LETTERS, drawn, strict=False))
        }
        wide = min(self._console.width, WIDEST_COLUMN * (len(subjects) + 1))
        shown = Table(box=None, padding=(0, 2, 0, 0), header_style="", width=wide)
        shown.add_column("", style="bright_black", no_wrap=True)
        for subject in subjects:
            title, number = heads.get(id(subject), (subject.title, -1))
            style = f"bold {_colour(number)}" if number >= 0 and len(drawn) > 1 else "bold"
            shown.add_column(Text(self._said(title), style), ratio=1)
        known = [{"formula": formula(subject.text), **dict(facts(subject))} for subject in subjects]
        order = dict.fromkeys(["formula", "parameters", "inputs", *(name for each in known for name in each)])
        for name in order:
            if any(name in each for each in known):
                shown.add_row(name, *(Text(self._said(each.get(name, "–"))) for each in known))
        self._console.print(shown)

    def _curves(self, subjects: Sequence[Subject], window: tuple[float, float] | None) -> None:
        from limen.functions import panels
        from limen.report.plot import terminal

        wide = min(self._console.width, WIDTH) - len(INDENT)
        for row in terminal(panels(subjects, window), wide, ascii=self._plain):
            text = Text(INDENT)
            for piece, style in row:
                text.append(
                    self._said(piece), _colour(int(style[5:])) if style.startswith("line-") else STYLES.get(style)
                )
            text.rstrip()
            self._console.print(text, no_wrap=True, crop=False)

    def _wrapped(self, text: str, label: str = "") -> None:
        room = max(min(self._console.width, WIDTH) - len(INDENT) - len(label), 20)
        for index, line in enumerate(Text(self._said(text)).wrap(self._console, room)):
            line.rstrip()
            first = label if index == 0 else " " * len(label)
            self._console.print(Text.assemble(INDENT, (first, "bright_black"), line))

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(Text(self._said(text), style), no_wrap=True, crop=False, overflow="ignore")

    def _said(self, text: str) -> str:
        """The text in letters that the stream can show."""
        return text.translate(PLAIN).encode("ascii", "replace").decode() if self._plain else text


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _shows(letters: str, stream: TextIO) -> bool:
    """Whether a stream can write these letters."""
    try:
        letters.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
