"""No error leaves a guarded method, whichever thread calls it and whatever else is going on."""

import threading
from collections import deque

import pytest

from limen.probe.guard import guarded
from limen.probe.quick import State


class Watcher:
    """Something guarded that another thread calls, too."""

    def __init__(self) -> None:
        self.state = State(deque())
        self.lock = threading.RLock()
        self.thread = threading.Thread(target=self.stumble)
        self.errors: list[Exception] = []

    def fail(self, error: Exception) -> None:
        self.errors.append(error)

    @guarded
    def stumble(self) -> None:
        raise RuntimeError("stumbled")

    @guarded
    def outer(self) -> str:
        self.stumble()
        return "not reached"

    @guarded
    def while_another_begins(self) -> list[Exception]:
        self.thread.start()
        self.thread.join(0.05)
        return [*self.errors]


def test_an_error_within_two_guarded_methods_is_told_once() -> None:
    watcher = Watcher()
    assert watcher.outer() is None
    assert [str(error) for error in watcher.errors] == ["stumbled"]


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_in_another_thread_waits_for_its_turn_and_does_not_leave() -> None:
    watcher = Watcher()
    assert watcher.while_another_begins() == []
    watcher.thread.join()
    assert [str(error) for error in watcher.errors] == ["stumbled"]


def test_after_a_call_the_next_is_guarded_and_billed_again() -> None:
    watcher = Watcher()
    watcher.stumble()
    first = watcher.state.cost
    watcher.stumble()
    assert len(watcher.errors) == 2
    assert watcher.state.cost > first > 0
