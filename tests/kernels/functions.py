"""What the tests of the compiled functions share: where they are looked at, and with which parameters."""

import dataclasses
import functools

import torch
from torch import Tensor

from limen.activations import CELU, ELU, Activation, Hardshrink, Hardtanh, LeakyReLU, Softplus, Threshold, get

NAMES = [
    "abs",
    "celu",
    "elu",
    "gelu",
    "gelu_tanh",
    "hard_mish",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "identity",
    "leaky_relu",
    "logsigmoid",
    "mish",
    "prelu",
    "quick_gelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sqnl",
    "squared_relu",
    "tanh",
    "threshold",
]
"""Those that have to be compiled."""

EXAMPLES: list[Activation] = [
    *map(get, NAMES),
    LeakyReLU(0.0),
    LeakyReLU(-1.7),
    Hardtanh(-0.1, 2.5),
    ELU(-0.7),
    CELU(0.3),
    CELU(1e-42),
    Hardshrink(0.1),
    Threshold(0.1, -20.7),
    Softplus(0.1),
    Softplus(7.3),
    Softplus(1e30),
]


def parameters_of(act: Activation) -> tuple[float, ...]:
    """In the order of its fields."""
    assert dataclasses.is_dataclass(act)
    return tuple(getattr(act, field.name) for field in dataclasses.fields(act))


@functools.cache
def single_line() -> Tensor:
    """Every 4,099th float32, and a dense grid near 0; finite numbers only."""
    patterns = torch.arange(0, 2**32, 4099, dtype=torch.int64).to(torch.int32).view(torch.float32)
    x = torch.cat([patterns, torch.linspace(-25, 25, 100_001)])
    return x[x.isfinite()]


@functools.cache
def all_halves(dtype: torch.dtype) -> Tensor:
    """Every number of half precision, infinities and NaN included."""
    return torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(dtype)
