"""Figures as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.ratios import Quartiles

__all__ = ["figure", "per_cent", "show", "spread"]


def figure(value: float, *, signed: bool = False) -> str:
    """A measured value with the digits that mean something."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:{'+' if signed else ''},.{digits}f}"


def per_cent(share: float | None, *, signed: bool = False) -> str:
    """A share in per cent; a dash for none."""
    return "–" if share is None else figure(100 * share, signed=signed)


def spread(ratio: Quartiles) -> str:
    """A ratio as cost in per cent: median and quartiles."""
    low, middle, high = (per_cent(value - 1, signed=True) for value in ratio)
    return f"{middle} ({low} to {high})"


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: the first column to the left, numbers to the right."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
