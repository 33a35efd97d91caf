"""Steps that go their usual way and are not looked at: each is noted with as little work as that takes."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import ParamSpec

from torch import Tensor
from torch.optim import Optimizer

from limen.anatomy import divisors_of
from limen.probe import guard
from limen.probe.guard import is_of_a_signal
from limen.probe.modes import is_ordinary, unseen
from limen.probe.surprise import Surprise

__all__ = ["PlainStretch"]

P = ParamSpec("P")

LONGEST = 0.5  # seconds, after which the others hear of the steps
DISPATCH = 2e-5  # seconds for the taps of one step, beside what is measured here


class PlainStretch:
    """Some steps of a training that goes its usual way.

    That is: in one thread, at most one backward pass from a number, and then a plain step of the optimiser that ends
    each step. Each method tells whether it has noted what happens. Where it has not, the probe must hear of it: it
    wakes up, enters what was noted here, and goes on from there. So nothing is lost where a method says no. Where it
    could be compiled, ``quick.Stretch`` serves instead.

    Args:
        optimiser: which ends the steps; kept alive by others.
        number: of it.
        most: steps that may be noted, at least one.
        surprise: what losses of this optimiser were so far; one that stands out is not noted.
        ran: whether a watched model has run forward since the last backward pass.

    Attributes:
        looking: whether these steps are looked at.
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
        over: the probe is awake; nothing more is noted.
    """

    looking = False

    def __init__(self, optimiser: Optimizer, number: int, most: int, surprise: Surprise, *, ran: bool) -> None:
        self.optimiser, self.number = weakref.ref(optimiser), number
        self.losses: list[float | None] = []
        self.rates: list[float] = []
        self.pending: float | None = None
        self.divisors: Sequence[Tensor] = ()
        self.cost = 0.0
        self.in_backward = self.in_update = self.passed = self.disturbed = self.over = False
        self.ran = ran
        self._lock, self._noting = threading.RLock(), False
        self._process, self._thread = os.getpid(), threading.get_ident()
        self._most = most
        self._surprise = surprise
        self.last = guard.clock()
        self._until = self.last + LONGEST

    def end(self, seconds: float) -> bool:
        """Note nothing more. False where it has ended or is noting something in this thread, and always in a fork.

        What another thread notes is waited for, however long it takes: ``seconds`` are those of the compiled class.
        """
        if self._process != os.getpid():
            return False
        with self._lock:
            ends = not (self.over or self._noting)
            self.over = self.over or ends
            return ends

    def begins_forward(self) -> bool:
        """A watched model runs; whether only its batch is to be counted."""
        return False

    def begins_backward(self, root: object) -> bool:
        """Note the loss of a backward pass from ``root``."""
        return self._is_here and self._note(self._begin_backward, root)

    def _begin_backward(self, root: object) -> bool:
        if self.in_update or self.in_backward or not self._takes(root):
            return False
        self.in_backward, self.passed, self.ran = True, True, False
        return True

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
        if not self._is_at_home:
            return True
        with self._lock:
            known = not (self.in_backward and self.over)
            self.in_backward = self.in_backward and self.over  # whoever ended it is to know
            return known

    def begins_update(self, optimiser: Optimizer) -> bool:
        """Note that a step begins which calls no function."""
        return self._is_here and self.optimiser() is optimiser and self._note(self._begin_update)

    def _begin_update(self) -> bool:
        if self.in_backward or self.in_update or len(self.losses) >= self._most:
            return False
        self.in_update = True
        return True

    def ends_update(self, optimiser: Optimizer) -> bool:
        """Count a step."""
        return self._is_at_home and self.optimiser() is optimiser and self._note(self._end_update)

    def _end_update(self) -> bool:
        now, loss = guard.clock(), self.pending
        if not self.in_update or now > self._until:
            return False
        if loss is not None and not self._surprise.expects(loss):
            return False
        if loss is not None:
            self._surprise.enter(loss)
        self.pending, self.divisors, self.in_update, self.last = None, (), False, now
        self.losses.append(loss)
        self.cost += DISPATCH
        return True

    @property
    def _is_at_home(self) -> bool:
        """In the thread whose steps are noted, and not that of a fork, where nobody lets go of a lock that is held."""
        return threading.get_ident() == self._thread and os.getpid() == self._process

    @property
    def _is_here(self) -> bool:
        return not self.disturbed and self._is_at_home

    def _note(self, what: Callable[P, bool], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Do one thing at a time. An interrupt may come after any call: ``with`` alone never keeps a lock."""
        began = guard.clock()
        with self._lock:
            if self.over or self._noting:
                return False
            self._noting = True
            try:
                noted = what(*args, **kwargs)
                self.cost += guard.clock() - began if noted else 0.0
                return noted
            except Exception as error:
                if is_of_a_signal(error):
                    raise
                return False
            finally:
                self._noting = False
