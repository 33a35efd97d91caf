"""The two operators behind all modules: a function of the catalogue, and a gradient times its slope.

``limen::activate`` and ``limen::activate_backward`` are torch operators, with shapes without data, rules for vmap and
derivatives of any order, so torch.compile, torch.export and torch.func take them as they take torch's own. Which
function is meant, they are told by its name and its parameters (see ``entries.Call``).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.library import Library, register_fake, register_vmap

from limen.activations import Activation, register_call
from limen.errors import InvalidValue
from limen.kernels import functions as kernels
from limen.nn.dispatcher import ask, below_autograd, differentiable
from limen.nn.entries import entry_of, keeps_output
from limen.nn.precision import HALVES

__all__ = ["activate", "activate_backward"]

Numbers = Sequence[float]

LIMITED = ("hardshrink", "hardtanh", "threshold")
"""Functions that compare the input with their parameters."""

LIBRARY = Library("limen", "FRAGMENT")
LIBRARY.define("activate(Tensor x, str function, float[] parameters, bool exact) -> Tensor")
LIBRARY.define("activate_backward(Tensor grad, Tensor x, str function, float[] parameters, bool exact) -> Tensor")

activate: Callable[[Tensor, str, Numbers, bool], Tensor] = torch.ops.limen.activate.default
"""``f(x)``: a new tensor."""

activate_backward: Callable[[Tensor, Tensor, str, Numbers, bool], Tensor] = torch.ops.limen.activate_backward.default
"""``grad · f'(x)``: a new tensor."""


# --- what they compute -----------------------------------------------------------------------------------------


def value(x: Tensor, function: str, parameters: Numbers, exact: bool) -> Tensor:
    """``f(x)``, compiled or by the entry's own formula."""
    numbers = tuple(parameters)
    entry = entry_of(function, numbers)
    if kernels.compiled(function, x.dtype, x.device):
        return kernels.value(function, x, held(function, numbers, x.dtype), exact=exact)
    return laid_out(entry.f(x), x)


def gradient(grad: Tensor, x: Tensor, function: str, parameters: Numbers, exact: bool) -> Tensor:
    """``grad · f'(x)``, compiled or by the entry's own formula; no infinite ``grad`` passes a slope of 0."""
    numbers = tuple(parameters)
    entry = entry_of(function, numbers)
    if kernels.compiled(function, x.dtype, x.device):
        return kernels.gradient(function, grad, x, held(function, numbers, x.dtype), exact=exact)
    slope = laid_out(entry.df(x), x)
    return slope.mul_(torch.where(slope == 0, 0.0, grad))


def held(function: str, numbers: tuple[float, ...], dtype: torch.dtype) -> tuple[float, ...]:
    """The parameters, limits as a narrow type has them: what is clipped to one must not seem to lie within, later."""
    return rounded(numbers, dtype) if function in LIMITED and dtype in HALVES else numbers


@lru_cache(maxsize=256)
def rounded(numbers: tuple[float, ...], dtype: torch.dtype) -> tuple[float, ...]:
    """The nearest numbers that a type has."""
    return tuple(torch.tensor(numbers, dtype=torch.float64, device="cpu").to(dtype).tolist())


def laid_out(made: Tensor, x: Tensor) -> Tensor:
    """What was made of ``x``, in the order in which the operators promise it: that of ``x``, without gaps."""
    out = torch.empty_like(x)
    return made if made.stride() == out.stride() else out.copy_(made)


LIBRARY.impl("activate", value, "CompositeExplicitAutograd")
LIBRARY.impl("activate_backward", gradient, "CompositeExplicitAutograd")


def fake_value(x: Tensor, function: str, parameters: Numbers, exact: bool) -> Tensor:
    """The shape and layout of a value."""
    entry_of(function, tuple(parameters))
    return torch.empty_like(x)


def fake_gradient(grad: Tensor, x: Tensor, function: str, parameters: Numbers, exact: bool) -> Tensor:
    """The shape and layout of a gradient."""
    return torch.empty_like(x)


register_fake("limen::activate", fake_value, lib=LIBRARY)
register_fake("limen::activate_backward", fake_gradient, lib=LIBRARY)


# --- their derivatives -----------------------------------------------------------------------------------------


class Activate(Function):
    """``f``; its slope needs the input, the output, or nothing."""

    @staticmethod
    def forward(x: Tensor, function: str, parameters: Numbers, exact: bool) -> Tensor:
        return below_autograd(activate, value, x, function, parameters, exact)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        x, function, parameters, _ = inputs
        ctx.call, ctx.function = inputs[1:], function  # of which the readers of a graph know the activation
        kept = output if keeps_output(function, tuple(parameters)) else x
        ctx.save_for_backward(kept)
        ctx.save_for_forward(kept)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        (kept,) = ctx.saved_tensors
        return ask(activate_backward, gradient, grad, kept, *ctx.call), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: Any) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        (kept,) = ctx.saved_tensors
        return activate_backward(tangent, kept, *ctx.call)


class ActivateBackward(Function):
    """``grad · f'(x)``, which is linear in the first and has the slope ``grad · f''(x)`` in the second."""

    @staticmethod
    def forward(grad: Tensor, x: Tensor, function: str, parameters: Numbers, exact: bool) -> Tensor:
        return below_autograd(activate_backward, gradient, grad, x, function, parameters, exact)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        grad, x, function, parameters, _ = inputs
        ctx.call, ctx.entry = inputs[2:], entry_of(function, tuple(parameters))
        ctx.save_for_backward(grad, x)
        ctx.save_for_forward(grad, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        given, x = ctx.saved_tensors
        along = activate_backward(grad, x, *ctx.call) if ctx.needs_input_grad[0] else None
        across = grad * given * ctx.entry.d2f(x) if ctx.needs_input_grad[1] else None
        return along, across, None, None, None

    @staticmethod
    def jvp(ctx: Any, along: Tensor | None, across: Tensor | None, *_: Any) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        given, x = ctx.saved_tensors
        parts = [] if along is None else [activate_backward(along, x, *ctx.call)]
        parts += [] if across is None else [given * across * ctx.entry.d2f(x)]
        return sum(parts[1:], parts[0])


LIBRARY.impl("activate", differentiable(Activate, value), "Autograd")
LIBRARY.impl("activate_backward", differentiable(ActivateBackward, gradient), "Autograd")


# --- over a batch of calls -------------------------------------------------------------------------------------


def batched_value(info: Any, dims: Sequence[int | None], x: Tensor, *call: Any) -> tuple[Tensor, int | None]:
    """Entry by entry: a batch is one more axis."""
    return activate(x, *call), dims[0]


def batched_gradient(
    info: Any, dims: Sequence[int | None], grad: Tensor, x: Tensor, *call: Any
) -> tuple[Tensor, int | None]:
    """Both with the batch in front."""
    both = [
        given.expand(info.batch_size, *given.shape) if dim is None else given.movedim(dim, 0)
        for given, dim in ((grad, dims[0]), (x, dims[1]))
    ]
    return activate_backward(both[0], both[1], *call), 0


register_vmap("limen::activate", batched_value, lib=LIBRARY)
register_vmap("limen::activate_backward", batched_gradient, lib=LIBRARY)


# --- what they are to the watch --------------------------------------------------------------------------------


def read(arguments: Sequence[Any], named: Any) -> Activation | None:
    """The entry that a call of ``activate`` applies."""
    given = {**dict(zip(("x", "function", "parameters", "exact"), arguments, strict=False)), **named}
    try:
        return entry_of(given["function"], tuple(given["parameters"]))
    except (InvalidValue, KeyError):  # the call itself will say what is wrong
        return None


register_call(activate, read)
