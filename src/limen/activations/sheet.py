"""What is true of an activation function as a whole."""

import math
from dataclasses import dataclass
from typing import Literal

import torch

__all__ = ["Saved", "Sheet"]

Saved = Literal["nothing", "mask", "signs", "input"]
"""What the backward pass needs of each element: nothing, one bit, one of three signs, or the input itself.

Those that need the input cannot take the output instead without loss: it has levelled off where the slope has not."""

INFINITE = (-math.inf, math.inf)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The properties of one function, with its parameters put in; each is checked by a test.

    Attributes:
        range: infimum and supremum of the values.
        limits: of the value at minus and plus infinity; None where it has none.
        monotone: True when the function never falls.
        lipschitz: the largest ``|f'|``, or its supremum; infinite where the slope grows without bound or ``f`` jumps.
        saved: what a backward pass must keep.
        year: of ``source``; None where the function is older than its use here.
        kinks: points, ascending, where the slope is not continuous.
        jumps: those of the kinks where the value itself jumps.
        bends: points, ascending, where the slope is continuous and the curvature is not.
        roots: points, ascending, where the slope is 0, flat stretches and kinks left out. Where it has a ``period``,
            those of one period.
        period: of the slope; None where it has none. A slope with a period has no limit at infinity.
        parity: of ``f``.
        convex: True when no chord is below the function.
        concave: True when no chord is above it.
        homogeneous: the ``k`` for which ``f(c x) = c^k f(x)`` for every ``c > 0``; None where there is none.

    >>> Sheet(range=(0, math.inf), limits=(0, math.inf), monotone=True, lipschitz=1, saved="mask").bounded
    (True, False)
    """

    range: tuple[float, float] = INFINITE
    limits: tuple[float | None, float | None] = INFINITE
    monotone: bool
    lipschitz: float
    saved: Saved = "input"
    year: int | None = None
    kinks: tuple[float, ...] = ()
    jumps: tuple[float, ...] = ()
    bends: tuple[float, ...] = ()
    roots: tuple[float, ...] = ()
    period: float | None = None
    parity: Literal["odd", "even"] | None = None
    convex: bool = False
    concave: bool = False
    homogeneous: int | None = None

    @property
    def bounded(self) -> tuple[bool, bool]:
        """Whether the function levels off on the left, on the right: where a unit can be dead or saturated."""
        left, right = (limit is not None and math.isfinite(limit) for limit in self.limits)
        return left, right

    def saved_bytes(self, dtype: torch.dtype = torch.float32) -> float:
        """Bytes for each element of that type that a backward pass must keep.

        >>> Sheet(monotone=True, lipschitz=1, saved="mask").saved_bytes()
        0.125
        """
        return {"nothing": 0.0, "mask": 1 / 8, "signs": 1 / 4, "input": float(dtype.itemsize)}[self.saved]
