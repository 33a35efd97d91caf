"""One training of the ward, as a person would write it: ``limen run -m ward.train CASE``."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ward.cases import case
from ward.data import Data, data_of
from ward.gan import against_each_other
from ward.losses import LOSSES
from ward.nets import build
from ward.recipe import Recipe
from ward.trained import take_over

__all__ = ["Trained", "main", "prepared", "train"]


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training leaves behind.

    Attributes:
        model: as it was at the last step; of a pair the one that makes samples.
        losses: one for each step.
    """

    model: nn.Module
    losses: list[float]


OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "momentum": functools.partial(torch.optim.SGD, momentum=0.9),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
}


def prepared(recipe: Recipe, data: Data) -> tuple[Tensor, Tensor]:
    """Inputs and targets as the recipe has them."""
    inputs, targets = data.inputs, data.targets
    if not data.tokens:
        inputs = inputs * recipe.input_scale + recipe.input_shift
    if not data.classes:
        targets = targets * recipe.target_scale
    elif recipe.label_noise:
        noise = torch.Generator().manual_seed(recipe.seed)
        drawn = torch.randint(data.classes, targets.shape, generator=noise)
        targets = torch.where(torch.rand(len(targets), generator=noise) < recipe.label_noise, drawn, targets)
    if recipe.net == "autoencoder":
        targets = inputs.flatten(1)
    return inputs, targets


def schedule(recipe: Recipe, optimiser: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler | None:
    if recipe.schedule == "warmup":
        return torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1.0, (step + 1) / 100))
    if recipe.schedule == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.steps)
    if recipe.schedule == "steps":
        return torch.optim.lr_scheduler.StepLR(optimiser, recipe.steps // 3, 0.1)
    return None


def given(recipe: Recipe, model: nn.Module) -> list[nn.Parameter]:
    """What the optimiser is given."""
    parameters = list(model.parameters())
    if recipe.forgotten or recipe.taken_over:
        return parameters[-2:]
    if recipe.frozen:
        for parameter in parameters[: len(parameters) // 2]:
            parameter.requires_grad_(False)
    return [p for p in parameters if p.requires_grad]


def optimise(recipe: Recipe, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    options = {"weight_decay": recipe.weight_decay} if recipe.weight_decay else {}
    options |= {"eps": recipe.eps} if recipe.eps is not None else {}
    return OPTIMISERS[recipe.optimiser](parameters, lr=recipe.rate, **options)


def train(recipe: Recipe) -> Trained:
    """Carry out one recipe."""
    data = data_of(recipe.data)
    inputs, targets = prepared(recipe, data)
    loss_of, losses = LOSSES[recipe.loss], list[float]()
    if recipe.net == "gan":
        return Trained(*against_each_other(recipe, data, inputs, loss_of, functools.partial(optimise, recipe)))
    model = build(recipe, data)
    if recipe.taken_over:
        take_over(model, inputs, targets, recipe.seed)
    model.train(not recipe.evaluating)
    optimiser = optimise(recipe, given(recipe, model))
    scheduler = schedule(recipe, optimiser)
    if recipe.detached:
        cut = [m for m in model.modules() if isinstance(m, nn.Linear)][-1]
        cut.register_forward_pre_hook(lambda _module, given: (given[0].detach(),))
    for _ in range(recipe.steps):
        if recipe.zero_grad:
            optimiser.zero_grad()
        losses.append(0.0)
        for _ in range(recipe.accumulate):
            chosen = torch.randint(len(inputs), (min(recipe.batch, len(inputs)),))
            loss = loss_of(model(inputs[chosen]), targets[chosen]) / recipe.accumulate
            (-loss if recipe.flipped else loss).backward()
            losses[-1] += loss.item()
        if recipe.clip:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimiser.step()
        if scheduler is not None:
            scheduler.step()
    return Trained(model, losses)


def main() -> None:
    """Train the case that the command line names."""
    torch.set_num_threads(1)
    train(case(sys.argv[1]).recipe)


if __name__ == "__main__":
    main()
