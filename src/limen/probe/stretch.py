"""Steps that go their usual way, looked at or not: each is noted with as little work as that takes."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import ParamSpec

from torch import Tensor, nn
from torch.optim import Optimizer

from limen.anatomy import divisors_of
from limen.probe import guard
from limen.probe.guard import is_of_a_signal
from limen.probe.modes import is_ordinary, unseen
from limen.probe.sight import Sight
from limen.probe.surprise import Surprise

__all__ = ["Stretch"]

P = ParamSpec("P")

LONGEST = 0.25  # seconds, after which the others hear of the steps
DISPATCH = 2e-5  # seconds for the taps of one step, beside what is measured here


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
        process: in which it began.
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
        noting: something is being noted, by whoever holds ``lock``: a signal handler of the script may come in between.
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
        self.in_backward = self.in_update = self.passed = self.disturbed = self.over = self.noting = False
        self.looking, self.ran = looking, ran
        self.lock = threading.RLock()
        self.process, self._thread = os.getpid(), threading.get_ident()
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
        return self._is_here and self._note(self._begin_backward, root)

    def _begin_backward(self, root: object) -> bool:
        if self.in_update or self.in_backward or not self._takes(root):
            return False
        self._eyes.shut()
        self.in_backward, self.passed, self.ran = True, True, False
        return True

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
        return self._is_here and self.optimiser() is optimiser and self._note(self._begin_update)

    def _begin_update(self) -> bool:
        if self.in_backward or self.in_update or len(self.losses) >= self._most:
            return False
        self._eyes.shut()
        self.in_update = True
        return True

    def ends_update(self, optimiser: Optimizer) -> bool:
        """Count a step."""
        if threading.get_ident() != self._thread or self.optimiser() is not optimiser:
            return False
        return self._note(self._end_update, optimiser)

    def _end_update(self, optimiser: Optimizer) -> bool:
        now, loss = guard.clock(), self.pending
        if not self.in_update or now > self._until:
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

    def _closes(self, optimiser: Optimizer) -> bool:
        rate = optimiser.param_groups[0]["lr"]
        if type(rate) is not float or not self._sight.goes_on(self._first + len(self.losses)):
            return False
        self.rates.append(rate)
        return True

    @property
    def _is_here(self) -> bool:
        return not self.disturbed and threading.get_ident() == self._thread

    def _note(self, what: Callable[P, bool], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Do one thing at a time. An interrupt may come after any call: ``with`` alone never keeps a lock."""
        with self.lock:
            if self.over or self.noting:
                return False
            self.noting = True
            try:
                return what(*args, **kwargs)
            except Exception as error:
                if is_of_a_signal(error):
                    raise
                return False
            finally:
                self.noting = False
