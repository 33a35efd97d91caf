"""Models with gates between layers, and with experts of which each sample uses one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ward.data import Data
from ward.layers import activation, after, outputs
from ward.recipe import Recipe

__all__ = ["Experts", "highway"]


class Highway(nn.Module):
    """A block whose gate lets through what the layer makes or what came in.

    Source: Srivastava et al. 2015, arXiv:1505.00387, where the gate's bias begins between -1 and -10.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.layer, self.gate = nn.Linear(recipe.width, recipe.width), nn.Linear(recipe.width, recipe.width)
        self.act = activation(recipe)

    def forward(self, x: Tensor) -> Tensor:
        share = torch.sigmoid(self.gate(x))
        return share * self.act(self.layer(x)) + (1 - share) * x


def highway(recipe: Recipe, data: Data) -> nn.Module:
    """A stack of highway blocks."""
    first = [nn.Flatten(), nn.Linear(data.inputs[0].numel(), recipe.width), *after(recipe, recipe.width)]
    blocks = [Highway(recipe) for _ in range(recipe.depth)]
    return nn.Sequential(*first, *blocks, nn.Linear(recipe.width, outputs(recipe, data)))


class Experts(nn.Module):
    """Four experts; a router sends each sample to one of them, and the last gets few.

    Source: Fedus et al. 2021, arXiv:2101.03961.
    """

    def __init__(self, recipe: Recipe, data: Data) -> None:
        super().__init__()
        size, width = data.inputs[0].numel(), recipe.width
        self.router = nn.Linear(size, 4)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(size, width), activation(recipe), nn.Linear(width, width), activation(recipe))
            for _ in range(4)
        )
        self.fc = nn.Linear(width, outputs(recipe, data))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of ``x``, ``[samples, …]``."""
        x = x.flatten(1)
        weights = torch.softmax(self.router(x), dim=1)
        best = weights.argmax(1)
        hidden = x.new_zeros(len(x), self.fc.in_features)
        for number, expert in enumerate(self.experts):
            sent = (best == number).nonzero()[:, 0]
            if len(sent):
                hidden = hidden.index_add(0, sent, expert(x[sent]) * weights[sent, number, None])
        return self.fc(hidden)
