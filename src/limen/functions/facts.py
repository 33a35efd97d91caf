"""The sheet of a function in words: what each property is called, and what it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import cast

from limen.activations import CombinationSheet, HeadSheet, Sheet
from limen.functions.elementwise import SAVED, elementwise
from limen.functions.subject import Subject
from limen.functions.words import Fact, interval, number

__all__ = ["facts"]


def facts(subject: Subject) -> list[Fact]:
    """All that is known, in the order in which it is asked for."""
    match subject.sheet:
        case Sheet():
            return [*_parameters(subject), *elementwise(subject, subject.sheet)]
        case CombinationSheet():
            return [*_parameters(subject), *_combination(subject.sheet)]
        case HeadSheet():
            return [*_parameters(subject), *_head(subject.sheet)]


def _parameters(subject: Subject) -> Iterator[Fact]:
    if subject.parameters:
        yield "parameters", ", ".join(f"{name} = {_value(value)}" for name, value in subject.parameters.items())


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_value, cast('tuple[object, ...]', value)))})"
    return number(value, 4) if isinstance(value, float) else str(value)


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
