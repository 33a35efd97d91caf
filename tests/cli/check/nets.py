"""Factories for ``limen check``: sound ones, sick ones, and ones that make no model."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def sound() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


def sick() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(-1))


def pair() -> tuple[nn.Module, Tensor]:
    return sound(), torch.ones(2, 4)


def dead() -> nn.Module:
    model = sound()
    nn.init.zeros_(model[0].weight)  # pyright: ignore
    nn.init.zeros_(model[0].bias)  # pyright: ignore
    return model


class Words(nn.Module):
    """Integers in."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(11, 8), nn.Linear(8, 2)

    def forward(self, ids: Tensor) -> Tensor:
        if ids.sum() > 10**9:  # asks for numbers
            ids = ids * 0
        return self.head(self.embed(ids).mean(1))


class Two(nn.Module):
    """Two arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Bilinear(3, 4, 2)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.body(x, y)


class Square(nn.Module):
    """Takes nothing but 28 by 28."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 2, 3), nn.Linear(2 * 26 * 26, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.conv(x)).flatten(1))


class Nameless(nn.Module):
    """Nothing tells what it takes."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def needs(width: int, *, depth: int) -> nn.Module:
    return nn.Linear(width, depth)


def fails() -> nn.Module:
    raise KeyError("weights.pt")


def none() -> None:
    return None


def lazy() -> nn.Module:
    return nn.Sequential(nn.LazyLinear(3))


ready = sound()
NUMBER = 3


def deep() -> nn.Module:
    layers = [layer for _ in range(12) for layer in (nn.Linear(16, 16), nn.Sigmoid())]
    return nn.Sequential(*layers, nn.Linear(16, 3))
