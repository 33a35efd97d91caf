"""Values and gradients by the compiled library: which tensors it takes, and how they are handed over."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from limen.errors import InvalidValue
from limen.kernels.compiled_pass import WORTH_SHARING, readable
from limen.kernels.functions.library import FunctionLibrary
from limen.kernels.loading import team_size

__all__ = ["Elementwise"]

TYPES = {torch.float32: 0, torch.bfloat16: 1, torch.float16: 2}
LARGEST, SMALLEST = torch.finfo(torch.float32).max, torch.finfo(torch.float32).tiny


class Elementwise:
    """``value`` and ``gradient`` with the library."""

    def __init__(self, library: FunctionLibrary) -> None:
        self.library = library
        self._apply: Any = library.apply

    def serves(self, name: str, dtype: torch.dtype, device: torch.device) -> bool:
        """Whether a function is compiled for tensors of that kind."""
        return device.type == "cpu" and dtype in TYPES and name in self.library.places

    def value(self, name: str, x: Tensor, parameters: tuple[float, ...], *, exact: bool) -> Tensor:
        """The function of ``x``."""
        out, x = laid_out(name, x)
        self._run(name, x, None, out, parameters, exact)
        return out

    def gradient(self, name: str, grad: Tensor, x: Tensor, parameters: tuple[float, ...], *, exact: bool) -> Tensor:
        """``grad`` times the slope at ``x``."""
        if grad.shape != x.shape:
            raise InvalidValue(
                f"gradient({name!r}): grad has the shape {[*grad.shape]} and x {[*x.shape]}; expected one shape."
            )
        out, x = laid_out(name, x)
        if grad.dtype != x.dtype or not same_order(grad, out) or not readable(grad):
            grad = torch.empty_like(out).copy_(grad.detach())
        self._run(name, x, grad, out, parameters, exact)
        return out

    def _run(
        self, name: str, x: Tensor, grad: Tensor | None, out: Tensor, parameters: tuple[float, ...], exact: bool
    ) -> None:
        first, second = (*parameters, 0.0, 0.0)[:2]
        entries = out.numel()
        self._apply(
            self.library.places[name],
            exact or not (held(first) and held(second)),
            TYPES[x.dtype],
            x.data_ptr(),
            None if grad is None else grad.data_ptr(),
            out.data_ptr(),
            entries,
            first,
            second,
            team_size(self.library.has_team) if entries > WORTH_SHARING else 1,
        )


def laid_out(name: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """An empty tensor like ``x``, and ``x`` with its entries in the same order: itself wherever it has no gaps."""
    x = x.detach()
    if not readable(x):
        x = x.resolve_neg()
        if not readable(x):
            raise InvalidValue(
                f"{name}: expected a dense tensor on the CPU, found {type(x).__name__} on {x.device}. "
                f"Ask compiled({name!r}, x.dtype, x.device) first."
            )
    out = torch.empty_like(x)
    return out, x if same_order(x, out) else torch.empty_like(x).copy_(x)


def same_order(x: Tensor, out: Tensor) -> bool:
    """Whether the entries of ``x`` lie as those of ``out``, which has no gaps."""
    return x.stride() == out.stride() or (x.is_contiguous() and out.is_contiguous())


def held(parameter: float) -> bool:
    """Whether float32 can hold a parameter and its inverse; else doubles have to."""
    return parameter == 0 or 16 * SMALLEST < abs(parameter) < LARGEST / 16
