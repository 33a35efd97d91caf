"""What modules and functionals refuse, in words: inputs that are no plain tensors, and sizes that are none."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.overrides import is_tensor_like

from limen.errors import InvalidValue, WrongType

__all__ = ["check_count", "check_input", "check_numbers"]


def check_input(name: str, input: object) -> None:
    """Refuse what is no tensor of floating-point numbers, and does not stand for one as those of ``torch.fx`` do."""
    if not isinstance(input, Tensor):
        if is_tensor_like(input):
            return
        raise WrongType(f"{name}(input of {type(input).__name__}): expected a tensor of floating-point numbers.")
    if not input.is_floating_point():
        way = "its real part or its absolute value" if input.is_complex() else "input.float()"
        raise WrongType(f"{name}(input of {input.dtype}): expected a tensor of floating-point numbers. Give it {way}.")
    if input.is_nested or input.layout is not torch.strided:
        kind, way = ("a nested tensor", "the parts") if input.is_nested else (f"{input.layout}", "input.to_dense()")
        raise WrongType(f"{name}(input of {kind}): expected an ordinary, dense tensor. Give it {way}.")


def check_count(call: str, name: str, count: object, least: int = 1) -> None:
    """Refuse what is not a whole number from ``least`` on.

    Raises:
        InvalidValue: says the call, the argument and its value.
    """
    if not isinstance(count, int) or isinstance(count, bool) or count < least:
        raise InvalidValue(f"{call}({name}={count!r}): expected a whole number >= {least}.")


def check_numbers(call: str, **numbers: object) -> None:
    """Refuse what is not a finite number.

    Raises:
        InvalidValue: says the call, the argument and its value.
    """
    for name, number in numbers.items():
        if not isinstance(number, int | float) or isinstance(number, bool) or not math.isfinite(number):
            raise InvalidValue(f"{call}({name}={number!r}): expected a finite number.")
