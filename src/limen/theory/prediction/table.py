"""A prediction as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from limen.theory.prediction.result import SitePrediction

__all__ = ["as_text"]

TITLES = ("site", "function", "units", "mean", "variance", "active", "gradient")


def as_text(sites: Sequence[SitePrediction], unruled: Sequence[str], reason: str | None) -> str:
    """One line for each site; ``predicted / measured`` where both are known."""
    rows = [TITLES, *map(cells, sites)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES))]
    lines = ["  ".join(line(row, widths)).rstrip() for row in rows]
    if not sites:
        lines = ["no activation function outside of recurrent layers was seen; .maps holds the figures of each weight"]
    if any(site.measured for site in sites):
        lines.append("predicted / measured")
    elif reason:
        lines.append(f"not measured: {reason}")
    if unruled:
        lines.append(f"read from the recorded pass, for want of a rule (*): {', '.join(unruled)}")
    return "\n".join(lines)


def line(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Words to the left, numbers to the right."""
    return [
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def cells(site: SitePrediction) -> tuple[str, ...]:
    """One site."""
    mark = {"theory": "", "measured": "*", "unknown": "?"}[site.source]
    other = site.measured
    pairs = (
        (site.mean, other and other.mean),
        (site.variance, other and other.variance),
        (site.active, other and other.active),
        (site.gradient, other and other.gradient),
    )
    figures = (f"{one:.3g}" if two is None else f"{one:.3g} / {two:.3g}" for one, two in pairs)
    return (site.name + mark, site.function, f"{site.units:,}", *figures)
