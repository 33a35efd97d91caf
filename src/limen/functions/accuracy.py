"""How near a function computed in a narrow type is to the same function computed in double precision."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from limen.activations import Activation
from limen.functions.words import number

__all__ = ["accuracy", "worst"]


def accuracy(entry: Activation) -> str:
    """What was just measured of an entry, for people.

    >>> from limen.activations import get
    >>> accuracy(get("relu")).startswith("float32 within 0 ULP of double in value and 0 in slope")
    True
    """
    x = _inputs()
    value, slope = worst(entry.f, x), worst(entry.df, x)
    halves = max(worst(f, _every(kind)) for f in (entry.f, entry.df) for kind in (torch.bfloat16, torch.float16))
    return (
        f"float32 within {number(value, 2)} ULP of double in value and {number(slope, 2)} in slope ({len(x):,} inputs)"
        f", bfloat16 and float16 within {number(halves, 2)} (every input); measured now"
    )


def worst(function: Callable[[Tensor], Tensor], x: Tensor) -> float:
    """The largest error at inputs of a narrow type, in units in the last place of what doubles make of them."""
    with torch.no_grad():
        found, truth = function(x).double(), function(x.double())
    info = torch.finfo(x.dtype)
    known = truth.isfinite() & found.isfinite()
    _, power = torch.frexp(truth[known].abs().clamp(min=info.smallest_normal))
    place = torch.ldexp(torch.full_like(truth[known], info.eps), power - 1)
    return float(((found - truth)[known].abs() / place).max()) if bool(known.any()) else 0.0


def _inputs() -> Tensor:
    """Single-precision numbers of all sizes, and many ordinary ones; each finite."""
    bits = torch.arange(-(2**31), 2**31, 65_539, dtype=torch.int64).to(torch.int32)
    every = bits.view(torch.float32)
    return torch.cat([every[every.isfinite()], torch.linspace(-25, 25, 50_001)])


def _every(dtype: torch.dtype) -> Tensor:
    """All finite numbers of a type of 16 bits."""
    numbers = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(dtype)
    return numbers[numbers.isfinite()]
