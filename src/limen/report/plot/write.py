"""Panels as a file, of the type that its name ends in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from limen.errors import InvalidValue
from limen.report.plot.page import page
from limen.report.plot.panel import Panel
from limen.report.plot.png import png
from limen.report.plot.svg import svg
from limen.report.write import write_whole

__all__ = ["check_plot", "write_plot"]

ENDINGS = (".svg", ".html", ".png")


def check_plot(path: Path) -> Path:
    """The path, if its name ends in a type that can be drawn.

    Raises:
        InvalidValue: it does not (also a ``ValueError``).
    """
    if path.suffix.lower() not in ENDINGS:
        raise InvalidValue(f"--plot {path}: expected a name that ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}.")
    return path


def write_plot(panels: Sequence[Panel], path: Path, *, title: str) -> None:
    """Draw panels into a file.

    Raises:
        InvalidValue: the name ends in no type that can be drawn (also a ``ValueError``).
        MissingPackage: a PNG is asked for and matplotlib is not installed (also an ``ImportError``).
        UnwritablePath: the file could not be written (also an ``OSError``).
    """
    match check_plot(path).suffix.lower():
        case ".png":
            content = png(panels, title=title)
        case ".html":
            content = page(panels, title=title).encode()
        case _:
            content = f'<?xml version="1.0" encoding="utf-8"?>\n{svg(panels, title=title)}\n'.encode()
    write_whole(path, content)
