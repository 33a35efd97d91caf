"""One training of the ward, as a person would write it: ``limen run -m ward.train CASE``."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ward.cases import case
from ward.data import Data, data_of
from ward.nets import build
from ward.recipe import Recipe

__all__ = ["main", "train"]


def log_of_probability(probability: Tensor, target: Tensor) -> Tensor:
    """What overflows as soon as a probability rounds to 0."""
    return -torch.log(probability[torch.arange(len(target)), target]).mean()


def distances(output: Tensor) -> Tensor:
    """Of all pairs; the square root has no slope at the distance of each to itself."""
    return (output[:, None] - output[None]).square().sum(-1).sqrt()


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": F.cross_entropy,
    "nll": F.nll_loss,
    "log_of_probability": log_of_probability,
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "mse_one_hot": lambda output, target: F.mse_loss(output, F.one_hot(target, output.shape[1]).float()),
    "bce": lambda output, target: F.binary_cross_entropy(output, target[:, None].float()),
    "bce_logits": lambda output, target: F.binary_cross_entropy_with_logits(output, target[:, None].float()),
    "sum": lambda output, target: F.cross_entropy(output, target, reduction="sum"),
    "mse_and_distances": lambda output, target: F.mse_loss(output, target) + 0.01 * distances(output).mean(),
}

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


def trained(recipe: Recipe, model: nn.Module) -> list[nn.Parameter]:
    """What the optimiser is given."""
    parameters = list(model.parameters())
    if recipe.forgotten:
        return parameters[-2:]
    if recipe.frozen:
        for parameter in parameters[: len(parameters) // 2]:
            parameter.requires_grad_(False)
    return [p for p in parameters if p.requires_grad]


def train(recipe: Recipe) -> nn.Module:
    """Carry out one recipe."""
    data = data_of(recipe.data)
    inputs, targets = prepared(recipe, data)
    model = build(recipe, data)
    model.train(not recipe.evaluating)
    options = {"weight_decay": recipe.weight_decay} if recipe.weight_decay else {}
    optimiser = OPTIMISERS[recipe.optimiser](trained(recipe, model), lr=recipe.rate, **options)
    scheduler, loss_of = schedule(recipe, optimiser), LOSSES[recipe.loss]
    if recipe.detached:
        cut = [m for m in model.modules() if isinstance(m, nn.Linear)][-1]
        cut.register_forward_pre_hook(lambda _module, given: (given[0].detach(),))
    for _ in range(recipe.steps):
        if recipe.zero_grad:
            optimiser.zero_grad()
        for _ in range(recipe.accumulate):
            chosen = torch.randint(len(inputs), (min(recipe.batch, len(inputs)),))
            loss = loss_of(model(inputs[chosen]), targets[chosen]) / recipe.accumulate
            (-loss if recipe.flipped else loss).backward()
        if recipe.clip:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimiser.step()
        if scheduler is not None:
            scheduler.step()
    return model


def main() -> None:
    """Train the case that the command line names."""
    torch.set_num_threads(1)
    train(case(sys.argv[1]).recipe)


if __name__ == "__main__":
    main()
