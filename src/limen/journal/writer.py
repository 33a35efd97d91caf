"""The journal of a running training: saves are handed to a thread, which writes what is new."""

from __future__ import annotations

import os
import queue
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path

from limen.errors import UnreadableJournal
from limen.journal.delta import Ledger, changes, enter
from limen.journal.packing import pack
from limen.journal.place import make
from limen.journal.reader import read
from limen.journal.run import Run
from limen.journal.storage import Storage

__all__ = ["Journal"]

_PATIENCE = 30.0  # seconds that the end of a training may wait for a slow disk
_LAG = 0.5  # seconds that a save may wait beside a training that never lets go of the interpreter
_LOAN = 0.1  # seconds, at most, that the training then waits for the thread
_FEW, _SELDOM = 5, 0.1  # saves, and share of them, below which it is not worth a word that they were left out
_TRIES = 5  # of the last save, each of which waits 5 s for a lock


class Journal:
    """One run, written to one file while it happens: ``read(path)`` returns what was last saved.

    The file belongs to the process that made it. In a forked child every method does nothing.

    Args:
        path: of the file, which is created here. An older journal at this path is replaced.

    Raises:
        UnwritablePath: it cannot be created, or it would overwrite something that is not a journal.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()  # the training may change its working directory
        self._pid = os.getpid()
        self._newest: Run | None = None  # of those that wait to be written
        self._hand_over = threading.Lock()
        self._closing = False
        self._trouble: str | None = None
        self._idle = threading.Event()  # nothing waits to be written
        self._idle.set()
        self._waiting_since = 0.0
        self._spent = 0.0
        self._offered = self._written = 0  # runs; each counted by one thread only
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        make(self.path)
        self._thread = threading.Thread(target=self._work, name="limen-journal", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str | None:
        """Why nothing is written any more, in one sentence; None while all is well."""
        return self._trouble

    @property
    def spent(self) -> float:
        """Seconds of processor time that the writing took so far, all of it in the journal's own thread."""
        return self._spent

    @property
    def skipped(self) -> int:
        """Runs that were not written because a newer one, which holds all of theirs, came before the disk was ready."""
        return max(0, self._offered - self._written - 1)  # the newest may still be written

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the reader of a report should know of the writing: that it lagged behind."""
        if self.skipped < max(_FEW, self._offered * _SELDOM):
            return ()
        return (
            f"The disk was slower than the journal: {self.skipped} of {self._offered} saves were left out for newer "
            "ones. Nothing is missing at the end; after a crash more than the last 2 s may be.",
        )

    def save(self, run: Run) -> None:
        """Have this run written soon. Returns at once, but for a training that starves the thread; never raises.

        Only the newest run waits: where the disk is slower than the saves, those between are left out, which loses
        nothing, since each run is complete.

        Args:
            run: all that is known. Its arrays must not be written to afterwards.
        """
        if self._closing or self._trouble or os.getpid() != self._pid:
            return
        now = time.monotonic()
        if self._idle.is_set():
            self._waiting_since = now
        elif now - self._waiting_since > _LAG:  # the training holds the interpreter: lend it to the thread
            self._idle.wait(_LOAN)
            self._waiting_since = now
        with self._hand_over:
            self._idle.clear()
            self._newest = run
        self._offered += 1
        self._ring()

    def last(self) -> Run | None:
        """The run that was saved last, from the file where it is written; None where none was, or none can be read."""
        waiting = self._newest
        if waiting is not None:
            return waiting
        try:
            written = read(self.path)
        except UnreadableJournal:
            return None
        return written if written.vitals.step else None

    def close(self, run: Run | None = None) -> None:
        """Write this run, or else the last one saved, and put the file away: one file again, without ``-wal``.

        Waits for the disk, at most 30 s. Safe to call twice; never raises.
        """
        if os.getpid() != self._pid:
            return
        if not self._closing:
            if run is not None:
                self._newest = run
                self._offered += 1
            self._closing = True  # after the last run is in place: the thread looks at them in the other order
            self._ring()
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            self._note(TimeoutError(f"the disk did not answer for {_PATIENCE:.0f} s"))

    def _ring(self) -> None:
        """Wake the thread; a disk that hangs for days must not fill the memory with bells."""
        if self._bell.empty():
            self._bell.put(None)

    def _work(self) -> None:
        """The thread: until the journal is closed or the file cannot be written."""
        try:
            storage = Storage(self.path)
            try:
                self._write_until_closed(storage)
            except BaseException:
                with suppress(sqlite3.Error):
                    storage.close()
                raise
            storage.put_away()
        except Exception as error:  # whatever it is, the training must not suffer from it
            self._note(error)
        finally:
            self._newest = None
            self._idle.set()

    def _write_until_closed(self, storage: Storage) -> None:
        held, tries = Ledger(), 0
        while True:
            self._bell.get()
            closing = self._closing
            held, done = self._write(storage, held)
            if not done and closing and (tries := tries + 1) < _TRIES:
                self._ring()
                continue
            self._spent = time.thread_time()
            if closing:
                return

    def _write(self, storage: Storage, held: Ledger) -> tuple[Ledger, bool]:
        """Write the newest run, if there is one; what the file holds then, and whether nothing is left to do.

        Nothing of the run is kept afterwards.
        """
        run = self._newest
        if run is None:
            return held, True
        wanted = enter(held, pack(run))
        if not storage.write(changes(held, wanted)):
            return held, False
        self._written += 1
        with self._hand_over:
            if self._newest is run:
                self._newest = None
                self._idle.set()
        return wanted.written(), True

    def _note(self, error: Exception) -> None:
        if self._trouble is None:
            self._trouble = (
                f"The journal {str(self.path)!r} is no longer written ({error}). "
                "The training goes on; what was saved before can still be read."
            )
