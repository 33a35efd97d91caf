"""The curves of functions as panels: value, slope and curvature, broken where they jump."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from limen.activations import Sheet
from limen.errors import InvalidValue
from limen.functions.subject import Curve, Subject
from limen.report.plot.panel import Line, Panel

__all__ = ["ORDERS", "panels", "window"]

ORDERS = ("f", "f′", "f″")
"""What the panels show."""

POINTS = 801
"""Points of a curve from side to side: more than a screen can show."""

Window = tuple[float, float]


def panels(subjects: Sequence[Subject], x: Window | None = None) -> list[Panel]:
    """Value, slope and curvature of one or several functions.

    Args:
        subjects: functions of each number by itself; others have no curve.
        x: from where to where; None for where something happens.

    Raises:
        InvalidValue: none of them has a curve, or the window is empty (also a ``ValueError``).
    """
    drawn = [subject for subject in subjects if subject.curves is not None]
    if not drawn:
        told = ", ".join(subject.name for subject in subjects)
        raise InvalidValue(f"{told}: no function of one number, so there is no curve to draw.")
    around = x or window(drawn)
    if not (math.isfinite(around[0]) and math.isfinite(around[1]) and around[0] < around[1]):
        raise InvalidValue(f"x = {around[0]:g}:{around[1]:g}: expected two finite numbers, the smaller one first.")
    return [
        Panel(title, tuple(_line(subject, order, around) for subject in drawn), around)
        for order, title in enumerate(ORDERS)
    ]


def window(subjects: Sequence[Subject]) -> Window:
    """From where to where the functions are worth seeing: around kinks, roots and flat sides; -4 to 4 at least."""
    sheets = [subject.sheet for subject in subjects if isinstance(subject.sheet, Sheet)]
    waves = [sheet.period for sheet in sheets if sheet.period]
    if len(waves) == len(sheets) and waves:
        reach = 1.5 * max(waves)
        return -reach, reach
    places = [place for sheet in sheets for place in (*sheet.kinks, *sheet.bends, *sheet.roots) if abs(place) < 100]
    places += [edge for subject in subjects for edge in _edges(subject) if abs(edge) < 8]
    low, high = min([0.0, *places]), max([0.0, *places])
    room = max(1.0, 0.25 * (high - low))
    low, high = min(-4.0, math.floor(low - room)), max(4.0, math.ceil(high + room))
    reach = max(-low, high)
    return (-reach, reach) if reach <= 2 + min(-low, high) else (low, high)


def _edges(subject: Subject) -> list[float]:
    found = subject.tails
    return [edge for edge in (found.left, found.right) if edge is not None] if found else []


def _line(subject: Subject, order: int, around: Window) -> Line:
    curves, sheet = subject.curves, subject.sheet
    assert curves is not None
    assert isinstance(sheet, Sheet)
    breaks = (sheet.jumps, sheet.kinks, (*sheet.kinks, *sheet.bends))[order]
    inside = sorted(place for place in breaks if around[0] < place < around[1])
    curve = curves[order]
    with np.errstate(all="ignore"):
        segments = tuple(_segment(curve, low, high, around) for low, high in pairwise([around[0], *inside, around[1]]))
        dots = tuple((place, float(curve(np.array([place]))[0])) for place in inside) if order < 2 else ()
    return Line(subject.title, tuple(part for part in segments if len(part[0]) > 1), dots)


def _segment(curve: Curve, low: float, high: float, around: Window) -> tuple[np.ndarray, np.ndarray]:
    """Points of an unbroken part; those where the curve is not finite are left out."""
    many = max(9, math.ceil(POINTS * (high - low) / (around[1] - around[0])))
    step = 1e-9 * max(1.0, abs(low), abs(high))
    x = np.linspace(low + step, high - step, many)
    y = curve(x)
    return x[np.isfinite(y)], y[np.isfinite(y)]
