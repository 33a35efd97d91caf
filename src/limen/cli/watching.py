"""The companion of a script under ``limen run``: opens the watch, shows it live, has its reports delivered."""

from __future__ import annotations

import shutil
import sys
import traceback
from typing import TYPE_CHECKING

from limen.cli.delivery import Delivery
from limen.cli.live import Live, live
from limen.cli.options import RunOptions
from limen.cli.places import temporary_journal
from limen.launch import Target

if TYPE_CHECKING:
    from limen.journal import Run
    from limen.watch import Watch

__all__ = ["Watching"]


class Watching:
    """Watches one script; an error of limen's own is told and does not reach the script, unless ``--strict``."""

    def __init__(self, target: Target, options: RunOptions) -> None:
        self._options = options
        self._script = f"-m {target.name}" if target.is_module else target.name
        self._arguments = target.arguments
        self._stderr = sys.stderr
        self._stdout = sys.stdout
        self._delivery = Delivery(self._stderr, options)
        self._journal = options.journal or temporary_journal(target.name, options.ranks)
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
        from limen.watch import Watch

        options = self._options
        if not options.quiet:
            note = f"limen  should this run be killed: limen report {self._journal}"
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
            return code
        run = self._close(code)
        self._delivery.deliver(run, has_torch=self._watch is not None)
        self._tidy(code)
        self._point_to_all(run)
        return code or self._delivery.verdict_code(run)

    def _close(self, code: int) -> Run:
        from limen.journal import Run, with_rank_note

        if self._watch is None:
            return Run(script=self._script, arguments=self._arguments, finished=True, exit_code=code)
        return with_rank_note(self._watch.close(exit_code=code))

    def _tidy(self, code: int) -> None:
        """Remove a temporary journal, unless the script failed: then it is worth another look."""
        if self._options.journal is not None or self._options.ranks is not None:
            return
        if code == 0 or not self._journal.exists():
            shutil.rmtree(self._journal.parent, ignore_errors=True)
        elif not self._options.quiet:
            self._delivery.say(f"journal: {self._journal}")

    def _point_to_all(self, run: Run) -> None:
        """Say how to see what all ranks saw; their journals are kept."""
        if self._options.ranks is not None and self._delivery.is_loud(run) and run.vitals.step:
            stem, suffix = self._journal.stem, self._journal.suffix
            named = f"{self._journal} {self._journal.with_name(f'{stem}.rank*{suffix}')}"
            self._delivery.say(f"all ranks: limen report {named if self._options.journal else self._journal.parent}")

    def _own_error(self, consequence: str, error: Exception) -> None:
        self._broken = True
        if self._options.strict:
            self._delivery.say(f"limen: {''.join(traceback.format_exception(error)).rstrip()}")
        else:
            self._delivery.say(f"limen: {consequence} ({type(error).__name__}: {error}). --strict shows where.")
