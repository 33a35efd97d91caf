"""Numbers with their units, as text; and text that a page or terminal may show."""

import math

from limen.findings.numbers import number

__all__ = ["amount", "count", "duration", "number", "percent", "printable", "sentence"]


def printable(text: str) -> str:
    r"""The text on one line, with control characters (a terminal would obey them) written out.

    >>> printable("fc1\n\x1b[31mred")
    'fc1 \\x1b[31mred'
    """
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def percent(share: float) -> str:
    """A share in [0, 1] as a percentage that never rounds up to 100 or down to 0.

    >>> [percent(v) for v in (0.68, 0.9996, 0.0081, 1e-5, 1.0, 0.0)]
    ['68 %', '99.9 %', '0.8 %', '0.001 %', '100 %', '0 %']
    """
    if not math.isfinite(share):
        return "unknown"
    scaled = 100 * share
    if scaled in (0.0, 100.0) or abs(scaled) > 100:
        return f"{scaled:,.0f} %"
    if scaled < 0.1:
        return f"{scaled:.2g} %" if scaled >= 1e-4 else f"{number(scaled)} %"
    if scaled > 99 or scaled < 10:
        return f"{math.floor(10 * scaled + (0.5 if scaled < 99 else 0)) / 10:g} %"
    return f"{scaled:.0f} %"


def amount(value: float, unit: str) -> str:
    """A measured figure with what it is measured in.

    >>> amount(0.68, "share of units"), amount(4e-9, "gradient norm")
    ('68 % of units', '4.0e-9 gradient norm')
    """
    if unit.startswith("share"):
        return f"{percent(value)} {printable(unit.removeprefix('share'))}".rstrip()
    return f"{number(value)} {printable(unit)}".rstrip()


def count(many: int, thing: str) -> str:
    """A number with its noun.

    >>> count(1, "site"), count(1200, "step")
    ('1 site', '1,200 steps')
    """
    return f"{many:,} {thing}" if many == 1 else f"{many:,} {thing}s"


def duration(seconds: float) -> str:
    """A time span in the unit that suits it.

    >>> [duration(s) for s in (0.0061, 12.31, 754.0, 93_784.0)]
    ['6.1 ms', '12.3 s', '12 min 34 s', '26 h 3 min']
    """
    if not math.isfinite(seconds):
        return "unknown"
    if seconds < 0.1:
        return f"{number(1000 * seconds)} ms"
    if seconds < 1:
        return f"{seconds:.2g} s"
    if seconds < 60:
        return f"{number(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def sentence(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]
