"""Panels as PNG, by matplotlib where it is installed: a picture of dots needs a library that draws letters."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from limen.errors import MissingPackage
from limen.report.plot.panel import Panel
from limen.report.plot.svg import LIGHT

__all__ = ["png"]


def png(panels: Sequence[Panel], *, title: str) -> bytes:
    """Panels side by side at 200 dots per inch.

    Raises:
        MissingPackage: matplotlib is not installed (also an ``ImportError``).
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingPackage(
            "A PNG is drawn by matplotlib, which is not installed: pip install matplotlib. An .svg or .html needs "
            "nothing more."
        ) from error
    figure: Any = Figure(figsize=(3.2 * len(panels), 2.6), dpi=200, layout="constrained")
    for index, panel in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), index + 1)
        axes.set_title(panel.title, loc="left", fontsize=11, fontweight="bold")
        axes.set(xlim=panel.x, ylim=panel.y)
        axes.axhline(0, color="#9a9ea4", linewidth=0.8)
        axes.axvline(0, color="#9a9ea4", linewidth=0.8)
        axes.grid(color="#e6e3dc", linewidth=0.6)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, labelsize=8, colors="#62676f")
        for number, line in enumerate(panel.lines):
            dashes = "--" if number >= len(LIGHT) else "-"
            for part, (x, y) in enumerate(line.segments):
                named = line.name if part == 0 else "_"
                axes.plot(x, y, dashes, color=LIGHT[number % len(LIGHT)], linewidth=1.5, label=named)
    if len(panels[0].lines) > 1:
        figure.legend(
            *figure.axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=6, frameon=False, fontsize=8
        )
    written = io.BytesIO()
    figure.savefig(written, format="png", metadata={"Title": title})
    return written.getvalue()
