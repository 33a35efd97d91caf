"""What looks as it was drawn: the draws of torch itself, against weights that something has trained."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limen.anatomy import looks_drawn
from limen.anatomy.drawn import FEWEST, UNLIKELY

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(64, 32),
    "small": lambda: nn.Linear(4, 8),
    "convolution": lambda: nn.Conv2d(16, 32, 3),
    "transposed": lambda: nn.ConvTranspose2d(16, 32, 3),
    "one channel": lambda: nn.Conv2d(1, 8, 3),
    "grouped": lambda: nn.Conv1d(16, 16, 5, groups=4),
    "lstm": lambda: nn.LSTM(20, 32),
    "gru": lambda: nn.GRU(20, 48),
    "plain recurrent": lambda: nn.RNN(8, 16),
    "embedding": lambda: nn.Embedding(128, 16),
    "attention": lambda: nn.MultiheadAttention(32, 4),
}

DRAWS: dict[str, Callable[[Tensor], Tensor]] = {
    "He": nn.init.kaiming_normal_,
    "He, outputs": lambda tensor: nn.init.kaiming_normal_(tensor, mode="fan_out"),
    "He, uniform": lambda tensor: nn.init.kaiming_uniform_(tensor),
    "Glorot": nn.init.xavier_normal_,
    "Glorot, uniform": nn.init.xavier_uniform_,
    "LeCun": lambda tensor: nn.init.kaiming_normal_(tensor, nonlinearity="linear"),
    "transformer": lambda tensor: nn.init.normal_(tensor, std=0.02),
}


def seeds_that_pass(make: Callable[[], list[Tensor]], *, seeds: int = 60) -> float:
    """The share of draws that look drawn."""
    told: list[bool] = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        told += [looks_drawn(tensor.shape, tensor.detach().numpy()) for tensor in make() if tensor.ndim > 1]
    return float(np.mean(told))


@pytest.mark.parametrize("make", LAYERS.values(), ids=list(LAYERS))
def test_what_torch_draws_looks_drawn(make: Callable[[], nn.Module]) -> None:
    assert seeds_that_pass(lambda: [*make().parameters()]) >= 0.97  # by their limits, once in some hundred it does not


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_so_it_does_in_any_precision(dtype: torch.dtype) -> None:
    assert seeds_that_pass(lambda: [nn.Linear(64, 32).weight.to(dtype).float()]) >= 0.97


@pytest.mark.parametrize("draw", DRAWS.values(), ids=list(DRAWS))
def test_what_others_draw_looks_drawn(draw: Callable[[Tensor], Tensor]) -> None:
    assert seeds_that_pass(lambda: [draw(torch.empty(48, 96))]) >= 0.97


@pytest.mark.parametrize("rate", [0.1, 1.0])
def test_what_was_trained_does_not(rate: float) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    optimiser = torch.optim.SGD(model.parameters(), lr=rate)
    x = torch.randn(256, 20)
    y = (x[:, :1] * x[:, 1:2]).sin()
    for _ in range(500):
        optimiser.zero_grad()
        (model(x) - y).square().mean().backward()
        optimiser.step()
    weights = [one.detach() for one in model.parameters() if one.ndim > 1]
    assert [looks_drawn(one.shape, one.numpy()) for one in weights[:2]] == [False, False]


@pytest.mark.parametrize(
    "weight",
    [
        torch.zeros(8, 8),
        torch.full((8, 8), 0.01),
        torch.eye(16),
        torch.full((8, 8), math.nan),
        torch.rand(64, 64) / 8,  # one sign
        torch.randn(64, 64) * 3,
        torch.rand(4, 3) - 0.5,  # fewer entries than tell
        torch.rand(64) - 0.5,  # a bias
        torch.empty(0, 4),
    ],
    ids=["zeros", "equal", "unit", "not a number", "positive", "wild", "few", "vector", "empty"],
)
def test_other_weights_do_not(weight: Tensor) -> None:
    assert not looks_drawn(weight.shape, weight.numpy())


def test_fewer_entries_than_tell_are_not_judged() -> None:
    even = np.linspace(-0.5, 0.5, FEWEST)
    assert looks_drawn((4, 4), even)
    assert not looks_drawn((5, 3), even[:-1] * math.sqrt(4 / 3))


def test_the_limit_is_that_of_one_in_a_thousand() -> None:
    """Kolmogorov's distribution: P(D sqrt(n) > x) = 2 sum (-1)^(k-1) exp(-2 k² x²)."""
    beyond = 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * UNLIKELY) ** 2) for k in range(1, 20))
    assert 0.0005 < beyond < 0.0015
