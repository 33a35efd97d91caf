"""What ``limen run`` was asked to do, checked and made absolute before anything runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from limen.cli.places import check_journal, check_writable, for_rank
from limen.errors import InvalidValue

__all__ = ["NAMES", "FailOn", "RunOptions", "Treat", "run_options"]

NAMES = ("--report", "--json", "--journal", "--budget", "--treat", "--strict", "--quiet", "--fail-on")
"""As they are written on the command line."""

FailOn = Literal["warning", "error"]
Treat = Literal["off", "safe"]


@dataclass(frozen=True)
class RunOptions:
    """The options of one ``limen run``; all paths are absolute.

    Attributes:
        report: where the HTML goes; None for the usual place.
        json: where the JSON goes; None for nowhere.
        journal: where the run file goes; None for a temporary one.
        budget: share of the run that limen may take; None to look at every step, whatever it costs.
        treat: which repairs may be made.
        strict: raise limen's own errors instead of going on unwatched.
        quiet: show nothing while it runs, and only a bad verdict at its end.
        fail_on: severity from which a finding makes the exit code 3; None for never.
        folder: the working directory in which it was asked.
        rank: number of this process in a distributed run, from 0.
    """

    report: Path | None
    json: Path | None
    journal: Path | None
    budget: float | None
    treat: Treat
    strict: bool
    quiet: bool
    fail_on: FailOn | None
    folder: Path
    rank: int


def run_options(
    *,
    report: Path | None,
    json: Path | None,
    journal: Path | None,
    budget: str,
    treat: Treat,
    strict: bool,
    quiet: bool,
    fail_on: FailOn | None,
) -> RunOptions:
    """The options as given on the command line, checked.

    Raises:
        UnwritablePath: one of the files cannot be written (also an ``OSError``).
        InvalidValue: the budget is not a share (also a ``ValueError``).
    """
    rank = _rank()

    def place(path: Path | None, option: str, check: Callable[[Path, str], Path] = check_writable) -> Path | None:
        return None if path is None else check(for_rank(path, rank), option)

    return RunOptions(
        report=place(report, "--report"),
        json=place(json, "--json"),
        journal=place(journal, "--journal", check_journal),
        budget=_budget(budget),
        treat=treat,
        strict=strict,
        quiet=quiet or rank > 0,
        fail_on=fail_on,
        folder=Path.cwd(),
        rank=rank,
    )


def _budget(text: str) -> float | None:
    if text == "every":
        return None
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0.0 < share <= 1.0:
        raise InvalidValue(
            f"--budget: expected a share of the run above 0 and up to 1, such as 0.01, or 'every'; found {text!r}."
        )
    return share


def _rank() -> int:
    """What torchrun and its kin tell each process."""
    text = os.environ.get("RANK", "0")
    return int(text) if text.isdecimal() else 0
