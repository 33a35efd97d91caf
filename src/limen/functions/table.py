"""The catalogue as lines of text, a function in each."""

from __future__ import annotations

from collections.abc import Sequence

from limen.activations import Sheet
from limen.functions.subject import Subject
from limen.functions.words import interval, number, short_formula

__all__ = ["HEAD", "row", "table"]

HEAD = ("name", "f(x)", "values", "monotone", "saturates", "slope", "bytes", "year")
FORMULA = HEAD.index("f(x)")
LEAST = 16
FEWEST = 3
GAP = "  "


def row(subject: Subject) -> tuple[str, ...]:
    """What the table says of a function: its largest slope, the bytes that a backward pass keeps of each element.

    >>> from limen.functions.subject import of_name
    >>> row(of_name("relu"))
    ('relu', 'x for x > 0, else 0', '0 to ∞', 'yes', 'left', '1', '0.125', '1969')
    """
    sheet = subject.sheet
    monotone, saturates = "–", "–"
    if isinstance(sheet, Sheet):
        monotone = "yes" if sheet.monotone else "no"
        saturates = {(True, True): "both", (True, False): "left", (False, True): "right"}.get(sheet.bounded, "no")
    slope = number(sheet.lipschitz, 4)
    kept, year = number(sheet.saved_bytes(), 3), str(sheet.year or "–")
    return subject.title, short_formula(subject.text), interval(sheet.range, 3), monotone, saturates, slope, kept, year


def table(subjects: Sequence[Subject], width: int | None) -> list[str]:
    """The head and a line for each function.

    Args:
        subjects: functions, in order.
        width: columns there are; None for as many as it takes. First formulas are cut, then columns left out from the
            right; names and values always stay.
    """
    rows = [HEAD, *map(row, subjects)]
    widths = [max(len(cells[index]) for cells in rows) for index in range(len(HEAD))]
    if width is not None:
        whole, widths[FORMULA] = widths[FORMULA], min(widths[FORMULA], LEAST)
        while _total(widths) > width and len(widths) > FEWEST:
            widths.pop()
        widths[FORMULA] = min(whole, widths[FORMULA] + max(width - _total(widths), 0))
    return [GAP.join(map(_cell, cells, widths)).rstrip() for cells in rows]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _cell(text: str, width: int) -> str:
    return (text if len(text) <= width else f"{text[: width - 1]}…").ljust(width)
