"""What ``limen run`` was asked to do, checked and made absolute before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from limen.cli.places import check_journal, check_report
from limen.errors import InvalidValue
from limen.ranks import Ranks, for_rank, this_rank

__all__ = ["FAILED_BY_FINDINGS", "NAMES", "FailOn", "RunOptions", "Treat", "forbids", "run_options"]

NAMES = ("--report", "--json", "--journal", "--budget", "--treat", "--strict", "--quiet", "--fail-on")
"""As they are written on the command line."""

FAILED_BY_FINDINGS = 3
"""The exit code where ``--fail-on`` forbids what was found."""

FailOn = Literal["warning", "error"]
Treat = Literal["off", "safe"]


def forbids(level: FailOn | None, severities: Iterable[str]) -> bool:
    """Whether ``--fail-on`` forbids findings of these severities.

    >>> forbids("warning", ["info", "error"]), forbids("error", ["warning"]), forbids(None, ["error"])
    (True, False, False)
    """
    forbidden = {None: set[str](), "error": {"error"}, "warning": {"warning", "error"}}[level]
    return not forbidden.isdisjoint(severities)


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
        ranks: which process of a distributed run this is; None where it trains alone.
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
    ranks: Ranks | None

    @property
    def rank(self) -> int:
        """Number of this process in a distributed run; only 0 speaks and reports."""
        return self.ranks.present[0] if self.ranks else 0


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
    ranks = this_rank()
    rank = ranks.present[0] if ranks else 0

    def place(path: Path | None, option: str) -> Path | None:
        return None if path is None or rank else check_report(path, option)

    return RunOptions(
        report=place(report, "--report"),
        json=place(json, "--json"),
        journal=None if journal is None else check_journal(for_rank(journal, rank), "--journal"),
        budget=_budget(budget),
        treat=treat,
        strict=strict,
        quiet=quiet or rank > 0,
        fail_on=fail_on,
        folder=Path.cwd(),
        ranks=ranks,
    )


def _budget(text: str) -> float | None:
    if text == "every":
        return None
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = 0.0
    if not 0.0 < share <= 1.0:
        raise InvalidValue(
            "--budget: expected a share of the run above 0 and up to 1, such as 0.01 or 1%, or 'every'; "
            f"found {text!r}."
        )
    return share
