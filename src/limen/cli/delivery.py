"""What is handed over at the end of ``limen run``: the verdict on stderr, the HTML, the JSON, the exit code."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from limen.cli.options import FAILED_BY_FINDINGS, RunOptions, forbids
from limen.cli.places import default_report, shown

if TYPE_CHECKING:
    from limen.journal import Run

__all__ = ["Delivery", "ending", "print_verdict", "written"]

WIDTH = 96
"""Columns of the text report on a wide terminal and in a file."""


class Delivery:
    """Reports one run where its options say."""

    def __init__(self, stderr: TextIO, options: RunOptions) -> None:
        self._stderr = stderr
        self._options = options

    def say(self, line: str) -> None:
        """One line on stderr; nothing where the script has closed it."""
        with contextlib.suppress(OSError, ValueError):
            self._stderr.write(f"{line}\n")
            self._stderr.flush()

    def deliver(self, run: Run, *, has_torch: bool, journal: str = "") -> None:
        """Print and write everything that was asked for.

        Args:
            run: what was watched.
            has_torch: whether the script imported torch at all.
            journal: what to say of the journal.
        """
        if self._options.rank:
            return
        loud = self.is_loud(run)
        if loud:
            self._verdict(run, has_torch)
        lines = [line for line in (*self._files(run), journal) if line]
        if loud and lines:
            self.say(" · ".join(lines))

    def is_loud(self, run: Run) -> bool:
        """Whether anything is to be said of this run in this process."""
        return not self._options.rank and (run.verdict == "sick" or not self._options.quiet)

    def verdict_code(self, run: Run) -> int:
        """3 where ``--fail-on`` forbids what was found, else 0; one rank decides, as its exit ends the others."""
        level = None if self._options.rank else self._options.fail_on
        if not forbids(level, (finding.severity for finding in run.open_findings)):
            return 0
        self.say(f"limen: exit code {FAILED_BY_FINDINGS}, asked for by --fail-on {level}")
        return FAILED_BY_FINDINGS

    def _verdict(self, run: Run, has_torch: bool) -> None:
        if run.vitals.step:
            with contextlib.suppress(OSError, ValueError):
                print_verdict(run, self._stderr)
            return
        if run.exit_code:
            return  # of a script that failed before it trained, its own words say enough
        reason = "it called neither backward() nor an optimiser" if has_torch else "it did not import torch"
        self.say(f"limen: no training step was seen in {run.script}: {reason} in this process")

    def _files(self, run: Run) -> Iterator[str]:
        """Write the reports, and say where each of them is."""
        from limen.report import write_html, write_json

        options = self._options
        if options.report is not None or run.vitals.step:
            path = options.report or default_report(options.folder)
            elsewhere = options.report is None and path.parent != options.folder
            why = f" ({options.folder} cannot be written)" if elsewhere else ""
            line = self._written("report", write_html, run, path)
            yield line and line + why
        if options.json is not None:
            yield self._written("JSON", write_json, run, options.json)

    def _written(self, name: str, write: Callable[[Run, Path], None], run: Run, path: Path) -> str:
        try:
            return written(name, write, run, path, self._options.folder)
        except OSError as error:  # the disk filled up, or the folder went away, since it was checked
            self.say(f"limen: {error}")
            return ""


def written(name: str, write: Callable[[Run, Path], None], run: Run, path: Path, folder: Path) -> str:
    """Write a report and say where it is, and whether it took the place of another.

    Raises:
        UnwritablePath: it could not be written (also an ``OSError``).
    """
    replaced = " (replaced)" if path.is_file() and path.stat().st_size else ""
    write(run, path)
    return f"{name}: {shown(path, folder)}{replaced}"


def print_verdict(run: Run, stream: TextIO) -> None:
    """The text report; in colour and as wide as the window on a terminal."""
    from limen.report import plain, rich_text

    if run.vitals.step and (how := ending(run)):
        stream.write(f"limen: {how}; up to there:\n")

    if stream.isatty():
        console = Console(file=stream)
        console.print(rich_text(run, width=min(WIDTH, console.width)), soft_wrap=True)
    else:
        stream.write(f"{plain(run, width=WIDTH)}\n")
    stream.flush()


def ending(run: Run) -> str:
    """How a run ended that did not end in order; empty for one that did."""
    if not run.finished:
        return "this run did not finish: it was killed, or it is still running"
    if not run.exit_code:
        return ""
    if run.exit_code > 0:
        return f"the script ended with exit code {run.exit_code}"
    try:
        return f"the script was ended by {signal.Signals(-run.exit_code).name}"
    except ValueError:  # a journal may hold any number
        return f"the script was ended by signal {-run.exit_code}"
