"""The session that ties probe, journal, findings and treatments to one training."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from torch import nn

from limen import report
from limen.active import Active
from limen.errors import WatchRefused
from limen.findings import Finding, diagnose, track
from limen.journal import Run, Scribe
from limen.probe import ALLOWANCE, Budget, Probe
from limen.progress import Progress, progress_of
from limen.ranks import for_rank, this_rank
from limen.terms import Terms, Treat, check_optimizers, models_of, share_of
from limen.treatments import Clinic
from limen.vitals import EVIDENCE, Vitals
from limen.voice import Voice, broken, standing

__all__ = ["Treat", "Watch", "watch"]

_active: Active[Watch] = Active()


class Watch:
    """A watch over one training: a context manager that changes nothing in it.

    Within another watch, that of ``limen run`` included, it is a view of that one: it shows what the outer one has
    seen since that began, all models included, until this one ends. The options of the outer one hold.

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
        WatchRefused: on entering a second time, or within a watch that is limited to other models.
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
        budget = share_of(budget)
        self._terms = Terms(models, budget, treat, strict, listener is not None)
        self._budget = Budget(budget, allowance)
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
        outer = _active.current()
        self._scribe = Scribe(journal, None if outer is None else outer._scribe)
        self._outer: Watch | None = None  # of which this one is a view
        self._views = weakref.WeakSet[Watch]()
        self._left_open = False  # begun without a block
        self._probe: Probe | None = None
        self._findings: tuple[Finding, ...] = ()
        self._error: Exception | None = None
        self._last: Run | None = None
        self._next_diagnosis = EVIDENCE.steps
        self._examined_looks = 0
        self._next_call = self._examined = 0.0
        self._voice = Voice()

    def __enter__(self) -> Watch:
        return self._begin()

    def start(self) -> Watch:
        """Begin to watch where no ``with`` block fits, as across the cells of a notebook; ``close`` ends it.

        One that was started so before and left open is closed: a cell may be run again.

        Raises:
            WatchRefused: it has begun before, or within a ``with`` block that is limited to other models.
        """
        left = _active.current()
        if left is not None and left is not self and left._left_open:
            left.close()
            self._scribe = self._scribe.alone()
        self._left_open = True
        return self._begin()

    def _begin(self) -> Watch:
        if self._probe or self._outer or self._last:
            raise WatchRefused("watch(): this watch has begun before; make a new one with limen.watch(…).")
        if (outer := _active.current()) is not None:
            self._join(outer)
            return self
        self._probe = Probe(
            self._terms.models, self._budget, self._on_step, self._on_failure, strict=self._terms.strict
        )
        _active.begin(self, self._probe)
        return self

    def _join(self, outer: Watch) -> None:
        """Become a view of a watch that is active already: two would count each other's cost."""
        if not outer._terms.cover(self._terms):
            raise WatchRefused(
                "watch(): the watch that is active already is limited to other models. Name this model there too, or "
                "leave its `with` block (or `close()` it) first."
            )
        if unmet := self._terms.beyond(outer._terms):
            outer._voice.say_once(
                f"a watch within another one shows what that one sees; its own {', '.join(unmet)} "
                f"{'have' if len(unmet) > 1 else 'has'} no effect. "
                f"Ask the outer one (or limen run) for {'them' if len(unmet) > 1 else 'it'}."
            )
        self._outer = outer
        outer._views.add(self)
        outer._scribe.also_for(self._scribe)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self._terms.strict and self._error is not None and error is None:
            raise self._error

    def close(self, exit_code: int | None = None) -> Run:
        """Take all hooks away, write the journal's last page and return what was seen. Safe to call twice."""
        if self._last is not None:
            return self._last
        if self._probe is not None:
            self._probe.close()
        _active.end(self)
        self._last = replace(self._conclude(), finished=True, exit_code=exit_code)
        for view in list(self._views):
            view.close()
        self._scribe.close(self._last)
        self._outer = None
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
                self._voice.say(
                    f"the last examination failed ({type(error).__name__}: {error}); earlier findings are kept."
                )
        try:
            return self.run
        except Exception:  # told above
            return self._scribe.last() or self._facts

    def __repr__(self) -> str:
        """Where the watch stands, without an examination."""
        if self._last is not None:
            vitals = self._last.vitals
            return standing(vitals.step, vitals.looked, len(vitals.sites), f"closed, {self._last.verdict}")
        seeing = self._outer or self
        if seeing._probe is None:
            return "<limen.watch: not started>"
        grave = any(one.closed is None and one.severity != "info" for one in seeing._findings)
        return standing(*seeing._probe.counts(), "sick so far" if grave else "nothing found so far")

    @property
    def run(self) -> Run:
        """The run as of now."""
        if self._last is not None:
            return self._last
        if self._outer is not None:
            return self._outer.run
        if self._probe is None:
            return self._facts
        vitals = self._probe.vitals()
        refusals = self._clinic.refusals if self._clinic else ()
        return replace(
            self._facts,
            seconds=self._probe.seconds,
            spent=self._budget.spent,
            vitals=replace(vitals, notes=(*vitals.notes, *refusals, *self._scribe.remarks)),
            findings=self._findings,
            broken="" if self._error is None else broken(self._error, vitals.step),
            treatments=self._clinic.records if self._clinic else (),
            histograms=self._probe.histograms(),
        )

    @property
    def journal_path(self) -> Path | None:
        """The run file; None where none is kept."""
        return self._scribe.path

    @property
    def vitals(self) -> Vitals:
        """What was seen as of now."""
        return self.run.vitals

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong as of now: open findings first, by severity."""
        if self._last is None and self._outer is not None:
            self._findings = self._outer.findings
        elif self._last is None and self._probe is not None:
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

    def _on_step(self, step: int) -> int:
        now = time.monotonic()
        if step >= self._next_diagnosis and self._may_examine():
            self._examine()
            self._examined += time.monotonic() - now
            self._next_diagnosis = step + max(EVIDENCE.steps // 2, step // 10)
        if self._scribe.is_due(now):
            self._budget.spent += self._scribe.bill()
            self._scribe.save(self.run)
            self._tell_trouble()
        if self._listener is not None and self._probe is not None and now >= self._next_call:
            records = self._clinic.records if self._clinic else ()
            self._listener(progress_of(self._probe, self._findings, records))
            self._next_call = time.monotonic() + self._listen_every
        return self._next_diagnosis

    def _may_examine(self) -> bool:
        """Whether there is something new, and examining has taken 0.1 % at most, or an eighth of what is free."""
        if self._probe is None or self._probe.looked == self._examined_looks:
            return False
        share = min(self._budget.share or 0.01, 0.01)
        return self._examined <= max(self._budget.allowance / 8, share * self._probe.seconds / 10)

    def _examine(self, *, final: bool = False) -> None:
        """Find out what is wrong, and treat it where that was asked for."""
        if self._outer is not None:
            self._findings = self._outer.findings
        if self._probe is None:
            return
        vitals = self._probe.vitals()
        self._examined_looks = vitals.looked
        known, self._findings = self._findings, track(self._findings, diagnose(vitals), vitals.step)
        if len(self._findings) > len(known):
            self._budget.alarm(vitals.step)
        if self._clinic is not None:
            self._clinic.look_back(vitals)
            if not final:
                self._clinic.treat(self._findings, vitals, self._probe.wiring, self._probe.optimisers.live())

    def _on_failure(self, error: Exception) -> None:
        self._error = error
        if self._terms.strict:
            raise error
        self._voice.say(
            f"the watch ended because of an error of its own ({type(error).__name__}: {error}); the training goes on. "
            "A strict watch (--strict, strict=True) raises it, with the place it came from."
        )

    def _tell_trouble(self) -> None:
        """Say once that a journal can no longer be written."""
        for trouble in self._scribe.troubles:
            self._voice.say_once(trouble)


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

    Within another watch, that of ``limen run`` included, it is a view of that one (see :class:`Watch`).

    Args:
        model: the model or models to watch; None for all that the process trains.
        optimizer: its optimiser or optimisers; for the reader of the code, since they are found when they step.
        budget: share of the training's time that may be taken, in (0, 1]; None to look at every step.
        journal: run file to keep; None for none. Each further rank of a distributed training has its own beside it.
        treat: ``safe`` repairs the running training where that preserves its function.
        strict: raise errors of limen's own.

    Returns:
        A context manager with ``diagnosis()``, ``report(path)``, ``to_json()``, ``vitals`` and ``findings``. Where a
        block does not fit, ``start()`` begins the watch and ``close()`` ends it.

    Raises:
        InvalidValue: something that is not a module or an optimiser, a budget outside (0, 1], an unknown ``treat``.
        UnwritablePath: the journal cannot be created.
    """
    check_optimizers(optimizer)
    ranks = this_rank()
    path = None if journal is None else for_rank(Path(journal), ranks.present[0] if ranks else 0)
    return Watch(models_of(model), budget=budget, journal=path, treat=treat, strict=strict)
