"""``describe``: the property sheet of any function of one number, from its values and slopes alone."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from torch import nn

from limen.activations.interface import Activation
from limen.activations.numeric.breaks import jumps, stretches, tidy
from limen.activations.numeric.shape import homogeneous, limits, never_falls, one_sided, parity, saved
from limen.activations.numeric.subject import Elementwise, Subject, disagreement, subject
from limen.activations.numeric.turns import flat_stretches, period, roots
from limen.activations.places import (
    FARTHEST,
    NEAR,
    Bools,
    Curve,
    Floats,
    closing_in,
    even,
    grid,
    lipschitz,
    steepest_slope,
)
from limen.activations.sheet import Sheet

__all__ = ["Description", "describe"]

Intervals = tuple[tuple[float, float], ...]

FEW = 16
"""Kinks beyond 64 that a function may have; one with more has them everywhere, as a wave or a staircase."""

FEW_FLAT = 4
"""Flat stretches beyond 64 that a function may have; one with more has them at the turns of a wave."""


@dataclass(frozen=True)
class Description:
    """What was found out about a function; all of it estimated.

    Attributes:
        name: of the function.
        sheet: its properties, as far as values at some 20,000 places tell.
        searched: the interval in which these places lie. Kinks and roots are looked for at distances of 1/128 up to
            64; beyond, kinks ever more seldom and roots not at all. What is narrower may be overlooked.
        flat: where the slope is below 1 % of the steepest one.
        not_finite: where value or slope is NaN or infinite.
        wrong_slopes: where the slope that autograd gives is not that of the function, up to 64; kinks are left out.
        slope_by: what the sheet was made from: autograd, or differences where autograd has no slope or a wrong one.
        f: the value, from arrays to arrays of double precision.
        df: the slope, likewise.
        d2f: the curvature, likewise.
    """

    name: str
    sheet: Sheet
    searched: tuple[float, float]
    flat: Intervals
    not_finite: Intervals
    wrong_slopes: Intervals
    slope_by: str
    f: Curve = field(repr=False)
    df: Curve = field(repr=False)
    d2f: Curve = field(repr=False)


def describe(function: Activation | nn.Module | Elementwise) -> Description:
    """The properties of a function of one number that nothing is known of, found numerically.

    Slopes are autograd's, held against differences; limits are read far out, at up to 1e15. A second's work.

    Args:
        function: from a tensor of any shape to one of the same shape, each number by itself, in double precision; a
            module is copied first, and used in the mode that it is in; an entry of the catalogue is asked for its
            values only.

    Raises:
        InvalidValue: it cannot be called, raises, is random, or mixes the numbers of its input (also a ``ValueError``).

    Accuracy: kinks and roots to 1e-6 of ``max(1, |x|)``, kinks that change the slope by less than 1e-6 of the steepest
    one passed over; the catalogue's own sheets are found again by ``tests/activations/numeric/test_describe.py``.

    >>> import torch
    >>> found = describe(lambda x: torch.clamp(x, -1, 2))
    >>> found.sheet.kinks, found.sheet.range, found.flat
    ((-1.0, 2.0), (-1.0, 2.0), ((-inf, -1.0), (2.0, inf)))
    """
    asked = subject(function)
    with np.errstate(all="ignore"):
        return _described(asked)


def _described(asked: Subject) -> Description:
    places = grid()
    finite = np.isfinite(asked.f(places)) & np.isfinite(asked.df(places))
    known = places[finite]
    breaks = _breaks(asked, known)
    steepest = steepest_slope(breaks.size, known, NEAR) if len(known) else 0.0
    turning = roots(asked.df, asked.d2f, breaks.kinks, steepest)
    wave = period(asked.df, turning, steepest)
    looked = known[np.abs(known) <= NEAR] if wave else known
    flat = _few_stretches(flat_stretches(asked.df, np.unique([*looked, *turning]), steepest))
    if wave is not None:
        turning = tuple(root for root in turning if -wave / 2 < root <= wave / 2)
        flat = tuple((low, high) for low, high in flat if -wave / 2 < (low + high) / 2 <= wave / 2)
    return Description(
        name=asked.name,
        sheet=_sheet(asked, breaks, turning, wave),
        searched=(-FARTHEST, FARTHEST),
        flat=flat,
        not_finite=_not_finite(asked, places, ~finite),
        wrong_slopes=_wrong(asked, breaks.kinks),
        slope_by="autograd" if asked.autograd is asked.df else "differences",
        f=asked.f,
        df=asked.df,
        d2f=asked.d2f,
    )


@dataclass(frozen=True)
class Breaks:
    """Where value, slope and curvature jump; ``size`` is the magnitude of the slope but for places of a jump."""

    kinks: tuple[float, ...]
    jumps: tuple[float, ...]
    bends: tuple[float, ...]
    size: Curve


def _breaks(asked: Subject, places: Floats) -> Breaks:
    near = asked.f(places[np.abs(places) <= 1])
    usual = float(np.ptp(near)) if len(near) and np.ptp(near) > 0 else 1.0
    torn = _few(jumps(asked.f, places, 1e-6 * usual, asked.apart))

    def size(x: Floats) -> Floats:
        slope = np.abs(asked.df(x))
        return np.where(_beside(x, torn, asked.apart), 0.0, slope)

    steepest = steepest_slope(size, places, NEAR) if len(places) else 0.0
    exact = asked.autograd is asked.df
    kinks = _few(tidy(np.array([*torn, *jumps(asked.df, places, (1e-6 if exact else 1e-3) * steepest, asked.apart)])))
    if not exact:  # differences of differences do not show where they jump
        return Breaks(kinks, torn, (), size)
    curved = np.abs(asked.d2f(places[np.abs(places) <= NEAR]))
    largest_curvature = float(curved[np.isfinite(curved)].max(initial=0.0))
    bends = _few(jumps(asked.d2f, places, 1e-6 * max(steepest, largest_curvature), asked.apart))
    return Breaks(kinks, torn, tuple(x for x in bends if not _beside(np.array([x]), kinks, _wide).any()), size)


def _few(found: Iterable[float]) -> tuple[float, ...]:
    """All of them, but only those up to 64 where there are many farther out: there most are passed over anyway."""
    every = tuple(found)
    near = tuple(place for place in every if abs(place) <= NEAR)
    return every if len(every) - len(near) <= FEW else near


def _few_stretches(found: Intervals) -> Intervals:
    """All of them, but where many lie beyond 64 only those that do not: a wave is looked at too seldom there."""
    near = tuple((a, b) for a, b in found if math.isinf(a) or math.isinf(b) or (a <= NEAR and b >= -NEAR))
    return found if len(found) - len(near) <= FEW_FLAT else near


def _wide(x: Floats) -> Floats:
    return 1e-6 * np.maximum(1.0, np.abs(x))


def _beside(x: Floats, places: tuple[float, ...], apart: Curve) -> Bools:
    """Which of ``x`` are nearer to one of the places than can be told apart."""
    near = np.zeros(x.shape, dtype=bool)
    for place in places:
        near |= np.abs(x - place) <= apart(x)
    return near


def _sheet(asked: Subject, breaks: Breaks, turning: tuple[float, ...], wave: float | None) -> Sheet:
    """The sheet, from where value and slope break and turn, and from what they are everywhere else."""
    places = grid(breaks.kinks)
    value, slope = asked.f(places), asked.df(places)
    finite = np.isfinite(value) & np.isfinite(slope) & ~_beside(places, breaks.jumps, asked.apart)
    ends = limits(asked.f, value[np.isfinite(value) & (np.abs(places) <= NEAR)])
    smooth = not breaks.jumps
    bounded = smooth and len(places) > 0 and not bool(np.isinf(value).any() or np.isinf(slope).any())
    every = [*_ends(places, value), *asked.f(np.array(turning)), *(end for end in ends if end is not None)]
    value, slope, places = value[finite], slope[finite], places[finite]
    return Sheet(
        range=(float(min(every)), float(max(every))),
        limits=ends,
        monotone=never_falls(value, slope),
        lipschitz=lipschitz(breaks.size, places, NEAR) if bounded else math.inf,
        saved=saved(slope),
        kinks=breaks.kinks,
        jumps=breaks.jumps,
        bends=breaks.bends,
        roots=turning,
        period=wave,
        parity=parity(asked.f),
        convex=smooth and one_sided(slope),
        concave=smooth and one_sided(-slope),
        homogeneous=homogeneous(asked.f),
    )


def _ends(places: Floats, value: Floats) -> tuple[float, float]:
    """The smallest and the largest value; infinite where it is far out and much beyond those nearer by."""
    known = ~np.isnan(value)
    if not known.any():
        return math.nan, math.nan
    value, near = value[known], value[known & (np.abs(places) <= FARTHEST / 1000)]
    low, high = float(value.min()), float(value.max())
    least, most = float(near.min(initial=high)), float(near.max(initial=low))
    margin = 2 * (most - least)
    return -math.inf if low < least - margin else low, math.inf if high > most + margin else high


def _intervals(places: Floats, inside: Bools) -> Intervals:
    return tuple((float(places[first]), float(places[last])) for first, last in stretches(inside))


def _not_finite(asked: Subject, places: Floats, inside: Bools) -> Intervals:
    """Where value or slope is not finite, with the ends followed to where they are."""

    def bad(x: Floats) -> Bools:
        return ~(np.isfinite(asked.f(x)) & np.isfinite(asked.df(x)))

    found: list[tuple[float, float]] = []
    for first, last in stretches(inside):
        before, after = places[max(first - 1, 0)], places[min(last + 1, len(places) - 1)]
        low = closing_in(np.array([before]), places[first : first + 1], bad)
        high = closing_in(places[last : last + 1], np.array([after]), lambda x: ~bad(x))
        found.append((_round(float(low[0])), math.inf if last == len(places) - 1 else _round(float(high[0]))))
    return tuple((-math.inf if low == -FARTHEST else low, high) for low, high in found)


def _round(end: float) -> float:
    """0 for what differs from it only because the halving of an interval ends somewhere."""
    return 0.0 if abs(end) < 1e-30 else end


def _wrong(asked: Subject, kinks: tuple[float, ...]) -> Intervals:
    """Where autograd has another slope than the function."""
    if asked.autograd is None:
        return ()
    places = even() + 1 / 300
    wrong = disagreement(asked.f, asked.autograd, places)
    return _intervals(places, wrong & ~_beside(places, kinks, lambda x: np.full(x.shape, 1e-4)))
