"""The sheet of a function in words: what each property is called, and what it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from limen.activations import CombinationSheet, Description, HeadSheet, Sheet
from limen.errors import LimenError
from limen.functions.accuracy import accuracy
from limen.functions.subject import Curve, Subject
from limen.functions.words import interval, listed, number
from limen.theory import Curve as Known
from limen.theory import Moments, moments

__all__ = ["Fact", "facts", "gaussian"]

Fact = tuple[str, str]
"""What a property is called, and its value in words."""

SAVED = {
    "nothing": "nothing",
    "mask": "one bit an element: on which side of the kink it was",
    "signs": "two bits an element: its sign",
    "choice": "one byte an element: which input it was",
}


DEAD, SATURATED = "about 0: a unit can be dead", "not 0: a unit can be saturated"


def facts(subject: Subject) -> list[Fact]:
    """All that is known, in the order in which it is asked for."""
    match subject.sheet:
        case Sheet():
            return [*_parameters(subject), *_elementwise(subject, subject.sheet)]
        case CombinationSheet():
            return [*_parameters(subject), *_combination(subject.sheet)]
        case HeadSheet():
            return [*_parameters(subject), *_head(subject.sheet)]


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


def _parameters(subject: Subject) -> Iterator[Fact]:
    if subject.parameters:
        yield "parameters", ", ".join(f"{name} = {_value(value)}" for name, value in subject.parameters.items())


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)


def _elementwise(subject: Subject, sheet: Sheet) -> Iterator[Fact]:
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
    if subject.entry is not None:
        yield "rounding", accuracy(subject.entry)
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
    return "; ".join(_kink(curves[1], place, place in sheet.jumps) for place in sheet.kinks)


def _kink(slope: Curve, place: float, jumps: bool) -> str:
    apart = 1e-6 * max(1.0, abs(place))
    left, here, right = (number(float(v)) for v in slope(np.array([place - apart, place, place + apart])))
    told = f"at {number(place)}: slope {left} on the left, {right} on the right, {here} there"
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


def _combination(sheet: CombinationSheet) -> Iterator[Fact]:
    yield "inputs", "several tensors of one shape"
    yield "values", interval(sheet.range)
    shape = ["smooth" if sheet.smooth else "its slope jumps"]
    shape += [f"homogeneous of degree {sheet.homogeneous}"] if sheet.homogeneous is not None else []
    shape += ["the order of its inputs does not matter"] if sheet.symmetric else []
    yield "shape", ", ".join(shape)
    steep = math.isfinite(sheet.lipschitz)
    yield (
        "slope",
        f"at most {number(sheet.lipschitz)} in size" if steep else "no Lipschitz constant: it grows without bound",
    )
    yield (
        "backward keeps",
        SAVED.get(sheet.saved, f"its inputs: {number(sheet.saved_bytes())} bytes an element in float32"),
    )
    if sheet.year:
        yield "year", str(sheet.year)


def _head(sheet: HeadSheet) -> Iterator[Fact]:
    yield "inputs", "a whole axis"
    yield "values", interval(sheet.range)
    if sheet.total is not None:
        yield "total", f"the values along the axis add up to {number(sheet.total)}"
    shape = ["smooth" if sheet.smooth else "its Jacobian matrix jumps"]
    shape += ["exact zeros"] if sheet.sparse else []
    shape += ["a number added to all inputs changes nothing"] if sheet.shift_invariant else []
    yield "shape", ", ".join(shape)
    steep = math.isfinite(sheet.lipschitz)
    yield (
        "slope",
        f"at most {number(sheet.lipschitz)}, as the norm of its Jacobian matrix" if steep else "no Lipschitz constant",
    )
    yield "backward keeps", f"its {sheet.saved}: {number(sheet.saved_bytes())} bytes an element in float32"
    if sheet.year:
        yield "year", str(sheet.year)
