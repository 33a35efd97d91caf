"""What is shown while a training runs: one live line on a terminal, elsewhere a plain line every ten seconds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO

from rich.console import Console
from rich.text import Text

from limen.cli.screen import Screen, is_terminal

if TYPE_CHECKING:
    from limen.progress import Progress

__all__ = ["Live", "PlainLines", "TerminalLine", "live", "progress_text"]

INTERVAL = 10.0
"""Seconds between two plain lines, and until it is said on a terminal where the journal is."""


class Live(Protocol):
    """Shows where a training stands."""

    def __call__(self, progress: Progress) -> None:
        """Show it."""
        ...

    def close(self) -> None:
        """Show nothing more and leave the streams as they were."""
        ...


def live(stderr: TextIO, stdout: TextIO | None, note: str, clock: Callable[[], float] = time.monotonic) -> Live:
    """The live view that suits where ``stderr`` leads; ``note`` is said once, when the run turns out to be long."""
    if is_terminal(stderr):
        return TerminalLine(stderr, stdout, note, clock)
    return PlainLines(stderr, note, clock)


class TerminalLine:
    """One line at the bottom of the terminal, redrawn at each call and gone before the program writes."""

    def __init__(self, stderr: TextIO, stdout: TextIO | None, note: str, clock: Callable[[], float]) -> None:
        self._console = Console(file=stderr)
        self._screen = Screen(stderr, stdout)
        self._note = note
        self._clock = clock
        self._start = clock()

    def __call__(self, progress: Progress) -> None:
        """Draw it anew."""
        if self._note and self._clock() - self._start >= INTERVAL:
            self._screen.say(self._note)
            self._note = ""
        self._screen.draw(self._render(progress_text(progress)))

    def close(self) -> None:
        """Take the line away."""
        self._screen.close()

    def _render(self, text: Text) -> str:
        text.truncate(max(1, self._console.width - 1), overflow="ellipsis")  # a full line would wrap
        with self._console.capture() as capture:
            self._console.print(text, end="", no_wrap=True, soft_wrap=True)
        return capture.get()


class PlainLines:
    """A line every ten seconds."""

    def __init__(self, stderr: TextIO, note: str, clock: Callable[[], float]) -> None:
        self._stderr = stderr
        self._note = note
        self._clock = clock
        self._next = clock() + INTERVAL

    def __call__(self, progress: Progress) -> None:
        """Print it where ten seconds have passed."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + INTERVAL
        lines = [self._note] if self._note else []
        self._note = ""
        self._print("".join(f"{line}\n" for line in [*lines, progress_text(progress).plain]))

    def close(self) -> None:
        """Print nothing more."""
        self._next = math.inf

    def _print(self, text: str) -> None:
        try:
            self._stderr.write(text)
            self._stderr.flush()
        except (OSError, ValueError):  # the program closed its stderr
            self.close()


def progress_text(progress: Progress) -> Text:
    """Step, loss, worst site and its dead share, first-to-last gradient ratio, and limen's own cost, on one line."""
    parts = [Text(f"step {progress.step:,}")]
    if not math.isnan(progress.loss):
        parts.append(Text(f"loss {progress.loss:.4g}"))
    if progress.worst_site:
        parts.append(Text(f"{progress.worst_site} {progress.dead_share:.0%} dead", _alarm(progress)))
    if not math.isnan(progress.gradient_ratio):
        parts.append(Text(f"gradient first/last {progress.gradient_ratio:.2g}"))
    worrying = [finding for finding in progress.findings if finding.closed is None and finding.severity != "info"]
    if worrying:
        where = progress.titles.get(worrying[0].where, worrying[0].where)
        parts.append(Text(f"{worrying[0].name} at {where}", "bold red"))
    if progress.treatments:
        parts.append(Text(f"{progress.treatments[-1].name} applied", "green"))
    cost = f"took {progress.spent:.1f} s" if progress.free else f"costs {progress.overhead:.1%}"
    parts.append(Text(f"watching {cost}", "dim"))
    return Text.assemble(("limen", "bold cyan"), "  ", Text(" · ").join(parts))


def _alarm(progress: Progress) -> str:
    """A colour only where a finding stands behind it: healthy networks have dead units as well."""
    open_ones = [
        one for one in progress.findings if one.closed is None and one.symptom in ("dead-units", "dying-units")
    ]
    severities = {one.severity for one in open_ones}
    return "bold red" if "error" in severities else "yellow" if "warning" in severities else ""
