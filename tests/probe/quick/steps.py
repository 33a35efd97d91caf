"""A stretch by itself, of either class, and what it asks of others."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from limen.anatomy import divisors_of, is_scaling
from limen.probe import guard
from limen.probe.quick import Follower, Role, State, Stretch
from limen.probe.stretch import DISPATCH, LONGEST, PlainStretch
from limen.probe.surprise import Surprise

__all__ = ["FIRST", "MOST", "Losses", "Steps", "raises"]

FIRST, MOST = 100, 3


class Losses:
    """Expects every loss but 1e6."""

    def __init__(self) -> None:
        self.entered: list[float] = []

    def expects(self, value: float) -> bool:
        return value == value and value != 1e6

    def enter(self, value: float) -> None:
        self.entered.append(value)


class Steps:
    """An optimiser, a stretch of its steps by the clock given, and the steps that it closed."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        kind: str,
        *,
        looking: bool = False,
        ran: bool = True,
        entry: nn.Module | None = None,
        clock: Callable[[], float] | None = None,
        rate: float | Tensor = 0.5,
    ) -> None:
        self.weight = nn.Parameter(torch.ones(2))
        self.optimiser = torch.optim.SGD([self.weight], lr=rate)
        self.surprise, self.closed, self.is_usual = Losses(), list[int](), True
        self.time = 0.0
        self.state = State(deque())
        self.module = entry or nn.Identity()
        self.roots: list[nn.Module] = []
        monkeypatch.setattr(guard, "clock", clock or self.tell_time)
        self.follower: Follower | None = None
        surprise = cast("Surprise", self.surprise)
        if kind == "plain":
            self.stretch: Stretch | PlainStretch = PlainStretch(self.optimiser, 7, MOST, surprise, ran=ran)
            return
        if looking:
            role = Role(self.module, is_root=True)
            self.follower = Follower({id(self.module): role}, lambda module, _: self.roots.append(module), print)
            self.follower.is_open = self.follower.is_listening = True
            self.follower.thread = threading.get_ident()
        self.stretch = Stretch(
            self.optimiser,
            7,
            FIRST,
            MOST,
            surprise,
            looking=looking,
            ran=ran,
            longest=LONGEST,
            dispatch=DISPATCH,
            clock=clock or self.tell_time,
            is_scaling=is_scaling,
            divisors_of=divisors_of,
            is_of_a_signal=guard.is_of_a_signal,
            state=self.state,
            follower=self.follower,
            entry=weakref.ref(self.module),
            marks=[weakref.ref(self.weight)],
            close=self.close,
        )
        if self.follower is not None:
            self.follower.stretch = self.stretch

    def tell_time(self) -> float:
        self.time += 1e-6
        return self.time

    def close(self, step: int) -> bool:
        self.closed.append(step)
        return self.is_usual

    def loss(self, value: float = 1.0) -> Tensor:
        return value * self.weight.sum() / 2

    def step(self, root: object = None) -> bool:
        """All of a step, as far as it is noted."""
        stretch = self.stretch
        return (
            stretch.begins_backward(self.loss() if root is None else root)
            and stretch.ends_backward()
            and stretch.begins_update(self.optimiser)
            and stretch.ends_update(self.optimiser)
        )

    @property
    def is_free(self) -> bool:
        """Whether nobody holds the stretch; ends it."""
        ended = list[bool]()
        thread = threading.Thread(target=lambda: ended.append(self.stretch.end(0)))
        thread.start()
        thread.join()
        return ended[0]


def raises(error: BaseException) -> Callable[..., bool]:
    def fail(*_: object) -> bool:
        raise error

    return fail
