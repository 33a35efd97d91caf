"""Three trainings whose steps are timed: an MLP, a CNN and a transformer. What is in the data costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["TRAININGS", "Training"]


@dataclass(frozen=True)
class Training:
    """A model and one step of its training."""

    model: nn.Module
    step: Callable[[], None]


def training(model: nn.Module, inputs: Tensor, target: Tensor) -> Training:
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def step() -> None:
        optimiser.zero_grad()
        F.cross_entropy(model(inputs).flatten(0, -2), target.flatten()).backward()
        optimiser.step()

    return Training(model, step)


def mlp() -> Training:
    """784-512×6-10, ReLU, batch 128."""
    widths = [784, *[512] * 6]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return training(nn.Sequential(*layers, nn.Linear(512, 10)), torch.randn(128, 784), torch.randint(10, (128,)))


def cnn() -> Training:
    """Three blocks of convolution, BatchNorm, ReLU and pooling, 32-64-128 channels, 32×32×3, batch 64."""
    channels = [3, 32, 64, 128]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(channels):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 4 * 4, 10))
    return training(model, torch.randn(64, 3, 32, 32), torch.randint(10, (64,)))


class Block(nn.Module):
    """A pre-norm transformer block with causal attention."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.gelu, self.down = nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        split = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(*split, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(self.gelu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    """A causal language model of 512 tokens."""

    def __init__(self, layers: int = 4, width: int = 256, length: int = 128, tokens: int = 512) -> None:
        super().__init__()
        self.embed = nn.Embedding(tokens, width)
        self.position = nn.Parameter(torch.randn(length, width) * 0.02)
        self.blocks = nn.Sequential(*(Block(width, heads=4) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, tokens)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.norm(self.blocks(self.embed(tokens) + self.position)))


def transformer() -> Training:
    """Four layers, width 256, GELU, sequence 128, batch 8."""
    tokens = torch.randint(512, (8, 129))
    return training(Transformer(), tokens[:, :-1], tokens[:, 1:])


TRAININGS: dict[str, Callable[[], Training]] = {"mlp": mlp, "cnn": cnn, "transformer": transformer}
