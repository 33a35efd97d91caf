"""Words by which the catalogue is sifted: ``monotone``, ``bounded``, ``not-smooth``."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from limen.activations import CombinationSheet, HeadSheet, Sheet
from limen.errors import UnknownName
from limen.functions.subject import Subject

__all__ = ["PROPERTIES", "chosen", "properties"]

Test = Callable[[Subject], bool | None]
"""Whether a function has a property; None where it makes no sense of that kind of function."""


def _of_sheet(test: Callable[[Sheet], bool]) -> Test:
    return lambda subject: test(subject.sheet) if isinstance(subject.sheet, Sheet) else None


def _of_kind(kind: str) -> Test:
    return lambda subject: subject.kind == kind


def _smooth(subject: Subject) -> bool:
    sheet = subject.sheet
    if isinstance(sheet, CombinationSheet | HeadSheet):
        return sheet.smooth
    return not sheet.kinks and not sheet.bends


def _bounded(subject: Subject) -> bool:
    low, high = subject.sheet.range
    return low > float("-inf") and high < float("inf")


def _homogeneous(subject: Subject) -> bool | None:
    sheet = subject.sheet
    return None if isinstance(sheet, HeadSheet) else sheet.homogeneous is not None


def _can_die(subject: Subject) -> bool | None:
    found = subject.tails
    return found and (found.dead_left or found.dead_right)


PROPERTIES: dict[str, tuple[str, Test]] = {
    "monotone": ("never falls", _of_sheet(lambda sheet: sheet.monotone)),
    "bounded": ("all values lie between two numbers", _bounded),
    "saturates-left": ("levels off on the left", _of_sheet(lambda sheet: sheet.bounded[0])),
    "saturates-right": ("levels off on the right", _of_sheet(lambda sheet: sheet.bounded[1])),
    "smooth": ("neither kinks nor bends: the curvature is continuous", _smooth),
    "continuous": ("the value never jumps", _of_sheet(lambda sheet: not sheet.jumps)),
    "odd": ("f(-x) = -f(x)", _of_sheet(lambda sheet: sheet.parity == "odd")),
    "even": ("f(-x) = f(x)", _of_sheet(lambda sheet: sheet.parity == "even")),
    "convex": ("no chord is below it", _of_sheet(lambda sheet: sheet.convex)),
    "concave": ("no chord is above it", _of_sheet(lambda sheet: sheet.concave)),
    "homogeneous": ("f(c x) = c^k f(x) for c > 0", _homogeneous),
    "periodic": ("its slope repeats itself", _of_sheet(lambda sheet: sheet.period is not None)),
    "nonexpansive": ("its slope is at most 1 in size", lambda subject: subject.sheet.lipschitz <= 1),
    "can-die": ("has a flat side where the output is about zero", _can_die),
    "elementwise": ("a function of each number by itself", _of_kind("elementwise")),
    "gated": ("a function of several inputs", _of_kind("gated")),
    "head": ("a function of a whole axis", _of_kind("head")),
}
"""Each property with what it means."""


def properties(subject: Subject) -> list[str]:
    """Those that a function has.

    >>> from limen.functions.subject import of_name
    >>> properties(of_name("abs"))
    ['continuous', 'even', 'convex', 'homogeneous', 'nonexpansive', 'elementwise']
    """
    return [name for name, (_, test) in PROPERTIES.items() if test(subject)]


def chosen(subjects: Iterable[Subject], wanted: str) -> list[Subject]:
    """Functions that have all properties of a list such as ``smooth,not-monotone``.

    Raises:
        UnknownName: there is no such property; the nearest is suggested (also a ``KeyError``).
    """
    tests = [_test(word.strip().lower().replace("_", "-")) for word in wanted.split(",") if word.strip()]
    return [subject for subject in subjects if all(test(subject) is expected for test, expected in tests)]


def _test(word: str) -> tuple[Test, bool]:
    name = word.removeprefix("not-")
    if name not in PROPERTIES:
        raise UnknownName.of("property of functions", name, PROPERTIES)
    return PROPERTIES[name][1], name == word
