"""Trainings whose steps are timed, for a processor and for a GPU. What is in the data costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["TRAININGS", "Training", "for_device"]


@dataclass(frozen=True)
class Training:
    """A model, its batch and its optimiser; every step sees the same batch."""

    model: nn.Module
    inputs: Tensor
    target: Tensor
    optimiser: torch.optim.Optimizer

    def loss(self) -> Tensor:
        return F.cross_entropy(self.model(self.inputs).flatten(0, -2), self.target.flatten())

    def step(self) -> None:
        self.optimiser.zero_grad()
        self.loss().backward()
        self.optimiser.step()


def training(model: nn.Module, inputs: Tensor, target: Tensor, device: str) -> Training:
    model = model.to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    return Training(model, inputs.to(device), target.to(device), optimiser)


def dense(width: int, device: str) -> Training:
    widths = [784, *[width] * 6]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(width, 10))
    return training(model, torch.randn(128, 784), torch.randint(10, (128,)), device)


def mlp(device: str) -> Training:
    """784-512×6-10, ReLU, batch 128."""
    return dense(512, device)


def wide(device: str) -> Training:
    """784-2048×6-10, ReLU, batch 128: about four steps a second."""
    return dense(2048, device)


def cnn(device: str) -> Training:
    """Three blocks of convolution, BatchNorm, ReLU and pooling, 32-64-128 channels, 32×32×3, batch 64."""
    channels = [3, 32, 64, 128]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(channels):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 4 * 4, 10))
    return training(model, torch.randn(64, 3, 32, 32), torch.randint(10, (64,)), device)


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
    """A causal language model."""

    def __init__(self, *, layers: int, width: int, heads: int, length: int, tokens: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(tokens, width)
        self.position = nn.Parameter(torch.randn(length, width) * 0.02)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, tokens)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.norm(self.blocks(self.embed(tokens) + self.position)))


def transformer(device: str) -> Training:
    """Four layers, width 256, GELU, 512 tokens, sequence 128, batch 8."""
    tokens = torch.randint(512, (8, 129))
    model = Transformer(layers=4, width=256, heads=4, length=128, tokens=512)
    return training(model, tokens[:, :-1], tokens[:, 1:], device)


def gpt2(device: str) -> Training:
    """The size of the small GPT-2: twelve layers, width 768, 50,257 tokens, sequence 1024, batch 4."""
    tokens = torch.randint(50_257, (4, 1025))
    model = Transformer(layers=12, width=768, heads=12, length=1024, tokens=50_257)
    return training(model, tokens[:, :-1], tokens[:, 1:], device)


class Bottleneck(nn.Module):
    """A residual block of three convolutions, the last of which is four times as wide."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * width
        self.body = nn.Sequential(
            nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs),
        )  # fmt: skip
        same = inputs == outputs and stride == 1
        shorten = [nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)]
        self.shortcut = nn.Identity() if same else nn.Sequential(*shorten)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.body(x) + self.shortcut(x))


def resnet50(device: str) -> Training:
    """ResNet-50, 224×224×3, batch 32."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    layers.append(nn.MaxPool2d(3, 2, 1))
    inputs = 64
    for width, blocks, stride in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]:
        for block in range(blocks):
            layers.append(Bottleneck(inputs, width, stride if block == 0 else 1))
            inputs = 4 * width
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 1000))
    return training(model, torch.randn(32, 3, 224, 224), torch.randint(1000, (32,)), device)


TRAININGS: dict[str, Callable[[str], Training]] = {
    "mlp": mlp, "cnn": cnn, "transformer": transformer, "wide": wide, "resnet50": resnet50, "gpt2": gpt2
}  # fmt: skip


def for_device(device: str) -> list[str]:
    """The trainings of a size that suits a device."""
    return ["mlp", "cnn", "transformer"] if device == "cpu" else ["resnet50", "gpt2"]
