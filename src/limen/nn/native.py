"""What serves where no kernel does and digits may be lost: torch's own operators, with their numerics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function_unary

from limen.activations import Activation, register_call
from limen.kernels import functions as kernels
from limen.nn.entries import Call, entry_of

__all__ = ["OPERATORS", "by_torch", "by_torch_inplace", "serves"]


def scaled_sin(x: Tensor, w0: float) -> Tensor:
    """The sine of a multiple of the input."""
    return torch.sin(x if w0 == 1 else w0 * x)


def hardsigmoid(x: Tensor) -> Tensor:
    """Of torch's parts: its operator of this name has no second derivative."""
    return F.relu6(x + 3) / 6


OPERATORS: dict[str, Callable[..., Tensor]] = {
    "abs": torch.abs,
    "arctan": torch.atan,
    "asinh": torch.asinh,
    "celu": F.celu,
    "elu": F.elu,
    "erf": torch.erf,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "hardshrink": F.hardshrink,
    "hardsigmoid": hardsigmoid,
    "hardswish": F.hardswish,
    "hardtanh": F.hardtanh,
    "leaky_relu": F.leaky_relu,
    "logsigmoid": F.logsigmoid,
    "mish": F.mish,
    "prelu": F.leaky_relu,
    "relu": F.relu,
    "relu6": F.relu6,
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "sin": scaled_sin,
    "softplus": F.softplus,
    "softshrink": F.softshrink,
    "softsign": F.softsign,
    "tanh": torch.tanh,
    "tanhshrink": F.tanhshrink,
    "threshold": F.threshold,
}
"""Entries of the catalogue that torch has: called with the input and the parameters in the order of the fields."""

INPLACE: dict[str, Callable[..., Tensor]] = {"leaky_relu": F.leaky_relu_, "relu": torch.relu_}
"""Likewise, overwriting the input; the others of torch keep a copy of it."""


def serves(name: str, x: Tensor) -> bool:
    """Whether an entry is torch's to compute: no kernel is compiled for it and such a tensor, and torch has it."""
    return name in OPERATORS and isinstance(x, Tensor) and not kernels.compiled(name, x.dtype, x.device)  # pyright: ignore[reportUnnecessaryIsInstance]


def by_torch(x: Tensor, name: str, parameters: Sequence[float]) -> Tensor:
    """An entry's function by torch's operator, in the type of ``x`` also where autocast would have another.

    Raises:
        InvalidValue: parameters that the entry cannot take.
    """
    if has_torch_function_unary(x):  # a watch is told once what is applied, whatever that is made of
        return handle_torch_function(by_torch, (x,), x, name, parameters)
    if not torch.compiler.is_compiling():
        entry_of(name, tuple(parameters))
    return OPERATORS[name](x, *parameters).to(x.dtype)


def by_torch_inplace(x: Tensor, call: Call) -> Tensor | None:
    """Likewise, in the place of ``x``; None where torch has no operator that saves memory."""
    name, parameters = call
    return INPLACE[name](x, *parameters) if name in INPLACE else None


def read(arguments: Sequence[Any], named: Any) -> Activation | None:
    """The entry that a call of ``by_torch`` applies."""
    _, name, parameters = arguments
    return entry_of(name, tuple(parameters))


register_call(by_torch, read)
