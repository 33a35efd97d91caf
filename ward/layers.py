"""What the models of the ward are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ward.data import Data
from ward.recipe import Recipe

__all__ = ["activation", "after", "outputs"]


class Exp(nn.Module):
    """AutoTrainer's exploding activation."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.exp(x)


def activation(recipe: Recipe) -> nn.Module:
    """A new activation of the recipe's kind."""
    if recipe.activation == "exp":
        return Exp()
    if recipe.activation == "Softmax":
        return nn.Softmax(dim=1)
    return getattr(nn, recipe.activation)()


def after(recipe: Recipe, width: int, *, image: bool = False) -> list[nn.Module]:
    """What follows a linear layer or convolution: normalisation, activation, dropout."""
    layers: list[nn.Module] = []
    if recipe.norm == "batch":
        layers.append(nn.BatchNorm2d(width) if image else nn.BatchNorm1d(width))
    if recipe.norm == "layer":
        layers.append(nn.GroupNorm(1, width) if image else nn.LayerNorm(width))
    layers.append(activation(recipe))
    return [*layers, nn.Dropout(recipe.dropout)] if recipe.dropout else layers


def outputs(recipe: Recipe, data: Data) -> int:
    """Units of the last layer."""
    return 1 if recipe.loss.startswith("bce") and data.classes == 2 else data.classes or 1
