"""Small real trainings, watched in this process: four that learn and four that are sick in a known way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import nn

from limen.vitals import Vitals
from limen.watch import Watch

__all__ = ["HEALTHY", "SICK", "recorded"]

STEPS = 260
BATCH = 64
CLASSES = 10


def mlp(function: Callable[[], nn.Module], *, depth: int = 3, width: int = 32, norm: bool = False) -> nn.Sequential:
    layers: list[nn.Module] = []
    for index in range(depth):
        layers.append(nn.Linear(16 if index == 0 else width, width))
        layers += [nn.BatchNorm1d(width)] if norm else []
        layers.append(function())
    return nn.Sequential(*layers, nn.Linear(width, CLASSES))


def held_down(model: nn.Sequential) -> nn.Sequential:
    """Biases of the first layer so low that none of its units ever fires."""
    for layer in model[:1]:
        nn.init.constant_(layer.bias, -30.0)  # pyright: ignore
    return model


def widened(model: nn.Sequential, factor: float) -> nn.Sequential:
    for layer in model:
        if isinstance(layer, nn.Linear):
            layer.weight.data *= factor
    return model


RECIPES: dict[str, tuple[Callable[[], nn.Sequential], Callable[[nn.Module], torch.optim.Optimizer]]] = {
    "relu": (lambda: mlp(nn.ReLU), lambda m: torch.optim.SGD(m.parameters(), 0.1)),
    "gelu with adam": (lambda: mlp(nn.GELU), lambda m: torch.optim.Adam(m.parameters(), 1e-3)),
    "tanh with momentum": (lambda: mlp(nn.Tanh), lambda m: torch.optim.SGD(m.parameters(), 0.05, momentum=0.9)),
    "normalised": (lambda: mlp(nn.ReLU, depth=5, norm=True), lambda m: torch.optim.AdamW(m.parameters(), 1e-3)),
    "rate of 30": (lambda: mlp(nn.ReLU, width=64), lambda m: torch.optim.SGD(m.parameters(), 30.0)),
    "biases of -30": (lambda: held_down(mlp(nn.ReLU)), lambda m: torch.optim.SGD(m.parameters(), 0.1)),
    "ten sigmoids": (lambda: mlp(nn.Sigmoid, depth=10), lambda m: torch.optim.SGD(m.parameters(), 0.05)),
    "weights times 30": (lambda: widened(mlp(nn.Tanh), 30.0), lambda m: torch.optim.SGD(m.parameters(), 0.1)),
}
HEALTHY = tuple(RECIPES)[:4]
SICK = tuple(RECIPES)[4:]


@cache
def recorded(name: str) -> Vitals:
    """What limen saw of a training; the same in every process, and made once in each."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        teacher = torch.randn(16, CLASSES)
        build, optimiser = RECIPES[name]
        model = build()
        steps = optimiser(model)
        with Watch(budget=None) as watch:
            for _ in range(STEPS):
                x = torch.randn(BATCH, 16)
                steps.zero_grad()
                nn.functional.cross_entropy(model(x), (x @ teacher).argmax(1)).backward()
                steps.step()
            return watch.vitals
