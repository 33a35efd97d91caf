"""Numbers, intervals and docstrings as words."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

__all__ = ["about", "formula", "interval", "listed", "number", "paragraphs", "short_formula"]

MOST = 6
"""Places that are written out."""


def number(value: float | None, digits: int = 6) -> str:
    """A number in so many digits; an infinity as its sign, nothing as ``none``.

    >>> [number(v) for v in (1 / 3, -math.inf, 0.0, 2.5e-9, None)]
    ['0.333333', '-∞', '0', '2.5e-9', 'none']
    """
    if value is None:
        return "none"
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    text = f"{value + 0.0:.{digits}g}"
    return re.sub(r"e([+-])0*(\d+)", lambda found: f"e{found[1].replace('+', '')}{found[2]}", text)


def interval(ends: tuple[float, float], digits: int = 6) -> str:
    """From where to where.

    >>> interval((-math.inf, math.inf)), interval((0.0, math.inf)), interval((-1.0, 0.25))
    ('all numbers', '0 to ∞', '-1 to 0.25')
    """
    if ends == (-math.inf, math.inf):
        return "all numbers"
    return " to ".join(number(end, digits) for end in ends)


def listed(places: Sequence[float | str]) -> str:
    """Several, with ``and`` before the last; the first ones of many.

    >>> listed([1.0, 2.0, 3.5]), listed(range(100))
    ('1, 2 and 3.5', '0, 1, 2, 3, 4, 5 … (100 in all)')
    """
    words = [place if isinstance(place, str) else number(place) for place in places]
    if len(words) > MOST:
        return f"{', '.join(words[:MOST])} … ({len(words)} in all)"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def paragraphs(text: str) -> list[str]:
    r"""The paragraphs of a docstring, each on one line; a heading such as ``Range:`` begins a new one.

    >>> paragraphs("One\nand two.\n\nRange: all.\nHazards: none.")
    ['One and two.', 'Range: all.', 'Hazards: none.']
    """
    found: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        fresh = True
        for line in filter(None, map(str.strip, block.splitlines())):
            if fresh or re.match(r"[A-Z][A-Za-z ]{2,24}: ", line):
                found.append(line)
            else:
                found[-1] += f" {line}"
            fresh = False
    return found


def about(text: str) -> list[str]:
    """What a docstring says besides formula and source."""
    return [part for part in paragraphs(text)[1:] if not part.startswith("Source: ")]


def formula(text: str) -> str:
    """The first sentence of a docstring without marks.

    >>> formula("``f(x) = x`` for ``x > 0``, else 0. More.")
    'f(x) = x for x > 0, else 0'
    """
    first = paragraphs(text)[0] if text.strip() else ""
    return re.split(r"\.(?= [A-Z]|$)", first)[0].replace("``", "").replace("`", "")


def short_formula(text: str) -> str:
    """The formula alone, for a table.

    >>> short_formula("``f(a, b) = a b``; a gated unit without a function in its gate.")
    'a b'
    """
    found = formula(text)
    return re.split(r"; |: |, with |, where | with the ", found)[0].partition(" = ")[2] or found
