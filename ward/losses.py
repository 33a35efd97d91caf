"""What the trainings of the ward make small: torch's own losses, and some as people write them by hand."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["LOSSES", "TARGET_SCALE"]

TARGET_SCALE = 1e6
"""Of the targets that ``scaled_mse`` divides by, as a person who knows the size of the targets does."""


def log_of_probability(probability: Tensor, target: Tensor) -> Tensor:
    """What overflows as soon as a probability rounds to 0."""
    return -torch.log(probability[torch.arange(len(target)), target]).mean()


def distances(output: Tensor) -> Tensor:
    """Of all pairs; the square root has no slope at the distance of each to itself."""
    return (output[:, None] - output[None]).square().sum(-1).sqrt()


def one_hot(output: Tensor, target: Tensor) -> Tensor:
    """The classes as 0 and 1, one place for each output."""
    return F.one_hot(target, output.shape[1]).float()


def bce_clipped(output: Tensor, target: Tensor) -> Tensor:
    """As Keras has it: probabilities are kept 1e-7 away from 0 and 1, and each class of several has its own."""
    wanted = target[:, None].float() if output.shape[1] == 1 else one_hot(output, target)
    p = output.clamp(1e-7, 1 - 1e-7)
    return -(wanted * p.log() + (1 - wanted) * (1 - p).log()).mean()


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": F.cross_entropy,
    "nll": F.nll_loss,
    "log_of_probability": log_of_probability,
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "mse_one_hot": lambda output, target: F.mse_loss(output, one_hot(output, target)),
    "bce": lambda output, target: F.binary_cross_entropy(output, target[:, None].float()),
    "bce_clipped": bce_clipped,
    "bce_logits": lambda output, target: F.binary_cross_entropy_with_logits(output, target[:, None].float()),
    "least_squares": lambda output, target: F.mse_loss(output, target[:, None].float()),
    "scaled_mse": lambda output, target: F.mse_loss(output / TARGET_SCALE, target / TARGET_SCALE),
    "sum": lambda output, target: F.cross_entropy(output, target, reduction="sum"),
    "mse_and_distances": lambda output, target: F.mse_loss(output, target) + 0.01 * distances(output).mean(),
}
