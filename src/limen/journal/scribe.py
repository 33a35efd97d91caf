"""Brings a run into its journals while it happens: not too often, and at what cost."""

from __future__ import annotations

import time
from pathlib import Path

from limen.journal.run import Run
from limen.journal.writer import Journal

__all__ = ["Scribe"]

EVERY = 1.0, 1.5  # seconds between two entries, at least and at most: with a stretch of quiet steps, 2 s may be lost
ALONE = 10.0  # seconds between two runs that are kept in memory alone
RATIO = 1_000.0  # seconds between two entries for each second that one takes, where that lies in between


class Scribe:
    """Keeps the journal of one training, and those of its inner watches.

    Args:
        path: of the run file; None for none, and then the newest run is kept in memory alone.
        outer: the scribe of an outer watch, which may be writing that same file already.

    Attributes:
        path: of the run file; None where there is none.

    Raises:
        UnwritablePath: the file cannot be created.
    """

    def __init__(self, path: Path | None, outer: Scribe | None = None) -> None:
        self.path = path
        shared = None if outer is None else outer._journal
        self._shares = bool(shared and path and path.exists() and path.samefile(shared.path))
        self._journal: Journal | None = None
        if path is not None:
            self._journal = shared if self._shares else Journal(path)
        self._journals = [] if self._journal is None else [self._journal]
        self._newest: Run | None = None
        self._paid = 0.0
        self._next = 0.0

    @property
    def troubles(self) -> list[str]:
        """Why a journal is no longer written."""
        return [journal.trouble for journal in self._journals if journal.trouble is not None]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the reader of the report should know of the journal."""
        return () if self._journal is None else self._journal.remarks

    def alone(self) -> Scribe:
        """One with a journal of its own, once the outer watch whose journal this one shares has ended."""
        return Scribe(self.path) if self._shares else self

    def also_for(self, inner: Scribe) -> None:
        """Write the journal of an inner watch too, while that lasts."""
        if inner._journal is not None:
            self._journals.append(inner._journal)

    def is_due(self, now: float) -> bool:
        """Whether it is time to save, on the clock of ``time.monotonic``."""
        return now >= self._next

    def bill(self) -> float:
        """Seconds of processor time that writing took since the last bill; decides when the next save is due."""
        seconds = sum(journal.spent for journal in self._journals) - self._paid
        self._paid += seconds
        pause = min(max(EVERY[0], RATIO * seconds), EVERY[1]) if self._journals else ALONE
        self._next = time.monotonic() + pause
        return seconds

    def save(self, run: Run) -> None:
        """Have this run written soon."""
        self._newest = run if self._journal is None else None
        for journal in self._journals:
            journal.save(run)

    def last(self) -> Run | None:
        """The run that was saved last; None where none was, or none can be read."""
        return self._newest if self._journal is None else self._journal.last()

    def close(self, run: Run) -> None:
        """Write the last run and put the file away, unless it belongs to an outer watch."""
        if self._journal is not None and not self._shares:
            self._journal.close(run)
