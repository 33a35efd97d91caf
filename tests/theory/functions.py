"""Functions that the catalogue does not have, as a user would write them."""

from __future__ import annotations

import mpmath as mp
import torch
from torch import Tensor

from limen.activations import CELU, LeakyReLU
from limen.theory.curve import Function

__all__ = ["FORMULAS", "FUNCTIONS"]


def squareplus(x: Tensor) -> Tensor:
    return (x + (x * x + 4).sqrt()) / 2


def serf(x: Tensor) -> Tensor:
    return x * torch.erf(torch.nn.functional.softplus(x))


def logish(x: Tensor) -> Tensor:
    return x * torch.log1p(torch.sigmoid(x))


def tanhexp(x: Tensor) -> Tensor:
    return x * torch.tanh(torch.exp(x.clamp(max=20)))


def snake(x: Tensor) -> Tensor:
    return x + torch.sin(x).square()


def bent_identity(x: Tensor) -> Tensor:
    return ((x * x + 1).sqrt() - 1) / 2 + x


FUNCTIONS: dict[str, Function] = {
    "erf": torch.erf,
    "sin": torch.sin,
    "atan": torch.atan,
    "squareplus": squareplus,
    "serf": serf,
    "logish": logish,
    "tanhexp": tanhexp,
    "snake": snake,
    "bent_identity": bent_identity,
    "leaky_0.2": LeakyReLU(0.2),
    "celu_2": CELU(2.0),
}
"""By the names that the tables of the tests use; names that are not here are those of the catalogue."""

FORMULAS = {
    "erf": mp.erf,
    "sin": mp.sin,
    "atan": mp.atan,
    "squareplus": lambda x: (x + mp.sqrt(x * x + 4)) / 2,
    "serf": lambda x: x * mp.erf(mp.log1p(mp.exp(x))),
    "logish": lambda x: x * mp.log1p(1 / (1 + mp.exp(-x))),
    "tanhexp": lambda x: x * mp.tanh(mp.exp(min(x, mp.mpf(20)))),
    "snake": lambda x: x + mp.sin(x) ** 2,
    "bent_identity": lambda x: (mp.sqrt(x * x + 1) - 1) / 2 + x,
}
"""Those without an entry, written again for any precision."""
