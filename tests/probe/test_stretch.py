"""Steps that are not looked at: none is lost, nor is a loss, whatever happens in between."""

import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limen.probe import Budget, Probe, stretch, stretches

pytestmark = pytest.mark.usefixtures("compiled")


class Never(Budget):
    """Looks at the first 30 steps only; later ones are told in stretches of up to ``most``."""

    def __init__(self, most: int = 7) -> None:
        super().__init__(0.5)
        self.most = most
        self.entered = 0

    def looks_at(self, step: int, seconds: float) -> bool:
        return step <= 30

    def idle_steps(self, step: int) -> int:
        return self.most

    def account(self, looked: bool, cost: float, duration: float, steps: int = 1) -> None:
        self.entered += steps
        assert cost > 0
        super().account(looked, cost, duration, steps)


@contextmanager
def rarely_watching(budget: Budget) -> Generator[Probe]:
    def fail(error: Exception) -> None:
        raise error

    probe = Probe(None, budget, lambda step: None, fail, strict=True)
    try:
        yield probe
    finally:
        probe.close()


@pytest.fixture(params=[True, False], ids=["as built", "without a compiler"])
def compiled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In what class the steps are noted."""
    if not request.param:
        monkeypatch.setattr(stretches, "COMPILED", False)


class Training:
    """Of one weight per unit; remembers the losses of all its steps."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=1e-3)
        self.losses: list[float] = []

    def loss(self) -> Tensor:
        return (self.model(torch.randn(6, 5)) ** 2).mean()

    def step(self) -> None:
        self.optimiser.zero_grad()
        loss = self.loss()
        loss.backward()
        self.losses.append(float(loss.detach()))
        self.optimiser.step()

    def two_passes(self) -> None:
        self.optimiser.zero_grad()
        losses = [self.loss(), self.loss()]
        for loss in losses:
            loss.backward()
        self.losses.append(sum(float(loss.detach()) for loss in losses) / 2)
        self.optimiser.step()

    def closure(self) -> None:
        def again() -> Tensor:
            self.optimiser.zero_grad()
            loss = self.loss()
            loss.backward()
            self.losses.append(float(loss.detach()))
            return loss

        self.optimiser.step(again)

    def in_the_backward_pass(self) -> None:
        """The optimiser steps while the gradients are made."""
        loss = self.loss()
        self.losses.append(float(loss.detach()))
        weight = self.model[0].weight
        assert isinstance(weight, Tensor)

        def step(_: Tensor) -> None:
            self.optimiser.step()

        handle = weight.register_post_accumulate_grad_hook(step)
        loss.backward()
        handle.remove()
        self.optimiser.zero_grad()

    def after_a_failure(self) -> None:
        """A backward pass raises, and the step is begun again."""

        def refuse(gradient: Tensor) -> Tensor:
            raise RuntimeError("no")

        hidden = self.model[0](torch.randn(6, 5))
        hidden.register_hook(refuse)
        loss = self.model[2](hidden.relu()).sum()
        with pytest.raises(RuntimeError, match="no"):
            loss.backward()
        first = float(loss.detach())
        self.step()
        self.losses[-1] = (first + self.losses[-1]) / 2

    def after_a_list(self) -> None:
        self.optimiser.zero_grad()
        loss = self.loss()
        torch.autograd.backward([loss])
        self.losses.append(float(loss.detach()))
        self.optimiser.step()


STEPS: dict[str, Callable[[Training], None]] = {
    "plain": Training.step,
    "two backward passes": Training.two_passes,
    "closure": Training.closure,
    "within the backward pass": Training.in_the_backward_pass,
    "after a failure": Training.after_a_failure,
    "loss in a list": Training.after_a_list,
}


@pytest.mark.parametrize("other", STEPS)
@pytest.mark.parametrize("most", [1, 2, 7, 1000])
def test_every_step_is_counted_and_every_loss_entered(most: int, other: str) -> None:
    training, budget = Training(), Never(most)
    with rarely_watching(budget) as probe:
        for number in range(1, 81):
            (STEPS[other] if number > 30 and number % 5 == 0 else Training.step)(training)
        (losses,) = probe.vitals().losses
        assert probe.step == 80
        assert budget.entered == 80
    assert losses.step.tolist() == list(range(1, 81))
    np.testing.assert_allclose(losses.value, training.losses, rtol=1e-6)


def test_what_is_known_is_as_of_the_last_step_whenever_it_is_asked_for() -> None:
    training = Training()
    with rarely_watching(Never(1000)) as probe:
        for number in range(1, 61):
            training.optimiser.zero_grad()
            loss = training.loss()
            assert probe.vitals().step == number - 1
            loss.backward()
            assert probe.vitals().step == number - 1
            training.optimiser.step()
            assert probe.vitals().step == number


def test_asking_in_the_midst_of_a_backward_pass_or_an_update_loses_nothing() -> None:
    training, asked = Training(), list[int]()
    with rarely_watching(Never(1000)) as probe:
        for _ in range(40):
            training.step()
        weight = training.model[0].weight
        assert isinstance(weight, Tensor)

        def ask(*_: object) -> None:
            asked.append(probe.vitals().step)

        weight.register_hook(ask)
        training.optimiser.register_step_pre_hook(ask)
        for _ in range(5):
            training.step()
        assert asked == [step for number in range(40, 45) for step in (number, number)]
        (losses,) = probe.vitals().losses
    np.testing.assert_allclose(losses.value, training.losses, rtol=1e-6)


def test_a_second_optimiser_has_its_own_losses() -> None:
    training, other = Training(), Training()
    with rarely_watching(Never(9)) as probe:
        for number in range(60):
            training.step()
            if number % 3 == 0:
                other.step()
        mine, theirs = probe.vitals().losses
        assert probe.step == 60
    np.testing.assert_allclose(mine.value, training.losses, rtol=1e-6)
    np.testing.assert_allclose(theirs.value, other.losses, rtol=1e-6)


def test_a_loss_that_stands_out_is_heard_of_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretch, "LONGEST", 1e9)
    training, budget = Training(), Never(10**6)
    alarms: list[int] = []
    monkeypatch.setattr(budget, "alarm", alarms.append)
    with rarely_watching(budget):
        for _ in range(60):
            training.step()
        alarms.clear()
        training.optimiser.zero_grad()
        (100 * training.loss() + 1e6).backward()
        training.optimiser.step()
        assert alarms == [61]


def test_an_optimiser_that_is_dropped_leaves_its_last_steps() -> None:
    training = Training()
    with rarely_watching(Never(1000)) as probe:
        for _ in range(50):
            training.step()
        del training.optimiser
    assert probe.step == 50
    assert len(probe.vitals().losses[0].value) == 50


def test_an_optimiser_that_comes_late_has_the_name_of_its_own_loss() -> None:
    """The function of a loss is read from its graph seldom, once it is known."""
    first, second = Training(), Training()
    with rarely_watching(Budget(None)) as probe:
        for _ in range(120):
            first.step()
        for _ in range(5):
            second.optimiser.zero_grad()
            nn.functional.l1_loss(second.model(torch.randn(6, 5)), torch.zeros(6, 1)).backward()
            second.optimiser.step()
        mine, theirs = probe.vitals().losses
    assert (mine.function, theirs.function) == ("other", "l1")


def test_a_second_training_in_another_thread_is_told_from_steps_that_are_only_noted() -> None:
    training, other = Training(), Training()
    for one in (training, other):
        one.step()  # torch imports parts of itself with the first step
    training.losses.clear()
    with rarely_watching(Never(1000)) as probe:
        for _ in range(40):
            training.step()
        barrier = threading.Barrier(2)

        def train() -> None:
            for _ in range(120):
                barrier.wait()
                other.step()

        thread = threading.Thread(target=train)
        thread.start()
        for _ in range(120):
            barrier.wait()
            training.step()
        thread.join()
        (losses,) = probe.vitals().losses
        assert probe.step == 160
        assert any("at the same time in another thread" in note for note in probe.vitals().notes)
    np.testing.assert_allclose(losses.value, training.losses, rtol=1e-6)


def test_what_is_known_may_be_asked_for_from_another_thread() -> None:
    training = Training()
    with rarely_watching(Never(1000)) as probe:
        done = threading.Event()
        asked: list[int] = []

        def ask() -> None:
            while not done.is_set():
                asked.append(probe.vitals().step)
                done.wait(1e-4)

        thread = threading.Thread(target=ask)
        for _ in range(40):
            training.step()
        thread.start()
        for _ in range(400):
            training.step()
        done.set()
        thread.join()
        (losses,) = probe.vitals().losses
    assert probe.step == 440
    assert asked == sorted(asked)
    np.testing.assert_allclose(losses.value, training.losses, rtol=1e-6)


def test_another_thread_that_asks_in_the_midst_of_an_update_loses_no_step() -> None:
    training = Training()
    with rarely_watching(Budget(None)) as probe:

        def ask(*_: object) -> None:
            thread = threading.Thread(target=probe.vitals)
            thread.start()
            thread.join()

        for number in range(1, 121):
            asks = training.optimiser.register_step_pre_hook(ask) if number % 7 == 0 else None
            training.step()
            if asks is not None:
                asks.remove()
        (site,) = probe.vitals().sites
    assert site.history.step.tolist() == list(range(1, 121))


def test_each_step_is_told_of_once_however_often_others_ask() -> None:
    training = Training()
    interval = sys.getswitchinterval()
    with rarely_watching(Budget(None)) as probe:
        done = threading.Event()
        told: list[list[int]] = []

        def ask() -> None:
            while not done.is_set():
                told.extend(site.history.step.tolist() for site in probe.vitals().sites)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        sys.setswitchinterval(1e-5)
        try:
            for thread in threads:
                thread.start()
            for _ in range(200):
                training.step()
        finally:
            sys.setswitchinterval(interval)
            done.set()
            for thread in threads:
                thread.join()
        (site,) = probe.vitals().sites
    assert site.history.step.tolist() == list(range(1, 201))
    assert all(steps == list(range(1, len(steps) + 1)) for steps in told)
