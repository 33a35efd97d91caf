"""Products as an unevaluated sum of two doubles, for an argument whose rounding an exponential would multiply.

Source: Dekker 1971, "A floating-point technique for extending the available precision"; Knuth, TAOCP 2, 4.2.2.
"""

from torch import Tensor

__all__ = ["Twofold", "product", "total"]

Twofold = tuple[Tensor, Tensor]
"""A number as the double next to it and what is missing."""

SPLITTER = 134217729.0
"""``2²⁷ + 1``: splits a double into two halves whose products are exact. Overflows from 1e300."""


def halves(x: Tensor | float) -> tuple[Tensor | float, Tensor | float]:
    """The upper and the lower 26 bits."""
    large = SPLITTER * x
    high = large - (large - x)
    return high, x - high


def product(x: Tensor, y: Tensor | float, less: float = 0.0) -> Twofold:
    """``x (y + less)``, with a ``less`` that is beyond the last place of ``y``."""
    (a, b), (c, d) = halves(x), halves(y)
    near = x * y
    return near, ((a * c - near) + a * d + b * c) + b * d + less * x


def total(x: Tensor | float, y: Tensor) -> Twofold:
    """``x + y``."""
    near = x + y
    part = near - x
    return near, (x - (near - part)) + (y - part)
