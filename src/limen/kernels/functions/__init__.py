"""Elementwise functions and their gradients in one pass over memory, compiled where that is possible.

The functions are those of the catalogue, by its names and with its parameters in the order of its fields. Where
``compiled`` says no, nothing here serves: the catalogue's own ``f`` and ``df`` do.
"""

from __future__ import annotations

import os

import torch
from torch import Tensor

from limen.errors import InvalidValue
from limen.kernels.functions.elementwise import Elementwise
from limen.kernels.functions.library import BUILT, FunctionLibrary
from limen.kernels.loading import SWITCH, choose

__all__ = ["IN_USE", "compiled", "gradient", "value"]

_library, IN_USE = choose(os.environ.get(SWITCH), BUILT, FunctionLibrary)
"""Which kernels serve, and why: ``compiled (avx512)``."""

_elementwise = None if _library is None else Elementwise(_library)


def compiled(name: str, dtype: torch.dtype, device: torch.device) -> bool:
    """Whether a kernel serves this function for tensors of this type on this device."""
    return _elementwise is not None and _elementwise.serves(name, dtype, device)


def value(name: str, x: Tensor, parameters: tuple[float, ...] = (), *, exact: bool = False) -> Tensor:
    """The function of ``x``: a new tensor of its shape, type and, where it has no gaps, strides.

    Args:
        name: in the catalogue.
        x: any shape; ``compiled`` says which types and devices.
        parameters: those of the catalogue's entry, in the order of its fields.
        exact: of float32 at most 1 unit in the last place beside the truth, of half precision the number next to it;
            otherwise at most 4 units. The same bits whatever the position, shape, strides or number of threads.

    Raises:
        InvalidValue: no kernel serves this.
    """
    return _kernel(name, x).value(name, x, parameters, exact=exact)


def gradient(name: str, grad: Tensor, x: Tensor, parameters: tuple[float, ...] = (), *, exact: bool = False) -> Tensor:
    """``grad`` times the slope at ``x``, laid out as ``value`` of it; NaN where ``x`` is.

    Where a straight piece has slope 0, it is 0 whatever the ``grad``.

    Args:
        name: as in ``value``.
        grad: shape of ``x``.
        x: the input.
        parameters: as in ``value``.
        exact: as in ``value``, of the product.

    Raises:
        InvalidValue: no kernel serves this, or the shapes differ.
    """
    return _kernel(name, x).gradient(name, grad, x, parameters, exact=exact)


def _kernel(name: str, x: Tensor) -> Elementwise:
    if _elementwise is None or not _elementwise.serves(name, x.dtype, x.device):
        raise InvalidValue(
            f"{name}: no kernel for {x.dtype} on {x.device} ({IN_USE}). The catalogue's f and df serve everywhere."
        )
    return _elementwise
