"""Self-gated functions ``x g(x)``: ``f' = g + x g'`` and ``f'' = 2 g' + x g''``."""

from collections.abc import Callable

from limen.activations.twofold import Number, Twofold, clamp, near, where

__all__ = ["FAR", "Gate", "gated", "gated_curvature", "gated_slope"]

FAR = 800.0
"""``exp(-FAR)`` is 0 in every floating-point type: where a factor beside it may stop growing, so 0 · inf is not NaN."""

Gate = Callable[[Number], Number]
"""A gate or one of its derivatives; all of them 0 or constant in doubles beyond ±FAR."""


def gated(x: Number, gate: Gate) -> Number:
    """``x g(x)``."""
    inner = clamp(x, -FAR, FAR)
    opening = gate(inner)
    wide = near(x).clamp(min=-FAR)
    if not isinstance(opening, Twofold):
        return wide * opening
    return where((wide > FAR) | (wide == 0), wide * opening.near, inner * opening)  # also the sign of zero


def gated_slope(x: Number, gate: Gate, slope: Gate) -> Number:
    """``g + x g'``."""
    inner = clamp(x, -FAR, FAR)
    return gate(inner) + inner * slope(inner)


def gated_curvature(x: Number, slope: Gate, curvature: Gate) -> Number:
    """``2 g' + x g''``."""
    inner = clamp(x, -FAR, FAR)
    return 2 * slope(inner) + inner * curvature(inner)
