"""The session that ties probe, journal, findings and treatments to one training."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Literal, cast

from torch import nn

from limen import report
from limen.errors import InvalidValue, WatchRefused
from limen.findings import Finding, diagnose, track
from limen.journal import Journal, Run
from limen.probe import ALLOWANCE, Budget, Probe
from limen.progress import Progress, progress_of
from limen.ranks import for_rank, this_rank
from limen.treatments import Clinic
from limen.vitals import EVIDENCE, Vitals

__all__ = ["Treat", "Watch", "watch"]

Treat = Literal["off", "safe"]

SAVE_EVERY = 1.0, 2.0  # seconds between two entries in the journal, at least and at most
WRITING = 400.0  # seconds between two entries for each second that one takes, where that lies in between
_active: weakref.ref[Watch] | None = None


class Watch:
    """A watch over one training: a context manager that changes nothing in it.

    Args:
        models: only these are watched; None for all that the process trains.
        budget: share of the training's time that limen may take, in (0, 1]; None to look at every step.
        journal: the run file to write; None for a temporary one.
        treat: ``safe`` applies function-preserving repairs while the training runs.
        strict: raise errors of limen's own instead of ending the watch and letting the training go on.
        script: what is being run, for the report.
        arguments: its arguments, for the report.
        environment: versions and machine, for the report.
        listener: told where the training stands, in the training's thread.
        listen_every: seconds between two such calls, at least.
        allowance: seconds that may be spent whatever the share.

    Raises:
        InvalidValue: a budget outside (0, 1], or an unknown ``treat``.
        UnwritablePath: the journal cannot be created.
        WatchRefused: on entering, when another watch is active in this process.
    """

    def __init__(
        self,
        models: Sequence[nn.Module] | None = None,
        *,
        budget: float | None = 0.01,
        journal: Path | None = None,
        treat: Treat = "off",
        strict: bool = False,
        script: str = "python",
        arguments: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        listener: Callable[[Progress], None] | None = None,
        listen_every: float = 0.25,
        allowance: float = ALLOWANCE,
    ) -> None:
        if budget is not None and not 0.0 < budget <= 1.0:
            raise InvalidValue(
                f"watch(budget={budget!r}): expected a share in (0, 1], for instance 0.01 for one per cent, "
                "or None to look at every step."
            )
        if treat not in ("off", "safe"):
            raise InvalidValue(f"watch(treat={treat!r}): expected 'off' or 'safe'.")
        self._models = models
        self._budget = Budget(budget, allowance)
        self._strict = strict
        self._listener = listener
        self._listen_every = listen_every
        self._clinic = Clinic() if treat == "safe" else None
        self._facts = Run(
            script=script,
            arguments=arguments,
            budget=budget,
            started=time.time(),
            environment=environment or {},
            ranks=this_rank(),
        )
        self._folder = None if journal is not None else _temporary_folder(self)
        self.journal_path = journal if journal is not None else Path(self._folder or ".") / "run.limen"
        self._journal = Journal(self.journal_path)
        self._probe: Probe | None = None
        self._findings: tuple[Finding, ...] = ()
        self._error: Exception | None = None
        self._last: Run | None = None
        self._next_diagnosis = EVIDENCE.steps
        self._next_save = self._next_call = self._written = self._examined = 0.0
        self._saved = self._facts
        self._troubled = False

    def __enter__(self) -> Watch:
        global _active
        if self._probe is not None:
            raise WatchRefused("watch(): this watch has begun before; make a new one with limen.watch(…).")
        other = _active() if _active is not None else None
        if other is not None and other is not self:
            raise WatchRefused(
                "watch(): another watch is already active in this process, and two would count each other's cost. "
                "Leave the first `with limen.watch(…)` block, or run the script without `limen run`."
            )
        self._probe = Probe(self._models, self._budget, self._on_step, self._on_failure)
        _active = weakref.ref(self)
        held = weakref.WeakSet([self._probe])
        os.register_at_fork(after_in_child=lambda: [probe.close() for probe in held])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self._strict and self._error is not None and error is None:
            raise self._error

    def close(self, exit_code: int | None = None) -> Run:
        """Take all hooks away, write the journal's last page and return what was seen. Safe to call twice."""
        global _active
        if self._last is not None:
            return self._last
        if self._probe is not None:
            self._probe.close()
        if _active is not None and _active() is self:
            _active = None
        self._last = replace(self._conclude(), finished=True, exit_code=exit_code)
        self._journal.close(self._last)
        self._tell_trouble()
        return self._last

    def _conclude(self) -> Run:
        """The last examination; where that fails, what was known before it."""
        try:
            self._examine(final=True)
            return self.run
        except Exception as error:
            if self._error is None:
                self._error = error
                self._tell(f"the last examination failed ({type(error).__name__}: {error}); earlier findings are kept.")
        try:
            return self.run
        except Exception:  # told above
            return self._saved

    @property
    def run(self) -> Run:
        """The run as of now."""
        if self._last is not None:
            return self._last
        if self._probe is None:
            return self._facts
        vitals = self._probe.vitals()
        refusals = self._clinic.refusals if self._clinic else ()
        return replace(
            self._facts,
            seconds=self._probe.seconds,
            spent=self._budget.spent,
            vitals=replace(vitals, notes=(*vitals.notes, *refusals)),
            findings=self._findings,
            broken="" if self._error is None else broken(self._error, vitals.step),
            treatments=self._clinic.records if self._clinic else (),
            histograms=self._probe.histograms(),
        )

    @property
    def vitals(self) -> Vitals:
        """What was seen as of now."""
        return self.run.vitals

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong as of now: open findings first, by severity."""
        if self._last is None and self._probe is not None:
            self._findings = track(self._findings, diagnose(self.vitals), self.vitals.step)
        return self._findings

    def diagnosis(self) -> str:
        """The verdict and its findings as plain text."""
        return report.plain(replace(self.run, findings=self.findings))

    def report(self, path: str | Path) -> None:
        """Write the HTML report.

        Raises:
            UnwritablePath: the file cannot be created.
        """
        report.write_html(replace(self.run, findings=self.findings), Path(path))

    def to_json(self) -> dict[str, object]:
        """The report as the documented JSON object."""
        return report.to_json(replace(self.run, findings=self.findings))

    # While the training runs -------------------------------------------------------------------------------------

    def _on_step(self, step: int) -> None:
        now = time.monotonic()
        if step >= self._next_diagnosis and self._may_examine():
            self._examine()
            self._examined += time.monotonic() - now
            self._next_diagnosis = step + max(EVIDENCE.steps // 2, step // 10)
        if now >= self._next_save:
            writing = self._journal.spent - self._written
            self._written += writing
            self._budget.spent += writing
            self._saved = self.run
            self._journal.save(self._saved)
            self._tell_trouble()
            self._next_save = time.monotonic() + min(max(SAVE_EVERY[0], WRITING * writing), SAVE_EVERY[1])
        if self._listener is not None and self._probe is not None and now >= self._next_call:
            records = self._clinic.records if self._clinic else ()
            self._listener(progress_of(self._probe, self._findings, records))
            self._next_call = time.monotonic() + self._listen_every

    def _may_examine(self) -> bool:
        """Whether looking for faults has taken less than its part: a quarter of what limen may take."""
        share = self._budget.share
        seconds = self._probe.seconds if self._probe is not None else 0.0
        return share is None or self._examined <= max(self._budget.allowance / 4, share * seconds / 4)

    def _examine(self, *, final: bool = False) -> None:
        """Find out what is wrong, and treat it where that was asked for."""
        if self._probe is None:
            return
        vitals = self._probe.vitals()
        self._findings = track(self._findings, diagnose(vitals), vitals.step)
        if self._clinic is not None:
            self._clinic.look_back(vitals)
            if not final:
                self._clinic.treat(self._findings, vitals, self._probe.wiring, self._probe.live_optimisers())

    def _on_failure(self, error: Exception) -> None:
        self._error = error
        if self._strict:
            raise error
        self._tell(
            f"the watch ended because of an error of its own ({type(error).__name__}: {error}); the training goes on. "
            "A strict watch (--strict, strict=True) raises it, with the place it came from."
        )

    def _tell(self, message: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a script may have closed its stderr
            print(f"limen: {message}", file=sys.stderr)

    def _tell_trouble(self) -> None:
        """Say once that the journal can no longer be written."""
        trouble = self._journal.trouble
        if trouble is not None and not self._troubled:
            self._troubled = True
            self._tell(trouble)


def watch(
    model: nn.Module | Sequence[nn.Module] | None = None,
    optimizer: object = None,
    *,
    budget: float | None = 0.01,
    journal: str | Path | None = None,
    treat: Treat = "off",
    strict: bool = False,
) -> Watch:
    """Watch a training: ``with limen.watch(model) as w: …; print(w.diagnosis())``.

    Args:
        model: the model or models to watch; None for all that the process trains.
        optimizer: its optimiser or optimisers; for the reader of the code, since they are found when they step.
        budget: share of the training's time that may be taken, in (0, 1]; None to look at every step.
        journal: run file to keep; None for none. Each further rank of a distributed training has its own beside it.
        treat: ``safe`` repairs the running training where that preserves its function.
        strict: raise errors of limen's own.

    Returns:
        A context manager with ``diagnosis()``, ``report(path)``, ``to_json()``, ``vitals`` and ``findings``.

    Raises:
        InvalidValue: something that is not a module or an optimiser, a budget outside (0, 1], an unknown ``treat``.
        UnwritablePath: the journal cannot be created.
    """
    models = [model] if isinstance(model, nn.Module) else None if model is None else list(model)
    for thing in models or ():
        if not isinstance(thing, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValue(f"watch({type(thing).__name__}): expected a torch.nn.Module or a list of them.")
    given = [optimizer] if not isinstance(optimizer, list | tuple) else cast("Sequence[object]", optimizer)
    for thing in given:
        if thing is not None and not callable(getattr(thing, "step", None)):
            raise InvalidValue(
                f"watch(optimizer={type(thing).__name__}): expected a torch.optim.Optimizer, a list of them or nothing."
            )
    ranks = this_rank()
    path = None if journal is None else for_rank(Path(journal), ranks.present[0] if ranks else 0)
    return Watch(models, budget=budget, journal=path, treat=treat, strict=strict)


def broken(error: Exception, step: int) -> str:
    """Why a watch ended of itself, for the reader of the report."""
    return f"the watch ended at step {step:,} because of an error of its own ({type(error).__name__}: {error})"


def _temporary_folder(watch: Watch) -> str:
    """A folder that goes with the watch."""
    folder, owner = tempfile.mkdtemp(prefix="limen-"), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # a forked child that ends must not take its parent's journal with it
            shutil.rmtree(folder, ignore_errors=True)

    weakref.finalize(watch, remove)
    return folder
