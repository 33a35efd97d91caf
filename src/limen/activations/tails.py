"""Where a function is flat: the half-lines on which its slope stays below 1 % of the steepest."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from limen.activations.interface import Activation
from limen.activations.places import Curve, Floats, grid, steepest_slope
from limen.activations.rounding import InDoubles

__all__ = ["FLAT", "Tails", "tails"]

FLAT = 0.01
"""Share of the steepest slope below which a function counts as flat (the definition of *flat*)."""

LATEST = 1e4
"""A tail must begin before this, so that it is seen to last for two decades."""


@dataclass(frozen=True)
class Tails:
    """The flat sides of an activation.

    Attributes:
        left: every ``z <= left`` is flat, and no larger ``left`` would do; None where the left side is not flat.
        right: every ``z >= right`` is flat, and no smaller one would do; None where the right side is not flat.
        dead_left: the output is about zero on the flat left side: a unit there is dead, not saturated.
        dead_right: the same on the right.
    """

    left: float | None
    right: float | None
    dead_left: bool
    dead_right: bool


def tails(act: Activation) -> Tails:
    """The flat sides of any activation, found from its slope alone.

    *Flat* is ``|f'(z)| < 0.01 sup |f'|``. Where the slope grows without bound, its supremum over ``|z| <= 1`` stands
    in. *About zero* is an output below 1 % of what the steepest slope would make of the same ``z``. Flat intervals
    between two steep ones (the minimum of GELU, for instance) are not tails.

    Args:
        act: a catalogue entry or a user's own. If it can be hashed the answer is kept, so it must not change.

    Accuracy: exact where the slope jumps at one of ``act.kinks``, otherwise 1e-12 relative to ``max(1, |z|)``. Steep
    places narrower than 1/128 and farther than that from 0 and from every kink may be overlooked.

    >>> from limen.activations import ReLU
    >>> tails(ReLU())
    Tails(left=0.0, right=None, dead_left=True, dead_right=False)
    """
    try:
        return _remembered(act)
    except TypeError:  # not hashable
        return _find(act)


@lru_cache(maxsize=1024)
def _remembered(act: Activation) -> Tails:
    return _find(act)


def _find(act: Activation) -> Tails:
    """Both sides; the right one is the left one of the mirrored function."""
    value, slope = _curve(InDoubles(act.f)), _curve(InDoubles(act.df))
    kinks = tuple(-kink for kink in reversed(act.kinks))
    steepest = steepest_slope(slope, grid(act.kinks))
    left = _left_edge(slope, grid(act.kinks), act.kinks, steepest)
    right = _left_edge(lambda z: slope(-z), grid(kinks), kinks, steepest)
    return Tails(
        left=left,
        right=None if right is None else 0.0 - right,  # not -right: no negative zero
        dead_left=left is not None and _about_zero(value, left, steepest),
        dead_right=right is not None and _about_zero(lambda z: value(-z), right, steepest),
    )


def _curve(function: Callable[[torch.Tensor], torch.Tensor]) -> Curve:
    """``|function|`` from arrays to arrays, in double precision on the CPU, unrecorded by autograd."""

    def magnitude(z: Floats) -> Floats:
        with torch.no_grad():
            return np.abs(function(torch.from_numpy(z)).numpy())

    return magnitude


def _left_edge(slope: Curve, grid: Floats, kinks: tuple[float, ...], steepest: float) -> float | None:
    """The last point of the flat left side: bracketed on the grid, then the bracket is divided until it is tiny."""
    steep = ~(slope(grid) < FLAT * steepest)  # NaN counts as steep
    first = int(steep.argmax())
    if first == 0 or grid[first - 1] < -LATEST:
        return None
    low, high = float(grid[first - 1]), float(grid[first])
    while low not in kinks and high - low > 1e-13 * max(1.0, abs(low)):
        grid = np.linspace(low, high, 65)
        steep = ~(slope(grid) < FLAT * steepest)
        steep[-1] = True
        first = int(steep.argmax())
        low, high = float(grid[first - 1]), float(grid[first])
    return low


def _about_zero(value: Curve, edge: float, steepest: float) -> bool:
    """Whether the output on the side left of ``edge`` is small beside ``steepest * |z|``."""
    z = edge - np.array([1.0, 10.0, 100.0])
    return bool((value(z) <= FLAT * steepest * np.maximum(1.0, np.abs(z))).all())
