"""Where a slope is zero, where it is nearly so, and after what distance it repeats itself."""

from collections.abc import Callable

import numpy as np

from limen.activations.numeric.breaks import stretches, tidy
from limen.activations.places import Bools, Curve, Floats, closing_in, even
from limen.activations.tails import FLAT

__all__ = ["flat_stretches", "period", "roots"]

Intervals = tuple[tuple[float, float], ...]

NOISE = 1e-9
"""Share of the steepest slope below which the sign of a slope says nothing."""

FEWEST = 6
"""Roots from which a period may be told."""


def roots(slope: Curve, curvature: Curve, kinks: tuple[float, ...], steepest: float) -> tuple[float, ...]:
    """Places up to 64 where the slope is 0; flat stretches and kinks are left out. Ascending.

    Where the slope changes its sign, the sign is followed; where it only touches 0, that of the curvature.
    """
    places = even()
    seen = slope(places)
    edges = np.searchsorted(places, [x + side * 1e-7 for x in kinks for side in (-1, 1)])
    found = [np.zeros(0)]
    for first, last in zip([0, *edges[1::2]], [*edges[::2], len(places)], strict=True):
        piece, there = places[first:last], seen[first:last]
        if len(piece) > 2:
            found += [_crossings(slope, piece, there, steepest), _touches(slope, curvature, piece, there, steepest)]
    every = np.concatenate(found)
    beside = np.abs(slope(every - 1e-6)) + np.abs(slope(every + 1e-6))
    return tuple(tidy(every[beside > 1e-14 * steepest]))


def _crossings(slope: Curve, piece: Floats, seen: Floats, steepest: float) -> Floats:
    sure = np.isfinite(seen) & (np.abs(seen) > NOISE * steepest)
    places, positive = piece[sure], seen[sure] > 0
    changes = np.flatnonzero(positive[1:] != positive[:-1])
    found = closing_in(places[changes], places[changes + 1], _left_of_zero(slope, positive[changes]))
    steep = np.maximum(np.abs(slope(places[changes])), np.abs(slope(places[changes + 1])))
    return found[np.abs(slope(found)) <= 1e-3 * steep]  # not at a pole


def _touches(slope: Curve, curvature: Curve, piece: Floats, seen: Floats, steepest: float) -> Floats:
    size = np.abs(seen)
    before, here, after = size[:-2], size[1:-1], size[2:]
    lowest = (here <= before) & (here <= after) & (here < 0.05 * steepest)
    at = 1 + np.flatnonzero(lowest & (np.minimum(before, after) > NOISE * steepest))
    low, high = piece[at - 1], piece[at + 1]
    rising, falling = curvature(low) > 0, curvature(high) > 0
    turned = rising != falling
    found = closing_in(low[turned], high[turned], _left_of_zero(curvature, rising[turned]))
    return found[np.abs(slope(found)) <= 1e-10 * steepest]


def _left_of_zero(curve: Curve, positive_left: Bools) -> Callable[[Floats], Bools]:
    """Whether a zero lies left of each place, from the sign that the curve has on the left of each bracket."""

    def goes_left(x: Floats) -> Bools:
        seen = curve(x)
        return np.where(positive_left, seen <= 0, seen >= 0)

    return goes_left


def period(slope: Curve, turning: tuple[float, ...], steepest: float) -> float | None:
    """The shortest distance after which the slope repeats itself, told from the roots; None where it does not."""
    places = np.array(turning)
    x = np.linspace(-30.0, 30.0, 1009)
    for many in (1, 2, 3, 4):
        if len(places) < max(FEWEST, many + 2):
            return None
        apart = places[many:] - places[:-many]
        if float(np.ptp(apart)) > 1e-6:
            continue
        length = float(apart.mean())
        off = np.abs(slope(x + length) - slope(x)) > 1e-6 * steepest
        if float(off.mean()) < 0.01:  # at single places autograd may have another slope
            return length
    return None


def flat_stretches(slope: Curve, places: Floats, steepest: float) -> Intervals:
    """Where the slope is below 1 % of the steepest one; an end that is the last place looked at is infinite."""
    size = np.abs(slope(places))
    limit = FLAT * steepest
    inside = size < limit
    runs = stretches(inside)
    if not runs:
        return ()
    begin = np.array([a for a, _ in runs])
    end = np.array([b for _, b in runs])
    before, after = np.maximum(begin - 1, 0), np.minimum(end + 1, len(places) - 1)
    low = closing_in(places[before], places[begin], lambda x: np.abs(slope(x)) < limit)
    high = closing_in(places[end], places[after], lambda x: ~(np.abs(slope(x)) < limit))
    low, high = np.where(begin == 0, -np.inf, low), np.where(end == len(places) - 1, np.inf, high)
    lengthy = high - low > 1e-6
    starts, ends = (_short(edges[lengthy]) for edges in (low, high))
    return tuple(zip(starts, ends, strict=True))


def _short(edges: Floats) -> list[float]:
    """As short decimals where these are as good."""
    return [round(x, 9) + 0.0 if abs(round(x, 9) - x) < 1e-12 * max(1, abs(x)) else x for x in edges.tolist()]
