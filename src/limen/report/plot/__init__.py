"""Curves of functions drawn: in a terminal, as SVG, HTML or PNG, all from the same values."""

from limen.report.plot.panel import Line, Panel
from limen.report.plot.svg import STYLE, svg, thumbnail
from limen.report.plot.terminal import terminal
from limen.report.plot.write import check_plot, write_plot

__all__ = ["STYLE", "Line", "Panel", "check_plot", "svg", "terminal", "thumbnail", "write_plot"]
