"""Training loops that are tried, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.findings import diagnose
from tests.probe.watching import watching

STEPS = 24
LOOP_CAUSES = {"missing-zero-grad", "no-gradient-path", "learning-rate-too-low", "learning-rate-too-high"}

Loop = Callable[[], object]


def told(loop: Loop) -> set[str]:
    """Names of the findings, from warnings on, that are seen by themselves."""
    torch.manual_seed(0)
    with watching() as probe:
        loop()
        found = diagnose(probe.vitals())
    return {one.name for one in found if one.symptom is None and one.severity != "info"} & LOOP_CAUSES


def mlp(*, width: int = 64) -> nn.Sequential:
    return nn.Sequential(nn.Linear(20, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 4))


def batch() -> tuple[Tensor, Tensor]:
    x = torch.randn(64, 20)
    return x, (x[:, 0] > 0).long() + 2 * (x[:, 1] > 0).long()


def loss_of(model: nn.Module) -> Tensor:
    x, y = batch()
    return F.cross_entropy(model(x), y)


def fit(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    *,
    steps: int = STEPS,
    clears: bool = True,
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
    loss: Callable[[nn.Module], Tensor] = loss_of,
) -> None:
    for _ in range(steps):
        if clears:
            optimiser.zero_grad()
        loss(model).backward()
        optimiser.step()
        if schedule is not None:
            schedule.step()


def adam(model: nn.Module, rate: float = 1e-3) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=rate)


def trained(*, steps: int = 150) -> nn.Sequential:
    model = mlp()
    fit(model, adam(model, 1e-2), steps=steps)
    return model
