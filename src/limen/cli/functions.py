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

from limen.cli.function_screen import FunctionScreen
from limen.cli.places import check_writable, shown
from limen.errors import InvalidValue

if TYPE_CHECKING:
    from limen.functions import Subject

__all__ = ["FunctionOptions", "functions"]

WAY_OUT = "Name a module or a file and a function in it that takes and gives a tensor: net:act, src/net.py:act."


@dataclass(frozen=True)
class FunctionOptions:
    """What was asked for; see the help of the command."""

    names: tuple[str, ...]
    parameters: tuple[str, ...]
    where: str | None
    compare: str | None
    plot: Path | None
    x: str | None
    json: bool

    @property
    def name(self) -> str | None:
        """The one function whose sheet is asked for; None for the table or a comparison."""
        return self.names[0] if self.names else None


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
        undrawn = [subject.title for subject in subjects if subject.curves is None]
        without = f", without {', '.join(undrawn)}: no function of one number" if undrawn else ""
        print(f"drawn: {shown(picture, Path.cwd())}{without}", file=sys.stderr)
    if options.json or picture is not None:
        return
    screen = FunctionScreen(stdout)
    if options.compare:
        screen.compare(subjects, window)
    elif options.name:
        screen.sheet(subjects[0], window)
    else:
        screen.table(subjects)


def _check(options: FunctionOptions) -> None:
    """Refuse options that do not go together."""
    if len(options.names) > 1:
        raise InvalidValue(
            f"limen functions {' '.join(options.names)}: expected one NAME. Several side by side: "
            f"limen functions --compare {','.join(options.names)}"
        )
    single, several = options.name is not None, options.compare is not None
    refused = {
        "--parameter without NAME": bool(options.parameters) and not single,
        "--where with NAME or --compare": options.where is not None and (single or several),
        "--plot without NAME or --compare": options.plot is not None and not (single or several),
        "--x without NAME or --compare": options.x is not None and not (single or several),
    }
    if single and several:
        every = f"{options.name},{options.compare}"
        raise InvalidValue(f"limen functions: --compare takes all the names. Try: limen functions --compare {every}")
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
        numbers = tuple(map(float, value.split(",")))
    except ValueError:
        return name, value
    return name, numbers if "," in value else numbers[0]


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
