"""Learned functions in a model that is watched: each is a site, and the training is what it would have been."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import limen
from limen.nn import ACONC, APL, PAU, DynamicTanh, KANSpline, LinearSpline, RReLU, Swish


def network() -> nn.Sequential:
    torch.manual_seed(0)
    learned = [Swish(16), ACONC(16), APL(num_parameters=16), PAU("gelu"), LinearSpline(), KANSpline(), RReLU(),
               DynamicTanh(16)]  # fmt: skip
    hidden = [layer for function in learned for layer in (function, nn.Linear(16, 16))]
    return nn.Sequential(nn.Linear(8, 16), *hidden, nn.Linear(16, 1))


def train(model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    x = torch.randn(64, 8)
    y = x.sum(1, keepdim=True)
    for _ in range(25):
        loss = (model(x) - y).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def state(model: nn.Module) -> list[Tensor]:
    return [*(one.detach().clone() for one in model.state_dict().values()), torch.get_rng_state()]


def test_each_is_a_site_of_its_name_and_nothing_changes() -> None:
    alone = network()
    train(alone, torch.optim.Adam(alone.parameters(), lr=1e-3))
    wanted = state(alone)
    model = network()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    with limen.watch(model, optimiser, budget=None) as watch:
        train(model, optimiser)
    assert [layer.site.function for layer in watch.vitals.sites] == [
        "swish", "acon_c", "apl", "pau", "linear_spline", "kan_spline", "rrelu", "dynamic_tanh",
    ]  # fmt: skip
    assert all(torch.equal(mine, other) for mine, other in zip(state(model), wanted, strict=True))
