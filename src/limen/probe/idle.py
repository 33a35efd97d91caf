"""Steps that are not looked at: each is counted and its loss noted, with as little work as that takes."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence

from torch import Tensor
from torch.optim import Optimizer

from limen.anatomy import divisors_of
from limen.probe import guard
from limen.probe.budget import Budget
from limen.probe.guard import is_of_a_signal
from limen.probe.loss_record import LossBook
from limen.probe.modes import is_ordinary, unseen
from limen.probe.optimiser_book import OptimiserBook
from limen.probe.scaling import Scalings
from limen.probe.surprise import Surprise

__all__ = ["Idle", "Rest"]

LONGEST = 0.25  # seconds, after which the others hear of the steps
DISPATCH = 2e-5  # seconds for the taps of one step, beside what is measured here
PATIENCE = 1.0  # seconds that a thread waits for another that notes something; that takes some microseconds


class Idle:
    """A stretch of steps of a training that goes its usual way.

    That is: in one thread, at most one backward pass from a number, and then a plain step of the optimiser that ends
    each step. Each method tells whether it has noted what happens. Where it has not, the probe must hear of it: it
    wakes up, enters what was noted here, and goes on from there. So nothing is lost where a method says no.

    Args:
        optimiser: which ends the steps; kept alive by others.
        number: of it.
        most: steps that may be noted, at least one.
        surprise: what losses of this optimiser were so far; one that stands out is not noted.

    Attributes:
        losses: of each completed step; None where it was not to be had.
        pending: the loss since then.
        divisors: of its backward pass, see ``divisors_of``.
        cost: seconds that were taken.
        last: when the last step was completed.
        in_backward: a backward pass is going on.
        in_update: the optimiser is stepping.
        passed: whether there was a backward pass at all.
        disturbed: another training may be going on in another thread.
        over: the probe is awake; only set by whoever holds ``lock``.
    """

    def __init__(self, optimiser: Optimizer, number: int, most: int, surprise: Surprise) -> None:
        self.optimiser, self.number = weakref.ref(optimiser), number
        self.losses: list[float | None] = []
        self.pending: float | None = None
        self.divisors: Sequence[Tensor] = ()
        self.cost = 0.0
        self.in_backward = self.in_update = self.passed = self.disturbed = self.over = False
        self.lock = threading.Lock()
        self._thread = threading.get_ident()
        self._most = most
        self._surprise = surprise
        self.last = guard.clock()
        self._until = self.last + LONGEST

    def begins_backward(self, root: object) -> bool:
        """Note the loss of a backward pass from ``root``."""
        if self.disturbed or threading.get_ident() != self._thread or not self.lock.acquire(blocking=False):
            return False
        began = guard.clock()
        try:
            if self.over or self.in_update or self.in_backward or not self._takes(root):
                return False
            self.cost += guard.clock() - began
            self.in_backward = self.passed = True
            return True
        except Exception as error:
            if is_of_a_signal(error):
                raise
            return False
        finally:
            self.lock.release()

    def _takes(self, root: object) -> bool:
        with unseen():
            if type(root) is not Tensor or not is_ordinary():
                return False
            if not root.is_cpu:  # to read it would take a wait
                return True
            if self.pending is not None or root.numel() != 1:
                return False
            number = root.item()
            if type(number) is not float:
                return False
            self.divisors = divisors_of(root)
            self.pending = number
            return True

    def ends_backward(self) -> bool:
        """The pass that was noted has ended; False where the probe has woken up within it, and is to hear of it."""
        if threading.get_ident() != self._thread:
            return True
        with self.lock:
            known = not (self.over and self.in_backward)
            self.in_backward = False
            return known

    def begins_update(self, optimiser: Optimizer) -> bool:
        """Note that a step begins which calls no function."""
        if self.disturbed or threading.get_ident() != self._thread or self.optimiser() is not optimiser:
            return False
        if not self.lock.acquire(blocking=False):
            return False
        self.in_update = noted = not (self.over or self.in_backward or self.in_update)
        self.lock.release()
        return noted

    def ends_update(self, optimiser: Optimizer) -> bool:
        """Count a step."""
        if threading.get_ident() != self._thread or self.optimiser() is not optimiser:
            return False
        if not self.lock.acquire(blocking=False):
            return False
        try:
            now, loss = guard.clock(), self.pending
            if self.over or not self.in_update or len(self.losses) >= self._most or now > self._until:
                return False
            if loss is not None and not self._surprise.takes(loss):
                return False
            self.pending, self.divisors, self.in_update, self.last = None, (), False, now
            self.losses.append(loss)
            self.cost += guard.clock() - now + DISPATCH
            return True
        finally:
            self.lock.release()


class Rest:
    """Begins stretches and ends them.

    Args:
        budget: knows when the next look is due.
        losses: are entered there.
        optimisers: those that have stepped.
        scalings: what is known of losses that a gradient scaler has enlarged.
        on_wake: given a stretch that ends, whose losses have been entered.

    Attributes:
        idle: the stretch that goes on.
    """

    def __init__(
        self,
        budget: Budget,
        losses: LossBook,
        optimisers: OptimiserBook,
        scalings: Scalings,
        on_wake: Callable[[Idle], None],
    ) -> None:
        self.idle: Idle | None = None
        self._budget = budget
        self._losses = losses
        self._optimisers = optimisers
        self._scalings = scalings
        self._on_wake = on_wake

    def begin(self, number: int | None, step: int) -> None:
        """Begin a stretch with this step, which the optimiser of this number is to end, if it may be as usual."""
        most = self._budget.idle_steps(step) - 1  # at the end of the last one it is decided how it goes on
        if number is None or most < 1 or self._scalings:
            return
        optimiser, surprise = self._optimisers.at(number), self._losses.usual(number)
        if optimiser is not None and surprise is not None:
            self.idle = Idle(optimiser, number, most, surprise)

    def wake(self, step: int) -> None:
        """End the stretch and enter what was noted in it; ``step`` is the last one before it."""
        idle = self.idle
        if idle is None or not idle.lock.acquire(timeout=PATIENCE):
            return
        try:
            if not idle.over:
                idle.over = True
                self._enter(idle, step + 1)
                self.idle = None
        finally:
            idle.lock.release()

    def _enter(self, idle: Idle, first: int) -> None:
        self._optimisers.clearing.forget()
        for step, loss in enumerate(idle.losses, first):
            if loss is not None:
                self._losses.enter(step, idle.number, loss)
        if idle.pending is not None:
            self._losses.resume(idle.pending, idle.divisors)
        self._on_wake(idle)
