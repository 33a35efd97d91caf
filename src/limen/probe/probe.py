"""The probe: hears of forward passes, backward passes and updates, and keeps the account of a training."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from limen.anatomy import Wiring, ascends, number_of, user_frame
from limen.probe.backlog import Backlog
from limen.probe.beginning import Beginning
from limen.probe.bill import IDLE, Bill
from limen.probe.budget import Budget
from limen.probe.compiled import Compiled
from limen.probe.directory import Directory
from limen.probe.eyes import Eyes
from limen.probe.gates import Gates
from limen.probe.guard import alone, guarded
from limen.probe.leaves import Leaves
from limen.probe.loss_record import LossBook
from limen.probe.meter import Meter
from limen.probe.modes import is_ordinary
from limen.probe.one_thread import OneThread
from limen.probe.optimiser_book import OptimiserBook
from limen.probe.program_book import ProgramBook
from limen.probe.quick import State, Stretch
from limen.probe.quiet import Quiet
from limen.probe.scaling import Scalings
from limen.probe.scope import Scope
from limen.probe.seen import Recurring, Seen
from limen.probe.sight import Sight
from limen.probe.site_book import Place, SiteBook
from limen.probe.site_reader import SiteReader
from limen.probe.step_clock import StepClock
from limen.probe.stretch import PlainStretch
from limen.probe.stretches import Stretches
from limen.probe.taps import Taps
from limen.probe.troubles import Troubles
from limen.probe.updates import Updates
from limen.vitals import Histogram, Vitals

__all__ = ["Probe"]


class Probe:
    """Watches one training from its first forward pass until ``close``.

    Args:
        models: only these and their parts are watched; None for all that the process trains.
        budget: decides at which steps to look.
        on_step: told the last step, while nothing of the training runs; returns the next that matters, None for any.
        on_failure: told of an error inside limen, after which the probe has taken itself away.
        strict: end with an error at one site too, instead of watching that site no longer.
    """

    def __init__(
        self,
        models: Sequence[nn.Module] | None,
        budget: Budget,
        on_step: Callable[[int], int | None],
        on_failure: Callable[[Exception], None],
        *,
        strict: bool = False,
    ) -> None:
        self.budget, self.on_step, self.on_failure = budget, on_step, on_failure
        self.step = self.looked = 0  # training steps completed, and of them looked at
        self._troubles = Troubles(strict=strict)
        self.notes = self._troubles.notes  # what could not be watched, one note a subject
        self.directory = Directory()
        self.sites = SiteBook(self.directory)
        self._backlog = Backlog()
        self.state = State(self._backlog.waiting)
        self._bill = Bill(budget, self.state)
        self.losses = LossBook(self._backlog, lambda step: self.budget.alarm(max(step, self.step)))
        self.optimisers = OptimiserBook(self.directory, self._backlog)
        self._meter = Meter(self.sites, self._backlog, self.state, self._troubles.note)
        self._gates = Gates(self.sites, self._meter, self._troubles.note, self._troubles.meet)
        self._clock, self._quiet, self._scope = StepClock(), Quiet(), Scope(models)
        self.lock, self._waiting = threading.RLock(), False  # an optimiser exists that has not stepped yet
        self._looking, self._ran = True, False  # whether a watched model ran forward since the last backward pass
        self._passes = 0  # backward passes from a loss in the current step
        self._scalings, self._leaves = Scalings(), Leaves(self.directory)
        self._updates = Updates(self.optimisers)
        self._eyes = Eyes(self._seen, self._root, self._recurring, self._scope.holds)
        self._reader = SiteReader(self.sites, self._meter, self._troubles, self._eyes.glances, self)
        sight = Sight(self._eyes, self.sites, self._meter, self.optimisers)
        self._stretches = Stretches(budget, self.losses, self.optimisers, self._scalings, sight, self._enter)
        self._taps = Taps(OneThread(self, self._stretches, self._scope, self._troubles.note), self._stretches)
        self._compiled = Compiled(self._eyes, self.sites, self.directory, self._seen)
        self._program = ProgramBook(self.directory, self._eyes, self._part)
        self._eyes.open()

    @property
    def seconds(self) -> float:
        """Wall time since the first forward or backward pass."""
        return self._bill.seconds

    def close(self) -> None:
        """Take everything away. Safe to call twice."""
        was_closed, self.state.closed = self.state.closed, True
        self._eyes.close()  # the second time, what an error within a call could not take away
        if was_closed:
            return
        for one in (self._taps, self._compiled, self._quiet):
            one.close()
        try:
            with self.lock:
                self._stretches.wake()
                if self._updates:  # the one in progress will never end here
                    self.optimisers.drop_sweep()
                self.optimisers.finish_sweep()
                self._backlog.drain(wait=True)
        except Exception as error:  # whatever it is, the training must not suffer from it
            self._troubles.note("end", f"The last steps are incomplete ({type(error).__name__}: {error}).")

    def close_in_fork(self) -> None:
        """Take everything away in a forked child, where whoever holds a lock may not be."""
        self.lock, self.sites.lock = threading.RLock(), threading.RLock()
        self.close()

    def fail(self, error: Exception) -> None:
        """End the watch after an error of limen's own; the training goes on."""
        self.close()
        self.on_failure(error)

    @alone
    def counts(self) -> tuple[int, int, int]:
        """Steps completed, how many of them were looked at, and sites."""
        self._stretches.wake()
        return self.step, self.looked, len(self.sites.records())

    @alone
    def vitals(self) -> Vitals:
        """What is known as of the last completed step."""
        self._stretches.wake()
        nothing = not (self.notes or self.sites.places or self._scope.is_limited)
        unseen = self._leaves.unseen(transformed=self._eyes.met_transform, nothing=nothing)
        unseen += self._scope.remarks(self.step)
        return Vitals(
            step=self.step,
            looked=self.looked,
            samples=self._meter.samples,
            sites=self.sites.vitals(),
            parameters=self.optimisers.parameter_vitals(),
            losses=self.losses.vitals(),
            optimisers=self.optimisers.vitals(),
            inputs=self._meter.inputs.vitals(),
            program=self._program.vitals(self.optimisers.untrained.found),
            notes=(*self.notes.values(), *unseen, *self.losses.remarks, *self.sites.troubles()),
        )

    @alone
    def histograms(self) -> dict[str, tuple[tuple[int, Histogram], ...]]:
        """By name of site: the chosen steps and their histograms."""
        return {record.site.name: tuple(record.histograms) for record in self.sites.records() if record.histograms}

    @alone
    def wiring(self, name: str) -> Wiring | None:
        """Live handles around a site."""
        return self.sites.wiring(name, self.optimisers.initial_std)

    # What the eyes report ------------------------------------------------------------------------------------

    def _root(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        stretch = self._stretches.current
        self._begin(module, args, counts=stretch is not None and stretch.begins_forward())

    @guarded
    def _begin(self, module: nn.Module, args: tuple[Any, ...], *, counts: bool) -> None:
        if not counts:
            self._stretches.wake()
        elif self._meter.goes_on(module, args):
            return
        self._start()
        self._ran = True
        if not self.directory.knows(module):
            self.directory.meet(module, user_frame())
        self._leaves.scripted.meet(module, self.step)
        if self.directory.module(module)[0] in self.directory.models[:1]:
            self._meter.read_input(module, args)

    @guarded
    def _part(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        self._program.hear(module, args)

    @guarded
    def _seen(self, seen: Seen) -> Callable[[Any], None] | None:
        self._stretches.wake()
        self._start()
        if self._scope.is_limited and seen.root is None:
            return None
        place = self._reader.read(seen)
        return None if place is None else partial(self._result, place)

    @guarded
    def _result(self, place: Place, result: Any) -> None:
        if isinstance(result, Tensor):
            place.after = number_of(result.grad_fn)

    @guarded
    def _recurring(self, seen: Recurring, result: Any) -> None:
        self._start()
        if seen.root is not None or not self._scope.is_limited:
            self._gates.hear(seen, result)

    @guarded
    def gradient(self, place: Place, gradient: Tensor | None) -> None:
        """The gradient at a site's input is known."""
        self._reader.hear(place, gradient)

    @guarded
    def stumble(self, place: Place, error: Exception) -> None:
        """Watch a place no longer that cannot be read; the others go on."""
        self._stretches.wake()
        self._troubles.drop(place, self.step + 1, error)

    # What the taps report ------------------------------------------------------------------------------------

    @guarded
    def before_backward(self, beginning: Beginning | None) -> None:
        """A backward pass begins."""
        self._stretches.wake()
        if not self._updates.evaluate:  # what is still going on never ended
            self._updates.abandon(self._eyes.reset)
        self._eyes.shut()
        self.optimisers.clearing.before_backward()
        self._start()
        scaling = self._scalings.take(beginning)
        self._meter.open_pass(None if scaling is None else scaling.factor)
        if self._clock.by_hand:
            if self._looking and beginning is not None:  # the script may have put new tensors in the place of the old
                self._leaves.read(beginning.roots)
                self.optimisers.rebind(self._leaves.tensors)
            self.optimisers.finish_sweep()
        if beginning is None or (self._looking and self._scope.is_limited and not (self._eyes.has_read() or self._ran)):
            return
        self._ran = False
        if is_ordinary():
            self.losses.add(beginning, scaling, looking=self._looking)
            if self._looking and (self.sites.fresh or not self._leaves.tensors):
                self.sites.wire(parents := self._leaves.read(beginning.roots))
                self._program.read(parents)
        self._passes += 1  # last: a pass whose leaves are unknown does not tell whether an optimiser moves them

    @guarded
    def after_backward(self, succeeded: bool) -> None:
        """It ended."""
        self._stretches.wake()
        self.optimisers.clearing.after_backward()
        self._eyes.reopen()
        if succeeded and self._clock.by_hand and self._passes and not self._updates:
            if self._looking and is_ordinary():
                self.optimisers.begin_sweep(None, self._leaves.tensors, self.step + 1)
            self._end_step(None)

    @guarded
    def after_scaling(self, loss: Tensor, enlarged: Tensor, factor: Tensor) -> None:
        """A gradient scaler has multiplied a loss."""
        if is_ordinary() and (self._looking or loss.is_cpu):
            self._stretches.wake()
            self._scalings.add(loss, enlarged, factor)

    @guarded
    def before_update(self, optimiser: Optimizer, has_closure: bool) -> None:
        """An optimiser is about to step; one with a closure runs forward and backward passes within its step."""
        self._stretches.wake()
        if not self._scope.concerns([optimiser]):
            self._scope.elsewhere += 1
            self.losses.drop()
            return
        if self._updates.hold(optimiser):
            self._updates.abandon(self._eyes.reset)
        self._updates.begin(optimiser, has_closure=has_closure)
        if not has_closure:
            self._eyes.shut()
        if self._looking and is_ordinary():
            self._updates.measure(optimiser, self.step + 1, evaluated=False)

    @guarded
    def after_evaluation(self, optimiser: Optimizer) -> None:
        """A closure has returned for the first time: its losses and gradients are those of the step."""
        if self._updates.hold(optimiser):
            self.losses.fill()
            if self._looking and is_ordinary():
                self._updates.measure(optimiser, self.step + 1, evaluated=True)

    @guarded
    def after_update(self, optimiser: Optimizer, has_closure: bool) -> None:
        """It has stepped."""
        self._stretches.wake()
        if not self._updates.end(optimiser, looking=self._looking):
            return
        if not has_closure:
            self._eyes.reopen()
        index = self.optimisers.index(optimiser)
        self.losses.close(self.step + 1, index, upwards=ascends(optimiser))
        if self._clock.ticks(optimiser):
            self._end_step(index)

    # Steps ---------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._bill.start()
        if self._clock.undecided and self._passes and not self._waiting and not self._updates:
            # a second forward pass without an update in between: gradients are accumulated, or updated by hand
            self._waiting = self._leaves.have_optimiser
            if not self._waiting:
                self._clock.by_hand = True
                self._end_step(None)

    def _end_step(self, optimiser: int | None) -> None:
        self.step, self._passes = self.step + 1, 0
        self.losses.close(self.step, optimiser)
        if self._looking:
            self._commit()
        self._backlog.drain()
        self._stretches.due = self.on_step(self.step)
        if self.state.closed:
            return
        self._bill.enter(self._looking, self._eyes.take_cost() if self._looking else IDLE)
        usual = not (self._updates or self._backlog)
        self._looking = self._stretches.open_step(optimiser, self.step + 1, self.seconds, usual=usual, ran=self._ran)

    def _enter(self, stretch: Stretch | PlainStretch) -> None:
        """Go on from steps that were only noted; their losses are entered."""
        self.state.cost += stretch.cost
        if steps := len(stretch.losses):
            dispatch = self._eyes.take_cost() if stretch.looking else 0.0
            self._bill.enter(stretch.looking, dispatch, steps=steps, until=stretch.last)
            self.step, self.looked = self.step + steps, self.looked + steps * stretch.looking
            self._clock.goes_on()
        self._ran = stretch.ran
        if (stepping := stretch.optimiser() if stretch.in_update else None) is not None:
            self._updates.begin(stepping, has_closure=False)

    def _commit(self) -> None:
        self.looked += 1
        self.sites.settle()
        self._backlog.do(partial(self.sites.commit, self.step, entire=self._meter.takes_histogram))
        self.optimisers.commit(self.step)
        self._meter.close_step(self.step)
        self._gates.close_step()
        self._program.close_step()
        self._troubles.compiled(self._compiled.error, self._compiled.remark())
