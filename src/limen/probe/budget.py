"""How often to look, so that looking stays within the share of the training that the user allows."""

from __future__ import annotations

import random

__all__ = ["ALLOWANCE", "DENSE_STEPS", "Budget"]

ALLOWANCE = 2.0  # seconds that may always be spent, whatever the share
DENSE_STEPS = 50  # the first steps are always seen: most faults show there
ALARM_STEPS = 20  # steps that are looked at after something has gone wrong
LOAN = 0.25  # seconds that alarms may spend beyond what is allowed, until they are earned
MANY = 10**6  # steps
MEMORY = 0.1  # weight of the newest step in the running means


class Budget:
    """Decides at which steps the probe looks.

    What may be spent after ``T`` seconds is ``max(A/2 + b·T/2, b·T)``, with ``A`` the allowance and ``b`` the share:
    half of the allowance at once, the other half spread over the time until the share alone has grown to it, so that
    there is never a long stretch in which nothing is seen. Gaps are random, lest they beat in time with the data order.
    After an alarm every step is looked at for a while, on a loan of a quarter of a second at most.
    """

    def __init__(self, share: float | None, allowance: float = ALLOWANCE) -> None:
        self.share = share
        self.allowance = allowance
        self.spent = 0.0
        self._look = 0.0  # mean cost of a step that is looked at, seconds
        self._step = 0.0  # mean duration of a step without limen, seconds
        self._next = 0
        self._alarmed_until = 0
        self._random = random.Random(20_260_101)

    def allowed(self, seconds: float) -> float:
        """Seconds that may have been spent after so many seconds of training."""
        if self.share is None:
            return float("inf")
        return max(self.allowance / 2 + self.share * seconds / 2, self.share * seconds)

    def account(self, looked: bool, cost: float, duration: float, steps: int = 1) -> None:
        """Enter one step, or several alike: what limen took of them and how long they lasted in all, in seconds."""
        self.spent += cost
        rest = max(duration - cost, 1e-9) / steps
        weight = 1.0 - (1.0 - MEMORY) ** steps
        self._step = rest if self._step == 0.0 else self._step + weight * (rest - self._step)
        if looked:
            look = cost / steps
            self._look = look if self._look == 0.0 else self._look + weight * (look - self._look)

    def alarm(self, step: int) -> None:
        """Something went wrong at ``step``: look at each of the next ones, on a loan where nothing else is left."""
        self._alarmed_until = step + ALARM_STEPS

    def idle_steps(self, step: int) -> int:
        """How many steps, from ``step`` on, are not looked at, given that this one is not."""
        return 1 if step <= self._alarmed_until else max(1, self._next - step)

    def sure_looks(self, step: int, seconds: float) -> int:
        """How many steps from ``step`` on, ``seconds`` after the first, are looked at in any case, if this one is."""
        if self.share is None:
            return MANY
        if step < self._next:  # on a loan
            return 1
        return max(1, int(min((self.allowed(seconds) - self.spent) / max(self._look, 1e-9), MANY)))

    def looks_at(self, step: int, seconds: float) -> bool:
        """Whether to look at ``step``, which begins ``seconds`` after the first."""
        if self.share is None or step <= DENSE_STEPS:
            return True
        need = self.spent + self._look
        end = seconds + self._step + self._look  # of this step, if it is looked at
        if step <= self._alarmed_until and need <= self.allowed(end) + LOAN:
            return True
        if step < self._next:
            return False
        if need <= self.allowed(end):
            return True
        due = min((2 * need - self.allowance) / self.share, need / self.share)  # when `allowed` reaches `need`
        wait = due - end + self._random.uniform(0.0, 0.5) * self._look / self.share
        self._next = step + max(1, round(min(wait / max(self._step, 1e-9), 1e6)))
        return False
