"""A pair of models that train against each other.

Source: Goodfellow et al. 2014, arXiv:1406.2661.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ward.data import Data
from ward.layers import after
from ward.nets import HEADS, draw
from ward.recipe import Recipe

__all__ = ["NOISE", "against_each_other", "pair"]

NOISE = 8
"""Numbers that the maker begins with."""

Optimise = Callable[[list[nn.Parameter]], torch.optim.Optimizer]


def pair(recipe: Recipe, data: Data) -> tuple[nn.Module, nn.Module]:
    """The one that makes samples and the one that judges them."""
    torch.manual_seed(recipe.seed)
    width, size = recipe.width, data.inputs[0].numel()
    made: list[nn.Module] = [nn.Linear(NOISE, width), *after(recipe, width)]
    judged: list[nn.Module] = [nn.Linear(size, width), nn.LeakyReLU(0.2)]
    for _ in range(recipe.depth - 1):
        made += [nn.Linear(width, width), *after(recipe, width)]
        judged += [nn.Linear(width, width), nn.LeakyReLU(0.2)]
    maker, judge = nn.Sequential(*made, nn.Linear(width, size)), nn.Sequential(*judged, nn.Linear(width, 1))
    draw(recipe, maker)
    draw(recipe, judge)
    return maker, nn.Sequential(judge, HEADS[recipe.head]()) if recipe.head in HEADS else judge


def against_each_other(
    recipe: Recipe, data: Data, inputs: Tensor, loss_of: Callable[[Tensor, Tensor], Tensor], optimise: Optimise
) -> tuple[nn.Module, list[float]]:
    """Train a pair; the maker, and the judge's loss at each step."""
    maker, judge = pair(recipe, data)
    inputs, losses = inputs.flatten(1), list[float]()
    makers = list(maker.parameters())
    makes, judges = optimise(makers[-2:] if recipe.forgotten else makers), optimise(list(judge.parameters()))
    real, unreal = torch.ones(recipe.batch, dtype=torch.int64), torch.zeros(recipe.batch, dtype=torch.int64)
    for _ in range(recipe.steps):
        chosen = inputs[torch.randint(len(inputs), (recipe.batch,))]
        made = maker(torch.randn(recipe.batch, NOISE))
        if recipe.zero_grad:
            judges.zero_grad()
        loss = loss_of(judge(chosen), real) + loss_of(judge(made.detach()), unreal)
        loss.backward()
        judges.step()
        if recipe.zero_grad:
            makes.zero_grad()
        fooled = loss_of(judge(made.detach() if recipe.detached else made), real)
        (-fooled if recipe.flipped else fooled).backward()
        makes.step()
        losses.append(loss.item())
    return maker, losses
