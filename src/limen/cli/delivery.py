"""What is handed over at the end of ``limen run``: the verdict on stderr, the HTML, the JSON, the exit code."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from limen.cli.options import RunOptions
from limen.cli.places import default_report

if TYPE_CHECKING:
    from limen.journal import Run

__all__ = ["Delivery", "print_verdict"]

FAILED_BY_FINDINGS = 3
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

    def deliver(self, run: Run, *, has_torch: bool) -> None:
        """Print and write everything that was asked for.

        Args:
            run: what was watched.
            has_torch: whether the script imported torch at all.
        """
        if self._options.rank:
            return
        loud = self.is_loud(run)
        if loud:
            self._verdict(run, has_torch)
        self._files(run, loud)

    def is_loud(self, run: Run) -> bool:
        """Whether anything is to be said of this run in this process."""
        return not self._options.rank and (run.verdict == "sick" or not self._options.quiet)

    def verdict_code(self, run: Run) -> int:
        """3 where ``--fail-on`` forbids what was found, else 0; one rank decides, as its exit ends the others."""
        level = None if self._options.rank else self._options.fail_on
        worst = {finding.severity for finding in run.open_findings}
        if level is None or not worst & ({"error"} if level == "error" else {"warning", "error"}):
            return 0
        self.say(f"limen: exit code {FAILED_BY_FINDINGS}, asked for by --fail-on {level}")
        return FAILED_BY_FINDINGS

    def _verdict(self, run: Run, has_torch: bool) -> None:
        if run.vitals.step:
            with contextlib.suppress(OSError, ValueError):
                print_verdict(run, self._stderr)
            return
        reason = "it called neither backward() nor an optimiser" if has_torch else "it did not import torch"
        self.say(f"limen: no training step was seen in {run.script}: {reason} in this process")

    def _files(self, run: Run, loud: bool) -> None:
        from limen.report import write_html, write_json

        options = self._options
        if options.json is not None:
            self._is_written(write_json, run, options.json)
        if options.report is None and not run.vitals.step:
            return
        path = options.report or default_report(options.folder)
        written = self._is_written(write_html, run, path)
        elsewhere = options.report is None and path.parent != options.folder
        if written and loud and (run.verdict != "healthy" or run.treatments or elsewhere):
            self.say(f"report: {path}" + (f" ({options.folder} cannot be written)" if elsewhere else ""))

    def _is_written(self, write: Callable[[Run, Path], None], run: Run, path: Path) -> bool:
        try:
            write(run, path)
        except OSError as error:  # the disk filled up, or the folder went away, since it was checked
            self.say(f"limen: {error}")
            return False
        return True


def print_verdict(run: Run, stream: TextIO) -> None:
    """The text report; in colour and as wide as the window on a terminal."""
    from limen.report import plain, rich_text

    if stream.isatty():
        console = Console(file=stream)
        console.print(rich_text(run, width=min(WIDTH, console.width)), soft_wrap=True)
    else:
        stream.write(f"{plain(run, width=WIDTH)}\n")
    stream.flush()
