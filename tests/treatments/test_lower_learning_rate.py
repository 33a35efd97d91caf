"""Lowering a learning rate: every place that holds it, under any schedule, and back again."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    SequentialLR,
    StepLR,
)

from limen.errors import InvalidValue
from limen.treatments import Applied, Refused, lower_learning_rate

SCHEDULES: dict[str, Callable[[Optimizer], LRScheduler]] = {
    "step": lambda o: StepLR(o, 4, 0.5),
    "multistep": lambda o: MultiStepLR(o, [3, 9], 0.1),
    "exponential": lambda o: ExponentialLR(o, 0.9),
    "lambda": lambda o: LambdaLR(o, lambda step: 1.0 / (1 + step)),
    "cosine": lambda o: CosineAnnealingLR(o, 20, eta_min=0.1),
    "onecycle": lambda o: OneCycleLR(o, max_lr=4.0, total_steps=20),
    "cyclic": lambda o: CyclicLR(o, base_lr=0.5, max_lr=4.0, step_size_up=3),
    "warm-up": lambda o: SequentialLR(o, [LinearLR(o, 0.1, total_iters=5), CosineAnnealingLR(o, 15)], [5]),
}


def sgd(lr: float | torch.Tensor = 2.0) -> SGD:
    return SGD(
        [{"params": [nn.Parameter(torch.ones(2))]}, {"params": [nn.Parameter(torch.ones(3))], "lr": 0.5}],
        lr=lr,
        momentum=0.9,
    )


def rates(optimiser: Optimizer) -> list[float]:
    return [float(group["lr"]) for group in optimiser.param_groups]


def lower(optimiser: Optimizer, factor: float = 0.1) -> Applied:
    done = lower_learning_rate(optimiser, factor)
    assert isinstance(done, Applied)
    return done


def course(build: Callable[[Optimizer], LRScheduler], factor: float | None, at: int = 6) -> list[list[float]]:
    """Rates of 18 steps, lowered after step ``at``."""
    optimiser = sgd()
    schedule = build(optimiser)
    seen: list[list[float]] = []
    for step in range(18):
        if step == at and factor is not None:
            lower(optimiser, factor)
        optimiser.step()
        schedule.step()
        seen.append(rates(optimiser))
    return seen


def test_every_group_is_lowered_and_the_record_says_from_what_to_what() -> None:
    optimiser = sgd()
    record = lower(optimiser, 0.1).record
    assert rates(optimiser) == pytest.approx([0.2, 0.05])
    assert (record.name, record.where, record.before) == ("lower-learning-rate", "SGD", {"learning rate": 2.0})
    assert record.after == {"learning rate": 0.2}
    assert "from 2 to 0.2" in record.detail


@pytest.mark.parametrize("build", SCHEDULES.values(), ids=SCHEDULES)
def test_a_schedule_goes_on_at_the_lowered_rate(build: Callable[[Optimizer], LRScheduler]) -> None:
    plain, lowered = course(build, None), course(build, 0.1)
    assert lowered[:6] == plain[:6]
    for now, without in zip(lowered[6:], plain[6:], strict=True):
        assert now == pytest.approx([0.1 * rate for rate in without], rel=1e-9)  # recursive schedules round differently


@pytest.mark.parametrize("build", SCHEDULES.values(), ids=SCHEDULES)
def test_undo_restores_every_rate_exactly(build: Callable[[Optimizer], LRScheduler]) -> None:
    optimiser = sgd()
    schedule = build(optimiser)
    optimiser.step()
    schedule.step()
    before = copy.deepcopy((optimiser.state_dict(), schedule.state_dict()))
    lower(optimiser, 0.3).undo()
    assert repr((optimiser.state_dict(), schedule.state_dict())) == repr(before)


def test_a_rate_held_in_a_tensor_is_changed_in_place_and_once() -> None:
    rate = torch.tensor(0.01)
    parameters = [
        {"params": [nn.Parameter(torch.ones(2))], "lr": rate},
        {"params": [nn.Parameter(torch.ones(3))], "lr": rate},
    ]
    optimiser = Adam(parameters, lr=rate, foreach=False)
    done = lower(optimiser, 0.5)
    assert all(group["lr"] is rate for group in optimiser.param_groups)
    assert float(rate) == pytest.approx(0.005)
    done.undo()
    assert torch.equal(rate, torch.tensor(0.01))


def test_the_schedule_of_another_optimiser_is_left_alone() -> None:
    mine, other = sgd(), sgd()
    schedule = StepLR(other, 4)
    lower(mine)
    assert schedule.base_lrs == [2.0, 0.5]
    assert rates(other) == [2.0, 0.5]


def test_a_hand_written_update_is_refused_with_the_reason() -> None:
    refused = lower_learning_rate(None, 0.1)
    assert isinstance(refused, Refused)
    assert "the script updates its weights itself" in refused.reason


@pytest.mark.parametrize("factor", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_a_factor_that_does_not_lower_is_an_error(factor: float) -> None:
    with pytest.raises(InvalidValue, match=r"factor=.*expected a number between 0 and 1"):
        lower_learning_rate(sgd(), factor)
