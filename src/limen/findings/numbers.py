"""How a number is written, the same in every finding and report."""

import math

__all__ = ["number"]


def number(value: float, digits: int = 3) -> str:
    """So many significant digits, thousands set apart; two digits and a power of ten for what is tiny or huge.

    >>> [number(v) for v in (1200, 0.04217, 3.14e-7, 0.0, float("nan"), -1.5e9)]
    ['1,200', '0.0422', '3.1e-7', '0', 'NaN', '-1.5e9']
    >>> number(770.4, 2), number(2.30259, 4), number(23.4e6, 4)
    ('770', '2.303', '2.3e7')
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if value == round(value) and abs(value) < 1e7:
        return f"{round(value):,}"
    if 1e-3 <= abs(value) < 1e6:
        rounded = f"{value:.{digits}g}"
        return f"{value:,.0f}" if "e" in rounded else rounded
    mantissa, power = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(power)}"
