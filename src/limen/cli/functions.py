"""``limen functions``: the catalogue as a table, the sheet of a function with its curves, several side by side."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from limen.cli.places import check_writable, shown
from limen.errors import InvalidValue

if TYPE_CHECKING:
    from limen.functions import Subject

__all__ = ["FunctionOptions", "functions"]

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

WAY_OUT = "Name a module or a file and a function in it that takes and gives a tensor: net:act, src/net.py:act."


@dataclass(frozen=True)
class FunctionOptions:
    """What was asked for; see the help of the command."""

    name: str | None
    parameters: tuple[str, ...]
    where: str | None
    compare: str | None
    plot: Path | None
    x: str | None
    json: bool


def functions(options: FunctionOptions, stdout: TextIO) -> None:
    """Print what was asked for.

    Raises:
        UnknownName: a name or property that does not exist; the nearest is suggested (also a ``KeyError``).
        InvalidValue: options that do not go together, or a parameter that cannot be (also a ``ValueError``).
    """
    from limen.functions import panels, to_json  # loads torch
    from limen.report.plot import check_plot, write_plot

    _check(options)
    picture = check_writable(check_plot(options.plot), "--plot") if options.plot is not None else None
    window = _window(options.x)
    subjects = _subjects(options)
    if options.json:
        print(json.dumps(to_json(subjects), indent=1, allow_nan=False), file=stdout)
    if picture is not None:
        title = ", ".join(subject.title for subject in subjects)
        write_plot(panels(subjects, window), picture, title=title)
        print(f"drawn: {shown(picture, Path.cwd())}", file=sys.stderr)
    if options.json or picture is not None:
        return
    screen = _Screen(stdout)
    if options.compare:
        screen.compare(subjects, window)
    elif options.name:
        screen.sheet(subjects[0], window)
    else:
        screen.table(subjects)


def _check(options: FunctionOptions) -> None:
    """Refuse options that do not go together."""
    single, several = options.name is not None, options.compare is not None
    refused = {
        "NAME and --compare": single and several,
        "--parameter without NAME": bool(options.parameters) and not single,
        "--where with NAME or --compare": options.where is not None and (single or several),
        "--plot without NAME or --compare": options.plot is not None and not (single or several),
        "--x without NAME or --compare": options.x is not None and not (single or several),
    }
    for together, asked in refused.items():
        if asked:
            raise InvalidValue(f"limen functions: {together} makes no sense. Try: limen functions --help")


def _subjects(options: FunctionOptions) -> list[Subject]:
    from limen.functions import catalogue, chosen

    if options.compare is not None:
        names = [name.strip() for name in options.compare.split(",") if name.strip()]
        if len(names) < 2:
            raise InvalidValue(f"--compare {options.compare}: expected two or more names, as in relu,gelu,silu.")
        return [_subject(name, ()) for name in names]
    if options.name is not None:
        return [_subject(options.name, options.parameters)]
    return chosen(catalogue(), options.where or "")


def _subject(name: str, parameters: Sequence[str]) -> Subject:
    """An entry of the catalogue, or a function of the user's, which is described first."""
    from limen.activations import describe
    from limen.cli.check.subject import find
    from limen.functions import look_up, of_description

    if ":" not in name:
        return look_up(name, **dict(map(_parameter, parameters)))
    if parameters:
        raise InvalidValue(f"limen functions {name}: --parameter is for entries of the catalogue.")
    found = find(name, asked=f"limen functions {name}", kind="function", way_out=WAY_OUT)
    return of_description(describe(found() if isinstance(found, type) else found))


def _parameter(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise InvalidValue(f"--parameter {text}: expected NAME=VALUE, as in alpha=0.5.")
    try:
        return name, float(value)
    except ValueError:
        return name, value


def _window(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(.+):(.+)", text)
    try:
        low, high = (float(end) for end in found.groups()) if found else (0.0, 0.0)
    except ValueError:
        low, high = 0.0, 0.0
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InvalidValue(f"--x {text}: expected LOW:HIGH, as in -6:6.")
    return low, high


class _Screen:
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
        from limen.functions import about, facts, formula

        self._line(f"{subject.title} ({subject.kind} function)", "bold cyan")
        if subject.text:
            self._wrapped(formula(subject.text))
        if subject.curves is not None:
            self._line("")
            self._curves([subject], window)
        self._line("")
        known = facts(subject)
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
            if name != "rounding" and any(name in each for each in known):
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
