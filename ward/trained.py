"""Hidden layers that come trained, as people take them over from a model of somebody else."""

from __future__ import annotations

import warnings

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from torch import Tensor, nn

__all__ = ["take_over"]


def take_over(model: nn.Module, inputs: Tensor, targets: Tensor, seed: int) -> None:
    """Give the hidden linear layers the weights of scikit-learn's own MLP, trained on half of the data."""
    *hidden, _head = (module for module in model.modules() if isinstance(module, nn.Linear))
    widths = tuple(layer.out_features for layer in hidden)
    teacher = MLPClassifier(widths, max_iter=15, batch_size=64, random_state=seed)  # pyright: ignore[reportArgumentType]
    half = len(inputs) // 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        teacher.fit(inputs[:half].flatten(1).numpy(), targets[:half].numpy())
    with torch.no_grad():
        for layer, weight, bias in zip(hidden, teacher.coefs_, teacher.intercepts_, strict=False):
            layer.weight.copy_(torch.from_numpy(weight.T))
            layer.bias.copy_(torch.from_numpy(bias))
