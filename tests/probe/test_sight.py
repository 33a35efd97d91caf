"""Steps that are looked at by habit: what a stretch of them enters is what the long way enters, whatever happens."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from limen.probe import Budget, Probe, habit, one_thread, optimiser_book
from limen.probe.quick import COMPILED
from limen.probe.stretches import Stretches
from limen.vitals import Vitals
from tests.probe import scripts
from tests.probe.watching import bits

pytestmark = pytest.mark.skipif(not COMPILED, reason="without the quick way there are no habits")


class Training(scripts.Training):
    """Does more that may happen in the midst of steps; ``probe`` watches it."""

    probe: Probe

    def evaluates(self) -> None:
        model = self.models[0].eval()
        with torch.no_grad():
            model(torch.randn(9, 5))
        model(torch.randn(3, 5))
        model.train()
        self.plain()

    def evaluates_before_the_update(self) -> None:
        self.loss().backward()
        with torch.no_grad():
            self.models[0](torch.randn(9, 5))
        self.update()

    def forward_twice(self) -> None:
        (self.loss() + self.loss()).backward()
        self.update()

    def fails_in_the_forward_pass(self) -> None:
        with suppress(RuntimeError):
            self.models[0](torch.randn(4, 7))
        self.plain()

    def is_interrupted_in_the_forward_pass(self) -> None:
        self.interrupt(self.models[0][2].register_forward_pre_hook(interrupts))

    def is_interrupted_in_the_backward_pass(self) -> None:
        self.interrupt(self.models[0][2].register_full_backward_hook(interrupts))

    def is_interrupted_in_the_update(self) -> None:
        self.interrupt(self.optimisers[0].register_step_pre_hook(interrupts))

    def is_interrupted_after_the_update(self) -> None:
        self.interrupt(self.optimisers[0].register_step_post_hook(interrupts))

    def is_asked_at_all_times(self) -> None:
        assert self.probe.vitals()
        loss = self.loss()
        assert self.probe.vitals()
        loss.register_hook(self.asked)
        loss.backward()
        assert self.probe.vitals()
        handle = self.optimisers[0].register_step_pre_hook(self.asked)
        self.update()
        handle.remove()

    def is_asked_elsewhere(self) -> None:
        loss = self.loss()
        thread = threading.Thread(target=self.probe.vitals)
        thread.start()
        thread.join()
        loss.backward()
        self.update()

    def changes_the_rate(self) -> None:
        for group in self.optimisers[0].param_groups:
            group["lr"] *= 0.9
        self.plain()

    def has_a_rate_that_is_no_number(self) -> None:
        for group in self.optimisers[0].param_groups:
            group["lr"] = torch.tensor(1e-3) if type(group["lr"]) is float else 1e-3
        self.plain()

    def clears_nothing(self) -> None:
        self.loss().backward()
        self.optimisers[0].step()

    def clears_to_zero(self) -> None:
        self.loss().backward()
        self.optimisers[0].step()
        self.optimisers[0].zero_grad(set_to_none=False)

    def has_another_batch(self) -> None:
        (self.models[0](torch.randn(7, 5)) ** 2).mean().backward()
        self.update()

    def has_a_sequence(self) -> None:
        (self.models[0](torch.randn(2, 3, 5)) ** 2).mean().backward()
        self.update()

    def names_its_argument(self) -> None:
        (self.models[0](input=torch.randn(4, 5)) ** 2).mean().backward()
        self.update()

    def calls_a_part(self) -> None:
        hidden = self.models[0][1](self.models[0][0](torch.randn(4, 5)))
        (self.models[0][2](hidden) ** 2).mean().backward()
        self.update()

    def swaps_its_activation(self) -> None:
        self.models[0][1] = nn.Tanh() if isinstance(self.models[0][1], nn.ReLU) else nn.ReLU()
        self.plain()

    def applies_it_again(self) -> None:
        """A site that is met by habit, in a module that is known."""
        self.models[0][1](self.models[0](torch.randn(4, 5)) + 2.0).mean().backward()
        self.update()

    def freezes(self) -> None:
        self.models[0].eval() if self.models[0].training else self.models[0].train()
        self.plain()

    def has_gradients_off(self) -> None:
        with torch.no_grad():
            self.loss()
        self.plain()

    def has_a_dead_layer(self) -> None:
        with torch.no_grad():
            for weight in self.models[0][0].parameters():
                weight -= 3.0
        self.plain()

    def has_nothing_finite(self) -> None:
        (self.models[0](torch.full((4, 5), float("inf"))) ** 2).mean().backward()
        self.optimisers[0].zero_grad()

    def asked(self, *_: object) -> None:
        self.probe.vitals()

    def interrupt(self, handle: Any) -> None:
        with suppress(KeyboardInterrupt):
            self.plain()
        handle.remove()
        self.optimisers[0].zero_grad()


def interrupts(*_: object) -> None:
    raise KeyboardInterrupt


HELPERS = [Training.asked, Training.interrupt]
ACTIONS: list[Callable[[Any], None]] = [
    *scripts.ACTIONS, *(action for action in scripts.actions(Training) if action not in HELPERS)
]  # fmt: skip


def told(
    seed: int, steps: int, choose: Callable[[random.Random, int], Callable[[Any], None]], *, limited: bool = False
) -> tuple[Vitals, list[bytes], list[int]]:
    def fail(error: Exception) -> None:
        raise error

    alarms = list[int]()
    training, chosen, budget = Training(seed), random.Random(seed), Budget(None)
    budget.alarm = alarms.append  # type: ignore[method-assign]
    probe = Probe(training.models[:1] if limited else None, budget, lambda step: None, fail, strict=True)
    training.probe = probe
    for number in range(steps):
        choose(chosen, number)(training)
    if training.pool is not None:
        training.pool.shutdown()
    probe.close()
    return probe.vitals(), bits(weight for model in training.models for weight in model.parameters()), alarms


def same(mine: Any, theirs: Any, where: str = "vitals") -> None:
    """Whether two values hold the same bits."""
    assert type(mine) is type(theirs), where
    if is_dataclass(mine):
        for field in fields(mine):
            same(getattr(mine, field.name), getattr(theirs, field.name), f"{where}.{field.name}")
    elif isinstance(mine, tuple):
        assert len(mine) == len(theirs), where
        for number, pair in enumerate(zip(mine, theirs, strict=True)):
            same(*pair, f"{where}[{number}]")
    elif isinstance(mine, np.ndarray):
        assert mine.shape == theirs.shape, where
        assert mine.tobytes() == theirs.tobytes(), where
    else:
        assert mine == theirs or (mine != mine and theirs != theirs), where


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of steps that stretches have noted while they were looked at."""
    counts = list[int]()
    wake = Stretches.wake

    def counted(self: Stretches) -> None:
        stretch = self.current
        wake(self)
        if stretch is not None and stretch.looking and stretch.losses:
            counts.append(len(stretch.losses))

    monkeypatch.setattr(Stretches, "wake", counted)
    return counts


def both_ways(monkeypatch: pytest.MonkeyPatch, tell: Callable[[], tuple[Vitals, list[bytes], list[int]]]) -> None:
    """Hold what stretches tell against what the long way tells of the same training."""
    short, weights, alarms = tell()
    with monkeypatch.context() as patch:
        patch.setattr(Stretches, "_begin", nothing)
        long, same_weights, same_alarms = tell()
    assert weights == same_weights
    assert alarms == same_alarms
    for mine, theirs in zip(short.optimisers, long.optimisers, strict=True):
        assert mine.uncleared <= theirs.uncleared  # of a stretch that is disturbed the last pass goes unseen
    whole = [replace(one, uncleared=0) for one in long.optimisers]
    same(replace(short, optimisers=tuple(replace(one, uncleared=0) for one in short.optimisers)),
         replace(long, optimisers=tuple(whole)))  # fmt: skip


def nothing(*_: object, **__: object) -> None:
    """Begin no stretch."""


def always(_: int) -> bool:
    """Whether the main thread waits for others, which it may have yet to begin with."""
    return True


def test_most_steps_of_a_training_that_goes_its_usual_way_are_noted(
    monkeypatch: pytest.MonkeyPatch, noted: list[int]
) -> None:
    both_ways(monkeypatch, lambda: told(0, 1_200, lambda chosen, number: Training.plain))
    assert sum(noted) > 300
    assert max(noted) == optimiser_book.gap_at(1_200) - 1


@pytest.mark.parametrize("first", [1, 100])
def test_gradients_that_are_not_cleared_are_counted_at_every_step(
    first: int, monkeypatch: pytest.MonkeyPatch, noted: list[int]
) -> None:
    monkeypatch.setattr(habit, "LEARNT", 20)
    vitals, *_ = told(0, 200, lambda chosen, number: Training.clears_nothing if number >= first else Training.plain)
    late = int(first > 1)  # the pass that ends a stretch finds them there, and what it adds to is not known
    assert 199 - first - late <= vitals.optimisers[0].uncleared <= 199 - first
    assert bool(noted) == (first > 1)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)
def test_what_a_stretch_enters_is_what_the_long_way_enters(
    action: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch, noted: list[int]
) -> None:
    monkeypatch.setattr(habit, "LEARNT", 20)
    monkeypatch.setattr(one_thread, "is_idle", always)

    def choose(chosen: random.Random, number: int) -> Callable[[Any], None]:
        return action if number > 60 and chosen.random() < 0.1 else Training.plain

    both_ways(monkeypatch, lambda: told(1, 150, choose))
    assert noted


@pytest.mark.parametrize("limited", [False, True], ids=["all", "one model"])
@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_same_after_anything_that_scripts_do(
    seed: int, limited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(habit, "LEARNT", 20)
    monkeypatch.setattr(one_thread, "is_idle", always)
    few = random.Random(seed).sample(ACTIONS, 6)

    def choose(chosen: random.Random, number: int) -> Callable[[Any], None]:
        return Training.plain if number < 2 or chosen.random() < 0.85 else chosen.choice(few)

    both_ways(monkeypatch, lambda: told(seed, 240, choose, limited=limited))
