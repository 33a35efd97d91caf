"""The companion of a script under ``limen run``: opens the watch, shows it live, has its reports delivered."""

from __future__ import annotations

import shutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from limen.cli.delivery import Delivery
from limen.cli.live import Live, live
from limen.cli.options import NAMES, RunOptions
from limen.cli.places import shown, temporary_journal
from limen.launch import Target

if TYPE_CHECKING:
    from limen.journal import Run
    from limen.watch import Watch

__all__ = ["Watching"]

USAGE = 2  # what a script ends with that refuses its arguments


class Watching:
    """Watches one script; an error of limen's own is told and does not reach the script, unless ``--strict``."""

    def __init__(self, target: Target, options: RunOptions) -> None:
        self._options = options
        self._script = f"-m {target.name}" if target.is_module else target.name
        self._arguments = target.arguments
        self._stderr = sys.stderr
        self._stdout = sys.stdout
        self._delivery = Delivery(self._stderr, options)
        self._name = target.name
        self._journal: Path | None = None  # there is one once the watch has begun
        self._older: Path | None = None
        self._watch: Watch | None = None
        self._live: Live | None = None
        self._broken = False

    def torch_is_here(self) -> None:
        """Begin to watch."""
        try:
            self._begin()
        except Exception as error:
            self._own_error("cannot watch, the script runs on without", error)
            if self._options.strict:
                raise

    def program_ended(self, code: int) -> int:
        """End the watch and report; 3 instead of 0 where ``--fail-on`` says so."""
        try:
            return self._finish(code)
        except KeyboardInterrupt:
            self._delivery.say(f"limen: interrupted before the reports were complete. Journal: {self._journal}")
        except Exception as error:
            self._own_error(f"no complete report; the journal is {self._journal}", error)
        return code or int(self._options.strict)

    def _begin(self) -> None:
        from limen.environment import facts
        from limen.journal import put_aside
        from limen.watch import Watch

        options = self._options
        if options.journal is not None:
            self._older = put_aside(options.journal)
        self._journal = options.journal or temporary_journal(self._name, options.ranks)
        if not options.quiet:
            note = f"limen  if this run gets killed, see what it did with: limen report {self._journal}"
            self._live = live(self._stderr, self._stdout, note)
        self._watch = Watch(
            budget=options.budget,
            journal=self._journal,
            treat=options.treat,
            strict=options.strict,
            script=self._script,
            arguments=self._arguments,
            environment=facts(),
            listener=self._live,
        )
        self._watch.__enter__()

    def _finish(self, code: int) -> int:
        if self._live is not None:
            self._live.close()
        if self._broken:
            self._tidy()
            return code
        run = self._close(code)
        # a failed script's journal is worth another look
        keeps = self._options.journal is not None or (code != 0 and run.vitals.step > 0)
        self._delivery.deliver(run, has_torch=self._watch is not None, journal=self._journal_line() if keeps else "")
        if not keeps:
            self._tidy()
        self._point_to_all(run)
        if code == USAGE and not self._options.quiet:
            self._hint()
        return code or self._delivery.verdict_code(run)

    def _close(self, code: int) -> Run:
        from limen.journal import Run, with_rank_note

        if self._watch is None:
            return Run(script=self._script, arguments=self._arguments, finished=True, exit_code=code)
        return with_rank_note(self._watch.close(exit_code=code))

    def _journal_line(self) -> str:
        if self._journal is None or not self._journal.exists():
            return ""
        folder = self._options.folder
        older = f" (the older run is now {shown(self._older, folder)})" if self._older is not None else ""
        return f"journal: {shown(self._journal, folder)}{older}"

    def _tidy(self) -> None:
        """Remove a temporary journal; those of ranks are read together later."""
        if self._journal is not None and self._options.journal is None and self._options.ranks is None:
            shutil.rmtree(self._journal.parent, ignore_errors=True)

    def _hint(self) -> None:
        """A script that refuses its arguments may have been given one of limen's."""
        misplaced = [name for name in NAMES if any(word.split("=")[0] == name for word in self._arguments)]
        if misplaced:
            self._delivery.say(
                f"limen: {misplaced[0]} was given to the script, as all that follows it is. "
                f"If it is meant for limen: limen run {misplaced[0]} … {self._script}"
            )

    def _point_to_all(self, run: Run) -> None:
        """Say how to see what all ranks saw; their journals are kept."""
        if self._journal is None or self._options.ranks is None:
            return
        if self._delivery.is_loud(run) and run.vitals.step:
            stem, suffix = self._journal.stem, self._journal.suffix
            named = f"{self._journal} {self._journal.with_name(f'{stem}.rank*{suffix}')}"
            self._delivery.say(f"all ranks: limen report {named if self._options.journal else self._journal.parent}")

    def _own_error(self, consequence: str, error: Exception) -> None:
        self._broken = True
        if self._options.strict:
            self._delivery.say(f"limen: {''.join(traceback.format_exception(error)).rstrip()}")
        else:
            self._delivery.say(f"limen: {consequence} ({type(error).__name__}: {error}). --strict shows where.")
