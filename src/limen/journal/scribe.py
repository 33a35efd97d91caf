"""Brings a run into its journals while it happens: not too often, and at what cost."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import weakref
from pathlib import Path

from limen.journal.run import Run
from limen.journal.writer import Journal

__all__ = ["Scribe"]

EVERY = 1.0, 2.0  # seconds between two entries, at least and at most
RATIO = 400.0  # seconds between two entries for each second that one takes, where that lies in between


class Scribe:
    """Keeps the journal of one training, and those of its inner watches.

    Args:
        path: of the run file; None for a temporary one, which goes with the scribe.
        outer: the scribe of an outer watch, which may be writing that same file already.

    Raises:
        UnwritablePath: the file cannot be created.
    """

    def __init__(self, path: Path | None, outer: Scribe | None = None) -> None:
        self.is_temporary = path is None
        self.path = path or Path(_temporary_folder(self)) / "run.limen"
        self._shares = outer is not None and self.path.exists() and self.path.samefile(outer._journal.path)
        self._journal = outer._journal if outer is not None and self._shares else Journal(self.path)
        self._journals = [self._journal]
        self._paid = 0.0
        self._next = 0.0

    @property
    def troubles(self) -> list[str]:
        """Why a journal is no longer written."""
        return [journal.trouble for journal in self._journals if journal.trouble is not None]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the reader of the report should know of the journal."""
        return self._journal.remarks

    def also_for(self, inner: Scribe) -> None:
        """Write the journal of an inner watch too, while that lasts; a temporary one has no reader before its end."""
        if not inner.is_temporary:
            self._journals.append(inner._journal)

    def is_due(self, now: float) -> bool:
        """Whether it is time to save, on the clock of ``time.monotonic``."""
        return now >= self._next

    def bill(self) -> float:
        """Seconds of processor time that writing took since the last bill; decides when the next save is due."""
        seconds = sum(journal.spent for journal in self._journals) - self._paid
        self._paid += seconds
        self._next = time.monotonic() + min(max(EVERY[0], RATIO * seconds), EVERY[1])
        return seconds

    def save(self, run: Run) -> None:
        """Have this run written soon."""
        for journal in self._journals:
            journal.save(run)

    def last(self) -> Run | None:
        """The run that was saved last; None where none was, or none can be read."""
        return self._journal.last()

    def close(self, run: Run) -> None:
        """Write the last run and put the file away, unless it belongs to an outer watch."""
        if not self._shares:
            self._journal.close(run)


def _temporary_folder(scribe: Scribe) -> str:
    """A folder that goes with the scribe."""
    folder, owner = tempfile.mkdtemp(prefix="limen-"), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # a forked child that ends must not take its parent's journal with it
            shutil.rmtree(folder, ignore_errors=True)

    weakref.finalize(scribe, remove)
    return folder
