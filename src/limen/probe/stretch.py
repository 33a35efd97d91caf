"""Steps that go their usual way, looked at or not: each is noted with as little work as that takes."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.optim import Optimizer

from limen.anatomy import divisors_of
from limen.probe import guard
from limen.probe.budget import Budget
from limen.probe.guard import is_of_a_signal
from limen.probe.loss_record import LossBook
from limen.probe.modes import is_ordinary, unseen
from limen.probe.optimiser_book import OptimiserBook
from limen.probe.scaling import Scalings
from limen.probe.sight import Sight
from limen.probe.surprise import Surprise

__all__ = ["Stretch", "Stretches"]

LONGEST = 0.25  # seconds, after which the others hear of the steps
DISPATCH = 2e-5  # seconds for the taps of one step, beside what is measured here
PATIENCE = 1.0  # seconds that a thread waits for another that notes something; that takes some microseconds


class Stretch:
    """Some steps of a training that goes its usual way.

    That is: in one thread, at most one backward pass from a number, and then a plain step of the optimiser that ends
    each step. Where they are looked at, the eyes also follow a habit, and gradients are set to None in between. Each
    method tells whether it has noted what happens. Where it has not, the probe must hear of it: it wakes up, enters
    what was noted here, and goes on from there. So nothing is lost where a method says no.

    Args:
        optimiser: which ends the steps; kept alive by others.
        number: of it.
        first: number of the first step.
        most: steps that may be noted, at least one.
        surprise: what losses of this optimiser were so far; one that stands out is not noted.
        sight: closes steps that are looked at, and shuts the eyes; it is told of every step.
        looking: whether these steps are looked at.
        ran: whether a watched model has run forward since the last backward pass.

    Attributes:
        losses: of each completed step; None where it was not to be had.
        rates: learning rates of the completed steps that were looked at.
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

    def __init__(
        self,
        optimiser: Optimizer,
        number: int,
        first: int,
        most: int,
        surprise: Surprise,
        sight: Sight,
        *,
        looking: bool,
        ran: bool,
    ) -> None:
        self.optimiser, self.number = weakref.ref(optimiser), number
        self.losses: list[float | None] = []
        self.rates: list[float] = []
        self.pending: float | None = None
        self.divisors: Sequence[Tensor] = ()
        self.cost = 0.0
        self.in_backward = self.in_update = self.passed = self.disturbed = self.over = False
        self.looking, self.ran = looking, ran
        self.lock = threading.Lock()
        self._thread = threading.get_ident()
        self._first, self._most = first, most
        self._surprise = surprise
        self._sight, self._eyes = sight, sight.eyes
        self.last = guard.clock()
        self._until = self.last + LONGEST

    def begins_forward(self, module: nn.Module, args: tuple[object, ...]) -> bool:
        """Note the batch of a model, if it is the one whose batches are counted."""
        if self.over or not self.looking:
            return False
        self.ran = True
        try:
            with unseen():
                return self._sight.counts(module, args)
        except Exception as error:
            if is_of_a_signal(error):
                raise
            return False

    def begins_backward(self, root: object) -> bool:
        """Note the loss of a backward pass from ``root``."""
        if self.disturbed or threading.get_ident() != self._thread or not self.lock.acquire(blocking=False):
            return False
        try:
            if self.over or self.in_update or self.in_backward or not self._takes(root):
                return False
            self._eyes.shut()
            self.in_backward, self.passed, self.ran = True, True, False
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
            if self.looking and not (self.ran and self._sight.is_clear(self.number)):
                return False
            if not root.is_cpu:  # to read it would take a wait
                return not self.looking
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
            if not self.in_backward:
                return True
            self.in_backward = False
            if not self.over:
                self._eyes.reopen()
            return not self.over

    def begins_update(self, optimiser: Optimizer) -> bool:
        """Note that a step begins which calls no function."""
        if self.disturbed or threading.get_ident() != self._thread or self.optimiser() is not optimiser:
            return False
        if not self.lock.acquire(blocking=False):
            return False
        try:
            if self.over or self.in_backward or self.in_update or len(self.losses) >= self._most:
                return False
            self._eyes.shut()
            self.in_update = True
            return True
        finally:
            self.lock.release()

    def ends_update(self, optimiser: Optimizer) -> bool:
        """Count a step."""
        if threading.get_ident() != self._thread or self.optimiser() is not optimiser:
            return False
        if not self.lock.acquire(blocking=False):
            return False
        try:
            now, loss = guard.clock(), self.pending
            if self.over or not self.in_update or now > self._until:
                return False
            if loss is not None and not self._surprise.expects(loss):
                return False
            if self.looking and not self._closes(optimiser):
                return False
            self._eyes.reopen()
            if loss is not None:
                self._surprise.enter(loss)
            self.pending, self.divisors, self.in_update, self.last = None, (), False, now
            self.losses.append(loss)
            self.cost += guard.clock() - now + DISPATCH
            return True
        except Exception as error:
            if is_of_a_signal(error):
                raise
            return False
        finally:
            self.lock.release()

    def _closes(self, optimiser: Optimizer) -> bool:
        rate = optimiser.param_groups[0]["lr"]
        if type(rate) is not float or not self._sight.goes_on(self._first + len(self.losses)):
            return False
        self.rates.append(rate)
        return True


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
    """

    def __init__(
        self,
        budget: Budget,
        losses: LossBook,
        optimisers: OptimiserBook,
        scalings: Scalings,
        sight: Sight,
        on_wake: Callable[[Stretch], None],
    ) -> None:
        self.current: Stretch | None = None
        self._budget = budget
        self._losses = losses
        self._optimisers = optimisers
        self._scalings = scalings
        self._sight = sight
        self._on_wake = on_wake

    def most(self, number: int | None, step: int, seconds: float, *, looking: bool) -> int:
        """How many steps may be noted from this one on, which the optimiser of this number is to end.

        At the end of the one after them it is decided how it goes on.
        """
        if number is None:
            return 0
        if not looking:
            return self._budget.idle_steps(step) - 1
        return min(self._budget.sure_looks(step, seconds) - 1, self._sight.quiet_steps(number, step))

    def begin(self, number: int | None, first: int, most: int, *, looking: bool, ran: bool) -> None:
        """Begin a stretch of at most so many steps, if they may be as usual."""
        if number is None or most < 1 or self._scalings:
            return
        optimiser, surprise = self._optimisers.at(number), self._losses.usual(number, looking=looking)
        if optimiser is None or surprise is None:
            return
        if looking and not (self._sight.is_usual and self._optimisers.is_usual(optimiser)):
            return
        self.current = Stretch(optimiser, number, first, most, surprise, self._sight, looking=looking, ran=ran)

    def wake(self, step: int) -> None:
        """End the stretch and enter what was noted in it; ``step`` is the last one before it."""
        current = self.current
        if current is None or not current.lock.acquire(timeout=PATIENCE):
            return
        try:
            if not current.over:
                current.over = True
                self._enter(current, step + 1)
                self.current = None
        finally:
            current.lock.release()

    def _enter(self, stretch: Stretch, first: int) -> None:
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
