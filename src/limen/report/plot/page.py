"""Panels as one HTML page in which a pointer reads the curves; it loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from limen.report.draw import Json
from limen.report.inline import inline, plotly
from limen.report.plot.panel import Panel
from limen.report.plot.svg import DARK, LIGHT
from limen.report.thinning import number_list

__all__ = ["page"]

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="limen">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --paper: #faf9f6; --ink: #1c1f24; }}
@media (prefers-color-scheme: dark) {{ :root {{ --paper: #131518; --ink: #e9e7e2; }} }}
body {{ margin: 0 auto; max-width: 960px; padding: 40px 24px; background: var(--paper); color: var(--ink);
  font: 16px/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }}
h1 {{ font-size: 30px; letter-spacing: -0.02em; margin: 0 0 12px; overflow-wrap: anywhere; }}
</style>
<h1>{title}</h1>
<div id="plot"></div>
<script>{plotly}</script>
<script>
const drawing = {data};
const dark = matchMedia("(prefers-color-scheme: dark)");
function draw() {{
  const ink = dark.matches ? "#9ca1a8" : "#62676f", rule = dark.matches ? "#2b2f35" : "#e6e3dc";
  const traces = drawing.traces.map(trace => ({{...trace, line: {{...trace.line,
    color: (dark.matches ? drawing.dark : drawing.light)[trace.number % drawing.light.length]}}}}));
  const layout = structuredClone(drawing.layout);
  for (const [key, axis] of Object.entries(layout)) if (/^[xy]axis/.test(key))
    Object.assign(axis, {{gridcolor: rule, zerolinecolor: ink, zerolinewidth: 1}});
  Plotly.react("plot", traces, {{...layout, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
    font: {{family: "ui-sans-serif, system-ui, sans-serif", size: 13, color: ink}}}},
    {{responsive: true, displayModeBar: false}});
}}
dark.addEventListener("change", draw);
draw();
</script>
"""


def page(panels: Sequence[Panel], *, title: str) -> str:
    """Panels one below the other over one axis."""
    data: Json = {"traces": _traces(panels), "layout": _layout(panels), "light": LIGHT, "dark": DARK}
    return PAGE.format(title=escape(title), plotly=plotly(), data=inline(data))


def _traces(panels: Sequence[Panel]) -> list[Json]:
    """A trace for each line, with an empty place where it jumps."""
    traces: list[Json] = []
    for index, panel in enumerate(panels):
        for number, line in enumerate(panel.lines):
            x: list[float | None] = []
            y: list[object] = []
            for across, up in line.segments:
                x += [*across.tolist(), None]
                y += [*number_list(up), None]
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": line.name,
                    "number": number,
                    "legendgroup": str(number),
                    "showlegend": index == 0 and len(panel.lines) > 1,
                    "x": x,
                    "y": y,
                    "yaxis": _axis("y", index),
                    "line": {"width": 2, "simplify": False},
                    "hovertemplate": f"{_told(line.name)}: {panel.title}(%{{x:.4g}}) = %{{y:.6g}}<extra></extra>",
                }
            )
    return traces


def _layout(panels: Sequence[Panel]) -> Json:
    count = len(panels)
    layout: Json = {
        "height": 260 * count,
        "margin": {"l": 60, "r": 12, "t": 30, "b": 40},
        "hovermode": "x",
        "legend": {"orientation": "h", "y": 1.06},
        "xaxis": {"range": list(panels[0].x), "anchor": _axis("y", count - 1), "title": {"text": "x"}},
    }
    for index, panel in enumerate(panels):
        top = 1 - index / count
        domain = [max(top - 1 / count + 0.05, 0.0), top]
        title = {"text": panel.title, "standoff": 8}
        layout[_axis("yaxis", index)] = {"domain": domain, "range": list(panel.y), "title": title}
    return layout


def _told(name: str) -> str:
    """A name that plotly takes for nothing else: it fills in ``%{…}`` and reads some HTML."""
    return escape(name).replace("%", "&#37;")


def _axis(kind: str, index: int) -> str:
    return f"{kind}{index + 1 if index else ''}"
