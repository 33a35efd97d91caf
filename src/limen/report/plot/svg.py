"""Panels as one SVG picture, drawn by hand: nothing to install, light and dark, sharp at any size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from limen.report.plot.panel import Floats, Line, Panel, label, ticks

__all__ = ["DARK", "LIGHT", "STYLE", "svg", "thumbnail"]

LIGHT = ("#2f5d86", "#b8420f", "#3a7a4a", "#7b4b9c", "#94700f", "#5b6068")
"""Colours of the lines on a light page."""

DARK = ("#86b3da", "#ff8f57", "#7cc38d", "#c79fe4", "#e0bd62", "#a9aeb5")
"""Colours of the lines on a dark page."""

STYLE = (
    ".limen-plot{font:12px ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
    "color-scheme:light dark;fill:none;stroke-linejoin:round;stroke-linecap:round;"
    "--ink:#1c1f24;--muted:#62676f;--rule:#d9d6cf;--paper:#fff;"
    + "".join(f"--line-{i}:{colour};" for i, colour in enumerate(LIGHT))
    + "}@media (prefers-color-scheme:dark){.limen-plot{--ink:#e9e7e2;--muted:#9ca1a8;--rule:#3a3f46;--paper:#1a1d21;"
    + "".join(f"--line-{i}:{colour};" for i, colour in enumerate(DARK))
    + "}}.limen-plot text{fill:var(--muted);stroke:none}"
    ".limen-plot .title{fill:var(--ink);font-size:14px;font-weight:600}"
    ".limen-plot .rule{stroke:var(--rule);stroke-width:1}"
    ".limen-plot .zero{stroke:var(--muted);stroke-width:1;opacity:.7}"
    ".limen-plot path{stroke-width:2}"
)
"""The looks of all pictures. A page that shows many of them needs it once."""

PANEL, FIELD, LEFT, RIGHT, TOP, BOTTOM = 320.0, 200.0, 40.0, 12.0, 34.0, 28.0
LEGEND = 26.0


@dataclass(frozen=True)
class Frame:
    """The field of a panel in the picture: where the panel's places are, in CSS pixels."""

    panel: Panel
    left: float
    top: float
    wide: float
    high: float

    def across(self, x: Floats | float) -> Floats | float:
        """From the left of the picture."""
        low, high = self.panel.x
        return self.left + (x - low) / (high - low) * self.wide

    def down(self, y: Floats | float) -> Floats | float:
        """From its top."""
        low, high = self.panel.y
        return self.top + (high - y) / (high - low) * self.high


def svg(panels: Sequence[Panel], *, title: str, style: bool = True, wide: float = PANEL) -> str:
    """Panels side by side, with a legend above them where they have several lines.

    Args:
        panels: with the same lines in each.
        title: what a reader who cannot see it is told.
        style: False to leave out ``STYLE``, for a page that has it.
        wide: width of each panel, in CSS pixels.
    """
    names = [line.name for line in panels[0].lines]
    above = LEGEND if len(names) > 1 else 0.0
    width, height = wide * len(panels), above + TOP + FIELD + BOTTOM
    parts = [_opening(width, height, title), f"<style>{STYLE}</style>" * style]
    parts += _legend(names) if above else []
    for index, panel in enumerate(panels):
        parts += _panel(Frame(panel, index * wide + LEFT, above + TOP, wide - LEFT - RIGHT, FIELD))
    return "".join([*parts, "</svg>"])


def thumbnail(panel: Panel, *, title: str) -> str:
    """The curves alone, with the two axes, small; without ``STYLE``."""
    frame = Frame(panel, 4.0, 4.0, 152.0, 88.0)
    parts = [_opening(160.0, 96.0, title), *_zero(frame)]
    parts += [_path(frame, line, number) for number, line in enumerate(panel.lines)]
    return "".join([*parts, "</svg>"])


def _opening(width: float, height: float, title: str) -> str:
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="limen-plot" role="img" {size} '
        f'style="max-width:100%;height:auto"><title>{escape(title)}</title>'
    )


def _legend(names: Sequence[str]) -> list[str]:
    parts, left = list[str](), LEFT
    for number, name in enumerate(names):
        parts.append(f'<path d="M{left:g} 14h18" style="{_colour(number)}"/>')
        parts.append(f'<text x="{left + 24:g}" y="18">{escape(name)}</text>')
        left += 24 + 7.2 * len(name) + 22
    return parts


def _panel(frame: Frame) -> list[str]:
    panel, left, bottom = frame.panel, frame.left, frame.top + frame.high
    parts = [f'<text class="title" x="{left:g}" y="{frame.top - 12:g}">{escape(panel.title)}</text>']
    for tick in ticks(*panel.y, 5):
        y = frame.down(tick)
        parts.append(f'<path class="rule" d="M{left:g} {y:.1f}h{frame.wide:g}"/>')
        parts.append(f'<text x="{left - 8:g}" y="{y + 4:.1f}" text-anchor="end">{label(tick)}</text>')
    for tick in ticks(*panel.x, 6):
        parts.append(
            f'<text x="{frame.across(tick):.1f}" y="{bottom + 18:g}" text-anchor="middle">{label(tick)}</text>'
        )
    parts += _zero(frame)
    for number, line in enumerate(panel.lines):
        parts += [_path(frame, line, number), *_dots(frame, line, number)]
    return parts


def _zero(frame: Frame) -> list[str]:
    """The two axes, where they are in sight."""
    parts = list[str]()
    if frame.panel.y[0] <= 0 <= frame.panel.y[1]:
        parts.append(f'<path class="zero" d="M{frame.left:g} {frame.down(0.0):.1f}h{frame.wide:g}"/>')
    if frame.panel.x[0] <= 0 <= frame.panel.x[1]:
        parts.append(f'<path class="zero" d="M{frame.across(0.0):.1f} {frame.top:g}v{frame.high:g}"/>')
    return parts


def _path(frame: Frame, line: Line, number: int) -> str:
    strokes = list[str]()
    for x, y in line.segments:
        points = np.stack([np.asarray(frame.across(x)), np.asarray(frame.down(y))], axis=1)
        strokes.append("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points[_needed(points)].tolist()))
    return f'<path d="{"".join(strokes)}" style="{_colour(number)}"/>'


def _dots(frame: Frame, line: Line, number: int) -> list[str]:
    """What the curve is at a jump: a full dot there, empty ones at the ends of the parts that miss it."""
    parts = list[str]()
    apart = 1e-6 * (frame.panel.y[1] - frame.panel.y[0])
    for place, value in line.dots:
        ends = {float(y[at]) for x, y in line.segments for at in (0, -1) if abs(x[at] - place) < 1e-6}
        missed = [end for end in ends if abs(end - value) > apart]
        if np.isfinite(value) and missed:
            parts += [_circle(frame, place, end, number, "var(--paper)") for end in missed]
            parts.append(_circle(frame, place, value, number, f"var(--line-{number % len(LIGHT)})"))
    return parts


def _circle(frame: Frame, x: float, y: float, number: int, fill: str) -> str:
    place = f'cx="{frame.across(x):.1f}" cy="{frame.down(y):.1f}"'
    return f'<circle {place} r="3.5" style="{_colour(number)};fill:{fill};stroke-width:1.5"/>'


def _needed(points: Floats, tolerance: float = 0.08) -> list[int]:
    """The points without which the line would be another by more than a hair.

    Source: Douglas & Peucker 1973, Cartographica 10.
    """
    kept, open_parts = {0, len(points) - 1}, [(0, len(points) - 1)]
    while open_parts:
        first, last = open_parts.pop()
        along = points[last] - points[first]
        between = points[first + 1 : last] - points[first]
        if not len(between):
            continue
        off = np.abs(along[0] * between[:, 1] - along[1] * between[:, 0]) / max(float(np.hypot(*along)), 1e-12)
        worst = int(off.argmax())
        if off[worst] > tolerance:
            kept.add(first + 1 + worst)
            open_parts += [(first, first + 1 + worst), (first + 1 + worst, last)]
    return sorted(kept)


def _colour(number: int) -> str:
    """A colour for each line, and a dash from the seventh on."""
    dash = ";stroke-dasharray:6 4" if number >= len(LIGHT) else ""
    return f"stroke:var(--line-{number % len(LIGHT)}){dash}"
