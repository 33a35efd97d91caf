"""When steps may be noted only, and what becomes of the notes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from limen.anatomy import divisors_of, is_scaling
from limen.probe import guard
from limen.probe.budget import Budget
from limen.probe.guard import is_of_a_signal
from limen.probe.loss_record import LossBook
from limen.probe.optimiser_book import OptimiserBook
from limen.probe.quick import COMPILED, Stretch
from limen.probe.scaling import Scalings
from limen.probe.sight import Sight
from limen.probe.stretch import DISPATCH, LONGEST, PlainStretch

__all__ = ["Stretches"]

PATIENCE = 1.0  # seconds that a thread waits for another that notes something; that takes some microseconds


class Stretches:
    """Begins stretches and ends them.

    Args:
        budget: knows when the next look is due.
        losses: are entered there.
        optimisers: those that have stepped.
        scalings: what is known of losses that a gradient scaler has enlarged.
        sight: closes steps that are looked at.
        on_wake: given a stretch that ends, whose losses have been entered.

    Attributes:
        current: the stretch that goes on.
        due: number of a step whose end others want to hear of, if it is looked at; None for whenever.
    """

    def __init__(
        self,
        budget: Budget,
        losses: LossBook,
        optimisers: OptimiserBook,
        scalings: Scalings,
        sight: Sight,
        on_wake: Callable[[Stretch | PlainStretch], None],
    ) -> None:
        self.current: Stretch | PlainStretch | None = None
        self.due: int | None = None
        self._first = 0  # step of it
        self._thread = threading.get_ident()  # of the training
        self._budget = budget
        self._losses = losses
        self._optimisers = optimisers
        self._scalings = scalings
        self._sight = sight
        self._on_wake = on_wake

    def open_step(self, number: int | None, step: int, seconds: float, *, usual: bool, ran: bool) -> bool:
        """Begin a step, and a stretch with it if one may begin; whether it is looked at.

        Args:
            number: of the optimiser that is to end it.
            step: its number.
            seconds: since the first.
            usual: nothing is in progress or on its way.
            ran: see ``Stretch``.
        """
        looking = self._budget.looks_at(step, seconds)
        most = 0 if number is None else self._most(number, step, seconds, looking=looking)
        self._sight.open(step, most, looking=looking)
        if usual and number is not None and most > 0:
            self._first = step
            self.current = self._begin(number, step, most, looking=looking, ran=ran)
        return looking

    def _most(self, number: int, step: int, seconds: float, *, looking: bool) -> int:
        """How many steps may be noted; at the end of the one after them it is decided how it goes on."""
        if not looking:
            return self._budget.idle_steps(step) - 1
        most = min(self._budget.sure_looks(step, seconds) - 1, self._sight.quiet_steps(number, step))
        return most if self.due is None or self.due < step else min(most, self.due - step)

    def _begin(self, number: int, first: int, most: int, *, looking: bool, ran: bool) -> Stretch | PlainStretch | None:
        optimiser, surprise = self._optimisers.at(number), self._losses.usual(number, looking=looking)
        if self._scalings or optimiser is None or surprise is None:
            return None
        self._thread = threading.get_ident()
        if not COMPILED:
            return None if looking else PlainStretch(optimiser, number, most, surprise, ran=ran)
        marks = self._optimisers.clearing.marked(number)
        if looking and not (marks is not None and self._sight.is_usual and self._optimisers.is_usual(optimiser)):
            return None
        stretch = Stretch(
            optimiser,
            number,
            first,
            most,
            surprise,
            looking=looking,
            ran=ran,
            longest=LONGEST,
            dispatch=DISPATCH,
            clock=guard.clock,
            is_scaling=is_scaling,
            divisors_of=divisors_of,
            is_of_a_signal=is_of_a_signal,
            state=self._sight.state,
            follower=self._sight.eyes.follower if looking else None,
            entry=self._sight.entry,
            marks=marks or [],
            close=self._sight.closing() if looking else self._sight.goes_on,
        )
        self._sight.count_in(stretch if looking else None)
        return stretch

    def wake(self) -> None:
        """End the stretch and enter what was noted in it."""
        current = self.current
        if current is None or not current.end(PATIENCE):
            return
        if current.in_backward or current.in_update:
            self._sight.eyes.shut(self._thread)
        self._sight.count_in(None)
        self._enter(current, self._first)
        self.current = None

    def _enter(self, stretch: Stretch | PlainStretch, first: int) -> None:
        if stretch.passed:
            self._optimisers.clearing.forget()
        known = [(step, loss) for step, loss in enumerate(stretch.losses, first) if loss is not None]
        if known:
            self._losses.enter(stretch.number, *zip(*known, strict=True))
        if stretch.rates:
            self._optimisers.enter(stretch.number, first, stretch.rates)
        if stretch.pending is not None:
            self._losses.resume(stretch.pending, stretch.divisors)
        self._on_wake(stretch)
