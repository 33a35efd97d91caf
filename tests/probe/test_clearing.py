"""Whether gradients are cleared: real trainings, of which it is known by how they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from limen.probe import Budget, Probe
from tests.probe.stories import network, same_training
from tests.probe.watching import watching

STEPS = 12
Clear = Callable[[torch.optim.Optimizer, nn.Module, int], object]


def loss_of(model: nn.Module) -> Tensor:
    return model(torch.randn(8, 6)).square().mean()


def train(clear: Clear, *, passes: int = 1, make: Callable[..., torch.optim.Optimizer] = torch.optim.SGD) -> None:
    torch.manual_seed(0)
    model = network()
    optimiser = make(model.parameters(), lr=0.01)
    for step in range(STEPS):
        clear(optimiser, model, step)
        for _ in range(passes):
            loss_of(model).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()


def uncleared(story: Callable[[], object]) -> list[int]:
    with watching() as probe:
        story()
    return [one.uncleared for one in probe.vitals().optimisers]


def scaled(model: nn.Module, factor: float) -> None:
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.mul_(factor)


def zeroed(model: nn.Module) -> None:
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.zero_()


def zeroed_unseen(model: nn.Module) -> None:
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.data.zero_()  # counts no write


def replaced(model: nn.Module) -> None:
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)


CLEARED: dict[str, Clear] = {
    "set to none": lambda optimiser, model, step: optimiser.zero_grad(),
    "set to zero": lambda optimiser, model, step: optimiser.zero_grad(set_to_none=False),
    "by the model": lambda optimiser, model, step: model.zero_grad(),
    "by hand": lambda optimiser, model, step: zeroed(model),
    "by hand, uncounted": lambda optimiser, model, step: zeroed_unseen(model),
    "by new zeros": lambda optimiser, model, step: replaced(model),
    "kept in part on purpose": lambda optimiser, model, step: scaled(model, 0.9),
}


@pytest.mark.parametrize("passes", [1, 3])
@pytest.mark.parametrize("clear", CLEARED.values(), ids=list(CLEARED))
def test_cleared_gradients_are_not_counted(clear: Clear, passes: int) -> None:
    assert uncleared(lambda: train(clear, passes=passes)) == [0]


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop])
@pytest.mark.parametrize("passes", [1, 3])
def test_every_step_but_the_first_uses_what_was_never_cleared(
    passes: int, make: Callable[..., torch.optim.Optimizer]
) -> None:
    assert uncleared(lambda: train(lambda *_: None, passes=passes, make=make)) == [STEPS - 1]


@pytest.mark.parametrize("period", [2, 4])
def test_only_the_steps_between_two_clearings_are_counted(period: int) -> None:
    def now_and_then(optimiser: torch.optim.Optimizer, model: nn.Module, step: int) -> None:
        if step % period == 0:
            optimiser.zero_grad()

    assert uncleared(lambda: train(now_and_then)) == [STEPS - STEPS // period]


def test_two_steps_on_the_same_gradients_are_no_accumulation() -> None:
    def story() -> None:
        model = network()
        optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
        for _ in range(STEPS):
            optimiser.zero_grad()
            loss_of(model).backward()
            optimiser.step()
            optimiser.step()

    assert uncleared(story) == [0]


def test_what_another_loss_leaves_and_its_own_optimiser_clears_is_no_accumulation() -> None:
    def story() -> None:
        maker, judge = network(), nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
        one, other = (torch.optim.Adam(model.parameters(), lr=1e-3) for model in (maker, judge))
        for _ in range(STEPS):
            other.zero_grad()
            judge(maker(torch.randn(8, 6))).mean().backward()  # fills the maker's gradients, too
            other.step()
            one.zero_grad()
            (-judge(maker(torch.randn(8, 6)))).mean().backward()
            one.step()

    assert uncleared(story) == [0, 0]


def test_of_two_optimisers_the_one_that_never_clears_is_told() -> None:
    def story() -> None:
        model, other = network(), network()
        first, second = (torch.optim.SGD(one.parameters(), lr=0.01) for one in (model, other))
        for _ in range(STEPS):
            first.zero_grad()
            (loss_of(model) + loss_of(other)).backward()
            first.step()
            second.step()

    assert uncleared(story) == [0, STEPS - 1]


@pytest.mark.parametrize(("clears", "expected"), [(True, 0), (False, 3)])
def test_within_a_closure(clears: bool, expected: int) -> None:
    def story() -> None:
        torch.manual_seed(0)
        model, data = network(), torch.randn(8, 6)
        optimiser = torch.optim.LBFGS(model.parameters(), lr=1e-3, max_iter=3)

        def closure() -> float:
            if clears:
                optimiser.zero_grad()
            loss = model(data).square().mean()
            loss.backward()
            return loss.item()

        for _ in range(4):
            optimiser.step(closure)  # pyright: ignore[reportArgumentType]

    assert uncleared(story) == [expected]


def test_a_part_that_no_pass_reaches_is_not_added_to() -> None:
    def story() -> None:
        body, head, other = network(), nn.Linear(3, 1), nn.Linear(3, 1)
        optimiser = torch.optim.SGD([*other.parameters()], lr=0.01)
        other(body(torch.randn(8, 6))).mean().backward()
        optimiser.step()
        for _ in range(STEPS):
            head(body(torch.randn(8, 6))).mean().backward()
            optimiser.step()

    assert uncleared(story) == [0]


def test_sparse_gradients_and_none_are_left_alone() -> None:
    def story() -> None:
        table, head = nn.Embedding(10, 4, sparse=True), nn.Linear(4, 2)
        optimiser = torch.optim.SGD([*table.parameters(), *nn.Linear(2, 2).parameters()], lr=0.01)
        for _ in range(STEPS):
            torch.relu(head(table(torch.arange(5)))).mean().backward()
            optimiser.step()

    assert uncleared(story) == [0]


def test_steps_that_are_not_looked_at_hide_no_clearing() -> None:
    def fail(error: Exception) -> None:
        raise error

    model = network()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    probe = Probe(None, Budget(0.01, allowance=1e-9), lambda step: None, fail, strict=True)
    try:
        for _ in range(300):
            optimiser.zero_grad()
            loss_of(model).backward()
            optimiser.step()
    finally:
        probe.close()
    assert probe.looked < probe.step == 300
    assert [one.uncleared for one in probe.vitals().optimisers] == [0]


@pytest.mark.parametrize("clear", [True, False])
def test_the_training_goes_as_it_goes_unwatched(clear: bool) -> None:
    def story() -> Iterator[Tensor]:
        model = network()
        optimiser = torch.optim.SGD(model.parameters(), 0.01)
        for _ in range(6):
            if clear:
                optimiser.zero_grad()
            loss = loss_of(model)
            loss.backward()
            optimiser.step()
            yield loss
            yield from model.parameters()

    assert [one.uncleared for one in same_training(story).vitals().optimisers] == [0 if clear else 5]


def test_gradients_are_not_kept_alive() -> None:
    import weakref

    with watching():
        model = network()
        optimiser = torch.optim.SGD(model.parameters(), 0.01)
        loss_of(model).backward()
        gradient = next(model.parameters()).grad
        assert gradient is not None
        held = weakref.ref(gradient)
        del gradient
        optimiser.step()
        optimiser.zero_grad()
        assert held() is None
