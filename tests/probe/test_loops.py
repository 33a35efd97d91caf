"""Sick training loops are told by their cause as soon as there is evidence."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.probe.loops import Loop, adam, fit, mlp, told


class Cut(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = mlp()[:4], nn.Linear(64, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).detach())


class Sequence(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.LSTM(5, 32), nn.Linear(32, 4)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.rnn(x.view(-1, 4, 5).transpose(0, 1))
        return self.head(states[-1].detach())


def never_cleared() -> None:
    model = mlp()
    fit(model, torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9), clears=False)


def the_head_alone() -> None:
    model = mlp()
    fit(model, adam(model[4]))


def made_before_the_model() -> None:
    model, older = mlp(), mlp()
    fit(model, adam(older))


def cut() -> None:
    model = Cut()
    fit(model, adam(model))


def cut_after_a_recurrent_layer() -> None:
    model = Sequence()
    fit(model, adam(model))


def far_too_low() -> None:
    model = mlp()
    fit(model, adam(model, 1e-8))


def far_too_low_sgd() -> None:
    model = mlp()
    fit(model, torch.optim.SGD(model.parameters(), lr=1e-6))


def far_too_high() -> None:
    model = mlp()
    fit(model, adam(model, 0.5))


def far_too_high_sgd() -> None:
    model = mlp()
    fit(model, torch.optim.SGD(model.parameters(), lr=50.0))


SICK: dict[str, tuple[Loop, str]] = {
    "gradients are never cleared": (never_cleared, "missing-zero-grad"),
    "the optimiser holds the head alone": (the_head_alone, "no-gradient-path"),
    "the optimiser holds another model": (made_before_the_model, "no-gradient-path"),
    "the signal is detached": (cut, "no-gradient-path"),
    "the states of an LSTM are detached": (cut_after_a_recurrent_layer, "no-gradient-path"),
    "Adam at 1e-8": (far_too_low, "learning-rate-too-low"),
    "SGD at 1e-6": (far_too_low_sgd, "learning-rate-too-low"),
    "Adam at 0.5": (far_too_high, "learning-rate-too-high"),
    "SGD at 50": (far_too_high_sgd, "learning-rate-too-high"),
}


@pytest.mark.parametrize(("loop", "cause"), SICK.values(), ids=list(SICK))
def test_a_sick_loop_is_told_within_its_first_steps(loop: Loop, cause: str) -> None:
    assert told(loop) == {cause}
