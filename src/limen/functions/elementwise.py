"""The sheet of a function of each number by itself, in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from limen.activations import Description, Sheet, clashes
from limen.errors import LimenError
from limen.functions.lookup import bare
from limen.functions.subject import Curve, Subject
from limen.functions.words import Fact, interval, listed, number
from limen.theory import Curve as Known
from limen.theory import Moments, moments

__all__ = ["SAVED", "elementwise", "gaussian"]

SAVED = {
    "nothing": "nothing",
    "mask": "one bit an element: on which side of the kink it was",
    "signs": "two bits an element: its sign",
    "choice": "one byte an element: which input it was",
}

DEAD, SATURATED = "about 0: a unit can be dead", "not 0: a unit can be saturated"


def elementwise(subject: Subject, sheet: Sheet) -> Iterator[Fact]:
    """All that is known, in the order in which it is asked for."""
    yield "values", interval(sheet.range)
    yield "limits", f"{_limit(sheet.limits[0])} on the left, {_limit(sheet.limits[1])} on the right"
    yield "shape", ", ".join(_shape(sheet))
    yield "slope", _slope(sheet)
    yield "zero slope", _roots(sheet)
    yield "kinks", _kinks(subject, sheet)
    if sheet.bends:
        yield "bends", f"the curvature jumps at {listed(sheet.bends)}"
    yield "flat sides", _flat(subject)
    yield from _described(subject)
    if subject.description is None:
        yield "backward keeps", SAVED.get(sheet.saved, "its input: 4 bytes an element in float32")
    found = gaussian(subject)
    if found is not None:
        means = (("mean", found.mean), ("mean square", found.square), ("mean squared slope", found.slope_square))
        yield "normal inputs", ", ".join(f"{name} {number(round(value, 12))}" for name, value in means)
        if found.square > 0:
            yield "gain", f"{number(1 / math.sqrt(found.square))}, which keeps their variance of 1 from layer to layer"
    if others := _elsewhere(subject):
        yield "elsewhere", others
    if sheet.year:
        yield "year", str(sheet.year)


def _limit(value: float | None) -> str:
    return "none" if value is None else number(value)


def _shape(sheet: Sheet) -> Iterator[str]:
    yield "never falls" if sheet.monotone else "falls somewhere"
    if sheet.parity:
        yield sheet.parity
    if sheet.convex and sheet.concave:
        yield "straight"
    elif sheet.convex or sheet.concave:
        yield "convex" if sheet.convex else "concave"
    if sheet.homogeneous is not None:
        yield f"homogeneous of degree {sheet.homogeneous}"
    if sheet.period is not None:
        yield f"its slope repeats itself every {number(sheet.period)}"
    yield (
        "jumps" if sheet.jumps else "continuous" if sheet.kinks else "smooth" if not sheet.bends else "slope continuous"
    )


def _slope(sheet: Sheet) -> str:
    if math.isfinite(sheet.lipschitz):
        return f"at most {number(sheet.lipschitz)} in size (the Lipschitz constant)"
    return "no Lipschitz constant: the value jumps" if sheet.jumps else "no Lipschitz constant: it grows without bound"


def _roots(sheet: Sheet) -> str:
    if not sheet.roots:
        return "nowhere but on flat stretches and at kinks"
    often = f", and every {number(sheet.period)} from there" if sheet.period is not None else ""
    return f"at {listed(sheet.roots)}{often}"


def _kinks(subject: Subject, sheet: Sheet) -> str:
    curves = subject.curves
    if not sheet.kinks or curves is None:
        return "none"
    if len(sheet.kinks) > 4:
        return f"at {listed(sheet.kinks)}"
    exactly = subject.entry is not None
    return "; ".join(_kink(curves[1], place, jumps=place in sheet.jumps, exactly=exactly) for place in sheet.kinks)


def _kink(slope: Curve, place: float, *, jumps: bool, exactly: bool) -> str:
    """The slopes around a kink, whose place is known exactly or to 1e-6."""
    apart = 1e-6 * max(1.0, abs(place))
    far_left, left, here, right, far_right = map(float, slope(place + apart * np.array([-2.0, -1.0, 0.0, 1.0, 2.0])))
    if exactly:  # what the slope tends to, up to the square of the distance
        left, right = 2 * left - far_left, 2 * right - far_right
    told = f"at {number(place)}: slope {number(left)} on the left, {number(right)} on the right, {number(here)} there"
    return f"{told}; the value jumps" if jumps else told


def _flat(subject: Subject) -> str:
    found = subject.tails
    if found is None:
        flat = subject.description.flat if subject.description is not None else ()
        words = [f"left of {number(b)}" if a == -math.inf else f"right of {number(a)}" if b == math.inf
                 else f"{number(a)} to {number(b)}" for a, b in flat]  # fmt: skip
        return listed(words) if words else "none"
    sides = (("left", found.left, found.dead_left), ("right", found.right, found.dead_right))
    told = [
        f"{side} of {number(edge)}, where the output is {DEAD if dead else SATURATED}"
        for side, edge, dead in sides
        if edge is not None
    ]
    return "; ".join(told) or "none"


def _described(subject: Subject) -> Iterator[Fact]:
    """What only a described function has: how much of it is certain."""
    found = subject.description
    if found is None:
        return
    yield "not finite", listed([_stretch(part) for part in found.not_finite]) if found.not_finite else "nowhere"
    if found.wrong_slopes:
        yield (
            "autograd",
            f"gives another slope than the function has: {listed([_stretch(p) for p in found.wrong_slopes])}",
        )
    elif found.slope_by == "differences":
        yield "autograd", "has no slope"
    else:
        yield "autograd", "gives the slope of the function"
    low, high = found.searched
    yield "estimated", f"from {found.slope_by} and values between {number(low)} and {number(high)}; nothing is proved"


def _stretch(ends: tuple[float, float]) -> str:
    low, high = ends
    if low == high:
        return f"at {number(low)}"
    return (
        f"left of {number(high)}"
        if low == -math.inf
        else f"right of {number(low)}"
        if high == math.inf
        else interval(ends)
    )


def _elsewhere(subject: Subject) -> str:
    """What other libraries mean by the name of an entry, where that is something else."""
    meant: dict[str, list[str]] = {}
    for name, meanings in clashes().items() if subject.entry is not None else ():
        for library, (entry, defaults) in meanings.items() if bare(name) == bare(subject.name) else ():
            own = [f"{parameter} = {number(value)}" for parameter, value in defaults.items()]
            if entry != subject.name or own:
                meant.setdefault(" with ".join([entry, *own[:1]]), []).append(library)
    return "; ".join(f"in {' and '.join(libraries)} this name means {what}" for what, libraries in meant.items())


def gaussian(subject: Subject) -> Moments | None:
    """Its moments under ``N(0, 1)``; None where it has none, or they cannot be found."""
    known, found = subject.entry, subject.description
    try:
        if known is not None:
            return moments(known)
        if found is not None:
            return moments(_curve(found))
    except LimenError:  # not finite where a normal number comes
        return None
    return None


def _curve(found: Description) -> Known:
    """The described function as the theory takes it."""

    def on_tensors(curve: Curve) -> Callable[[Tensor], Tensor]:
        return lambda x: torch.from_numpy(curve(x.numpy(force=True)))

    sheet = found.sheet
    breaks = tuple(sorted({*sheet.kinks, *sheet.bends}))
    return Known(on_tensors(found.f), on_tensors(found.df), breaks, found.name, jumps=sheet.jumps)
