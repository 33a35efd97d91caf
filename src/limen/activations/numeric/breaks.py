"""Where a curve jumps."""

import numpy as np

from limen.activations.places import Bools, Curve, Floats

__all__ = ["fine", "jumps", "stretches", "tidy"]

BESIDE = 0.4142135623730951
"""Brackets are cut here, not in their middle: a function that is NaN at one place alone is then not asked there."""


def jumps(curve: Curve, places: Floats, least: float, apart: Curve) -> tuple[float, ...]:
    """Where the curve jumps: differences between neighbouring places are followed down to where they arise.

    Args:
        curve: from arrays to arrays.
        places: ascending. Of two jumps between two of them the larger one is found.
        least: jumps up to this, or up to as large a part of a millionth of the curve there, are passed over.
        apart: how far from each other two places must be to be told apart.

    Returns:
        Ascending. A place whose value is another than on both of its sides, which agree, is none.
    """
    seen = curve(places)
    known = np.isfinite(seen)
    places, seen = places[known], seen[known]
    low, high, at_low, at_high = places[:-1], places[1:], seen[:-1], seen[1:]
    for _ in range(200):
        wide = np.abs(at_high - at_low) > _limit(at_low, at_high, least)
        low, high, at_low, at_high = low[wide], high[wide], at_low[wide], at_high[wide]
        if not len(low) or bool((high - low <= 0.1 * apart(low)).all()):
            break
        middle = low + BESIDE * (high - low)
        at_middle = curve(middle)
        left = np.abs(at_middle - at_low) >= np.abs(at_high - at_middle)
        low, at_low = np.where(left, low, middle), np.where(left, at_low, at_middle)
        high, at_high = np.where(left, middle, high), np.where(left, at_middle, at_high)
    found = np.array(tidy((low + high) / 2, apart))
    wide, narrow = (_step(curve, found, share * apart(found), least) for share in (1.0, 0.25))
    return tuple(found[(wide > 0) & (narrow > 0.5 * wide)].tolist())


def _step(curve: Curve, places: Floats, apart: Floats, least: float) -> Floats:
    """How much the curve changes across each place; 0 where that is too little. A ramp changes less across less."""
    before, after = curve(places - apart), curve(places + apart)
    change = np.abs(after - before)
    return np.where(change > _limit(before, after, least), change, 0.0)


def _limit(one: Floats, other: Floats, least: float) -> Floats:
    return np.maximum(least, 1e-6 * np.maximum(np.abs(one), np.abs(other)))


def fine(x: Floats) -> Floats:
    """How far from each other two places must be to be told apart where slopes are exact."""
    return 1e-9 + 8 * np.spacing(np.abs(x))


def tidy(found: Floats, apart: Curve = fine) -> list[float]:
    """Ascending, those that cannot be told apart once, as short decimals where these are as good.

    >>> tidy(np.array([3.0000000000001, 0.5, 2.9999999999999]))
    [0.5, 3.0]
    """
    kept: list[float] = []
    for place in np.sort(found).tolist():
        width = float(apart(np.array(place)))
        if kept and place - kept[-1] <= 4 * width:
            continue
        short = round(place, 6) + 0.0
        kept.append(short if abs(short - place) <= width else place)
    return kept


def stretches(inside: Bools) -> list[tuple[int, int]]:
    """First and last index of each run of places that are inside.

    >>> stretches(np.array([True, True, False, False, True]))
    [(0, 1), (4, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return [(int(first), int(end) - 1) for first, end in zip(edges[::2], edges[1::2], strict=True)]
