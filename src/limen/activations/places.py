"""Where a function of one number is looked at, and how to close in on what happens between two such places."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = [
    "FARTHEST",
    "NEAR",
    "Bools",
    "Curve",
    "Floats",
    "closing_in",
    "even",
    "grid",
    "largest",
    "lipschitz",
    "steepest_slope",
]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Curve = Callable[[Floats], Floats]

FARTHEST = 1e6
"""Functions are looked at up to here, in activation units."""

NEAR = 64.0
"""Up to here at even places; farther out ever more seldom."""


def even() -> Floats:
    """Ascending places up to ``NEAR``, 1/128 apart, 0 among them."""
    return np.arange(-NEAR, NEAR + 1 / 256, 1 / 128)


def grid(kinks: tuple[float, ...] = ()) -> Floats:
    """Ascending points: even ones near 0, ever wider ones outside, ever denser ones towards 0, kinks and neighbours."""
    wide = np.geomspace(NEAR, FARTHEST, 400)
    dense = np.geomspace(1e-9, 1, 400)
    places = np.array(kinks, dtype=np.float64)
    near = 1e-9 * np.maximum(1, np.abs(places))
    return np.unique(np.concatenate([-wide, -dense, even(), dense, wide, places - near, places, places + near])) + 0.0


def largest(curve: Curve, places: Floats) -> float:
    """The largest value between the ends of the places, by looking ever closer around the best one so far."""
    best = 0.0
    for _ in range(4):
        seen = np.nan_to_num(curve(places), nan=0.0, posinf=np.inf)
        top = int(seen.argmax())
        best = max(best, float(seen[top]))
        places = np.linspace(places[max(top - 1, 0)], places[min(top + 1, len(places) - 1)], 513)
    return best


def lipschitz(slope: Curve, places: Floats, near: float = FARTHEST / 1000) -> float:
    """The largest slope, given its magnitude; infinite where it is more than twice that up to ``near``: it grows on."""
    everywhere, nearby = largest(slope, places), largest(slope, places[np.abs(places) <= near])
    return everywhere if everywhere <= 2 * nearby else np.inf


def steepest_slope(slope: Curve, places: Floats, near: float = FARTHEST / 1000) -> float:
    """The same, but the largest over ``|z| <= 1`` where the slope grows without bound."""
    bound = lipschitz(slope, places, near)
    return bound if np.isfinite(bound) else largest(slope, places[np.abs(places) <= 1])


def closing_in(low: Floats, high: Floats, goes_left: Callable[[Floats], Bools]) -> Floats:
    """Many brackets at once, each halved until it is as narrow as doubles go.

    Args:
        low: ``[brackets]``, where each begins.
        high: ``[brackets]``, where each ends.
        goes_left: for a place in each bracket, ``[brackets]``, whether what is sought lies left of it.

    Returns:
        ``[brackets]``, one place in each.
    """
    for _ in range(120):
        middle = (low + high) / 2
        if bool(((middle <= low) | (middle >= high)).all()):
            break
        left = goes_left(middle)
        low, high = np.where(left, low, middle), np.where(left, middle, high)
    return (low + high) / 2
