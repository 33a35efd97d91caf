"""The short way to close a step, by itself; ``test_sight`` holds what it enters against the long way."""

from __future__ import annotations

import gc
import threading
import weakref
from collections import deque
from ctypes import CFUNCTYPE, c_int, c_int64, c_void_p, cast

import pytest

from limen.probe.quick import COMPILED, Closing, Follower, State

pytestmark = pytest.mark.skipif(not COMPILED, reason="without the quick way")

USUAL, LEDGER = 3, 4096


class Scene:
    """A closing, and what it asks of others."""

    def __init__(self, *, left: int = 9) -> None:
        self.closed, self.told = list[tuple[int, int]](), list[int]()
        self.is_full, self.is_usual, self.taken = 0, True, 0
        self.error: BaseException | None = None
        self.lock = threading.RLock()
        self.state, self.follower = State(deque()), Follower({}, print, print)
        self.function = CFUNCTYPE(c_int, c_void_p, c_int64)(self.close)
        self.closing = Closing(
            self.follower,
            self.state,
            usual=USUAL,
            left=left,
            close=cast(self.function, c_void_p).value or 0,
            ledger=LEDGER,
            lock=self.lock,
            take=self.take,
            otherwise=self.otherwise,
        )

    def close(self, ledger: int, step: int) -> int:
        self.closed.append((ledger, step))
        return self.is_full

    def take(self) -> None:
        assert self.is_locked
        self.taken += 1
        if self.error is not None:
            raise self.error

    def otherwise(self, step: int) -> bool:
        self.told.append(step)
        if self.error is not None:
            raise self.error
        return self.is_usual

    @property
    def is_locked(self) -> bool:
        """Whether another thread would have to wait."""
        found = list[bool]()

        def ask() -> None:
            if free := self.lock.acquire(blocking=False):
                self.lock.release()
            found.append(not free)

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        return found[0]

    def step(self, number: int, *, seen: int = USUAL, batch: int = 8) -> bool:
        """Close a step that was like that."""
        self.follower.seen, self.state.batch, self.state.samples = seen, batch, 2 * batch
        return self.closing(number)


def test_a_usual_step_is_closed_and_counted() -> None:
    scene = Scene()
    assert [scene.step(number) for number in (7, 2**40)] == [True, True]
    assert scene.closed == [(LEDGER, 7), (LEDGER, 2**40)]
    assert (scene.follower.seen, scene.state.batch, scene.state.samples) == (0, 0, 0)
    assert (scene.told, scene.taken, scene.is_locked) == ([], 0, False)
    assert [scene.closing.count(), scene.closing.count()] == [(2, 16), (0, 0)]


@pytest.mark.parametrize("seen", [0, USUAL - 1, USUAL + 1])
def test_a_step_with_other_glances_is_not_closed(seen: int) -> None:
    scene = Scene()
    assert not scene.step(7, seen=seen)
    assert (scene.closed, scene.told, scene.closing.count()) == ([], [], (0, 0))
    assert (scene.follower.seen, scene.state.batch) == (seen, 8)


def test_a_broken_habit_closes_nothing() -> None:
    scene = Scene()
    scene.follower.is_broken = True
    assert not scene.step(7)
    assert (scene.closed, scene.told) == ([], [])


def test_no_more_steps_are_followed_than_are_left() -> None:
    scene = Scene(left=3)
    assert [scene.step(1), scene.step(2, batch=0), scene.step(3), scene.step(4)] == [True, True, True, False]
    assert (len(scene.closed), scene.told, scene.closing.count()) == (2, [2], (2, 16))


@pytest.mark.parametrize("is_usual", [True, False])
def test_a_step_without_a_batch_goes_the_other_way(is_usual: bool) -> None:
    scene = Scene()
    scene.is_usual = is_usual
    assert scene.step(7, batch=0) is is_usual
    assert (scene.closed, scene.told, scene.closing.count()) == ([], [7], (0, 0))


def test_where_another_thread_is_at_the_ledger_it_goes_the_other_way() -> None:
    scene, may_go, is_there = Scene(), threading.Event(), threading.Event()

    def hold() -> None:
        with scene.lock:
            is_there.set()
            may_go.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    is_there.wait()
    try:
        assert scene.step(7)
    finally:
        may_go.set()
        thread.join()
    assert (scene.closed, scene.told) == ([], [7])


def test_where_rows_had_to_be_taken_before_it_goes_the_other_way() -> None:
    scene = Scene()
    scene.is_full = -1
    assert scene.step(7)
    assert (scene.told, scene.taken, scene.closing.count(), scene.is_locked) == ([7], 0, (0, 0), False)


def test_rows_are_taken_as_soon_as_they_must_be() -> None:
    scene = Scene()
    scene.is_full = 1
    assert scene.step(7)
    assert (scene.told, scene.taken, scene.closing.count(), scene.is_locked) == ([], 1, (1, 8), False)


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()], ids=["error", "interrupt"])
@pytest.mark.parametrize("batch", [8, 0], ids=["take", "otherwise"])
def test_an_error_goes_on_and_the_lock_is_free(error: BaseException, batch: int) -> None:
    scene = Scene()
    scene.is_full, scene.error = 1, error
    with pytest.raises(type(error)):
        scene.step(7, batch=batch)
    assert not scene.is_locked
    assert scene.closing.count() == (0, 0)


def test_it_holds_what_it_needs_and_can_be_collected() -> None:
    scene = Scene()
    held = weakref.ref(scene)
    del scene
    gc.collect()
    assert held() is None


def test_what_is_no_follower_is_refused() -> None:
    scene = Scene()
    with pytest.raises(TypeError, match=r"must be limen\.probe\.quick\._quick\.Follower, not"):
        Closing(
            scene.state,  # type: ignore[arg-type]
            scene.state,
            usual=1,
            left=1,
            close=1,
            ledger=1,
            lock=scene.lock,
            take=scene.take,
            otherwise=scene.otherwise,
        )
