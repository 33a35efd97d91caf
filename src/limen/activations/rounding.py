"""Values computed in double precision and rounded once.

A formula that is good to a few units in the last place of a double is, rounded once, the nearest number of every
narrower type but where the true value lies within a hair of the middle between two of them. torch itself rounds twice
on the way from double to half precision, so the first rounding is made *to odd* here: it then never lands on a middle.

Source: Boldo & Melquiond 2008, "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to
odd", IEEE Transactions on Computers 57.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from types import MethodType
from typing import Any, ParamSpec, cast

import torch
from torch import Tensor

from limen.activations.twofold import Number, collapse, near, single
from limen.errors import WrongType

__all__ = ["InDoubles", "above_a_half", "below_a_square", "exact", "fine", "in_doubles", "leaning", "rounded"]

Arguments = ParamSpec("Arguments")

HALVES = (torch.float16, torch.bfloat16)


def exact(compute: Callable[Arguments, Number]) -> Callable[Arguments, Tensor]:
    """A method of an entry that is given doubles, and whose result is rounded once to the type it was asked in."""
    return leaning(None)(compute)


def fine(compute: Callable[Arguments, Number]) -> Callable[Arguments, Tensor]:
    """As ``exact``, but where doubles are asked for the method is given twofold numbers: its digits would cancel."""
    return leaning(None, twofold=True)(compute)


def leaning(
    lean: Callable[[Tensor], Tensor] | None, *, twofold: bool = False
) -> Callable[[Callable[Arguments, Number]], Callable[Arguments, Tensor]]:
    """As ``exact``, for a function that comes closer to the middle between two half-precision numbers than a double is.

    ``x / (1 + exp(-x))`` of a tiny ``x`` is ``x / 2`` and less than a double's last place more: exactly a middle for
    half of the smallest numbers of bfloat16, and above it in truth.

    Args:
        lean: where the true value is closer to such a middle than the computed one can show, 1 if its magnitude is
            larger than computed and -1 if it is smaller; 0 elsewhere. Used for half precision only.
        twofold: whether doubles are given as twofold numbers, as ``fine`` says.
    """

    def decorate(compute: Callable[Arguments, Number]) -> Callable[Arguments, Tensor]:
        formula = cast(Callable[[Any, Number], Number], compute)

        @wraps(compute)
        def method(self: Any, x: Tensor) -> Tensor:
            if x.dtype == torch.float64:
                return collapse(formula(self, single(x) if twofold else x))
            if x.device.type == "mps":  # which has no double precision
                return near(formula(self, x))
            z = x.double()
            y = near(formula(self, z))
            if lean is not None and x.dtype in HALVES:
                y = y * (1 + 2.0**-52 * lean(z.detach()))
            return rounded(y, x.dtype)

        return cast(Callable[Arguments, Tensor], method)

    return decorate


def in_doubles(compute: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """A function of several tensors of one type, given doubles, and its result rounded once to that type."""
    if inputs[0].dtype == torch.float64 or inputs[0].device.type == "mps":
        return compute(*inputs)
    return rounded(compute(*(x.double() for x in inputs)), inputs[0].dtype)


@dataclass(frozen=True)
class InDoubles:
    """A method of an entry on doubles, in plain double precision even where that loses digits: several times quicker.

    For quadrature and searches, which are not that precise themselves. Other types, and the methods of whatever is no
    entry, are as ever.

    Raises:
        WrongType: no method, but for instance the entry itself (also a ``TypeError``).

    >>> from limen.activations import GELU
    >>> round(float(InDoubles(GELU().f)(torch.tensor(1.0, dtype=torch.float64))), 6)
    0.841345
    """

    method: Callable[[Tensor], Tensor]

    def __post_init__(self) -> None:
        if not callable(self.method):
            raise WrongType(
                f"InDoubles({self.method!r}): expected a method of an entry, such as f or df of get('gelu')."
            )

    def __call__(self, x: Tensor) -> Tensor:
        """What the method returns for ``x``, to a few units in the last place of its terms."""
        formula = inspect.unwrap(self.method)
        if formula is self.method or x.dtype != torch.float64:
            return self.method(x)
        return near(formula(cast(MethodType, self.method).__self__, x))


def above_a_half(x: Tensor) -> Tensor:
    """The lean of ``x`` times a gate that is 1/2 at 0 and rises, near 0: ``x / 2`` may be a middle."""
    return torch.sign(x) * (x.abs() < 2.0**-40)


def below_a_square(x: Tensor) -> Tensor:
    """The lean of ``x tanh(x)`` and ``tanh(x)²`` near 0: ``x²`` may be a middle, and they are less."""
    return -(x.abs() < 2.0**-20).to(x.dtype)


def rounded(y: Tensor, dtype: torch.dtype) -> Tensor:
    """Doubles rounded once, to the nearest number of another type, ties to even; autograd passes through."""
    if dtype not in HALVES:
        return y.to(dtype)
    with torch.no_grad():
        change = _to_odd(y).double() - y
        change = torch.where(
            (change.abs() > 0) & change.isfinite(), change, -0.0
        )  # which keeps the sign of zero; also for NaN
    return (y + change).to(dtype)


def _to_odd(y: Tensor) -> Tensor:
    """Of the two single-precision numbers around each double, the one whose last bit is 1; itself where it is one."""
    near = y.float()
    bits = near.view(torch.int32)
    back = near.double()
    wrong = (back != y) & (bits & 1 == 0) & near.isfinite()
    outwards = (back.abs() < y.abs()).int() * 2 - 1
    return torch.where(wrong, bits + outwards, bits).view(torch.float32)
