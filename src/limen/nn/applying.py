"""One function of the catalogue applied to one tensor: what all modules and functionals come down to."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from limen.errors import InvalidValue
from limen.nn.checks import check_input
from limen.nn.dispatcher import is_transformed
from limen.nn.entries import Call, keeps_output
from limen.nn.native import by_torch, by_torch_inplace, serves
from limen.nn.operators import activate, activate_backward

__all__ = ["apply", "check_inplace"]


def apply(call: Call, input: Tensor, *, exact: bool = False, inplace: bool = False) -> Tensor:
    """Apply the entry that a call names; any shape and layout, in the type of the input.

    Fast is a compiled kernel; where there is none, torch's own operator, with its numerics; where torch has none
    either, the formulas of the entry. Exact is a compiled kernel, or these formulas.

    Raises:
        WrongType: the input is no tensor of floating-point numbers (also a ``TypeError``).
        InvalidValue: parameters that the function cannot take, or ``inplace`` where it is not safe.
    """
    name, parameters = call
    check_input(name, input)
    native = not exact and serves(name, input)
    if not inplace:
        return by_torch(input, name, parameters) if native else activate(input, name, parameters, exact)
    if torch.compiler.is_compiling():  # which finds by itself what may be overwritten
        made = by_torch(input, name, parameters) if native else activate(input, name, parameters, exact)
        return input.copy_(made)
    check_inplace(call)
    if native and (done := by_torch_inplace(input, call)) is not None:
        return done
    if is_transformed() or torch.jit.is_tracing() or not isinstance(input, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
        return input.copy_(activate(input, name, parameters, exact))
    return InPlace.apply(input, name, parameters, exact)


def check_inplace(call: Call) -> None:
    """Refuse to overwrite an input that the backward pass needs."""
    if not keeps_output(*call):
        raise InvalidValue(
            f"{call[0]}(inplace=True): its backward pass needs the input, which this would overwrite; the output does "
            "not tell the slope, or not without loss. Leave it at inplace=False. Where torch lets you, it keeps a copy "
            "of the input or loses digits."
        )


class InPlace(Function):
    """``x`` becomes ``f(x)``, from which the slope is taken."""

    @staticmethod
    def forward(x: Tensor, function: str, parameters: tuple[float, ...], exact: bool) -> Tensor:
        return x.copy_(activate(x, function, parameters, exact))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.call, ctx.function = inputs[1:], inputs[1]
        ctx.mark_dirty(inputs[0])
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        (output,) = ctx.saved_tensors
        return activate_backward(grad, output, *ctx.call), None, None, None
