"""The bill of a training: how long it has lasted, and what is handed to the budget."""

from collections import deque

import pytest

from limen.probe import Budget, guard
from limen.probe.bill import Bill
from limen.probe.quick import State


class Account(Budget):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__(0.5)
        self.entries: list[tuple[bool, float, float, int]] = []

    def account(self, looked: bool, cost: float, duration: float, steps: int = 1) -> None:
        self.entries.append((looked, cost, duration, steps))


def test_each_step_lasts_from_the_end_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([10.0, 14.0, 21.0])
    monkeypatch.setattr(guard, "clock", lambda: next(now))
    budget, state = Account(), State(deque())
    told = Bill(budget, state)
    assert told.seconds == 0.0
    told.start()
    told.start()  # reads no clock: the iterator would run out
    assert told.seconds == 0.0
    state.cost = 0.5
    told.enter(True, 0.25)
    assert (told.seconds, state.cost) == (4.0, 0.0)
    told.enter(False, 0.125, steps=3, until=20.0)
    told.enter(True, 0.0)
    assert told.seconds == 11.0
    assert budget.entries == [(True, 0.75, 4.0, 1), (False, 0.125, 6.0, 3), (True, 0.0, 1.0, 1)]
