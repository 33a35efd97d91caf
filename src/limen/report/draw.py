"""The marks that all figures are made of, as the plain dictionaries that plotly.js reads.

A colour that starts with ``@`` is the name of a colour of the page, which differs between light and dark. The page
also adds fonts, margins and the type of the time axis, and finds room for the words of marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from limen.report.looks import Span
from limen.report.names import label
from limen.report.thinning import number_list, thin

__all__ = ["POINTS", "Band", "Figure", "Json", "Mark", "curve", "stacked"]

Json = dict[str, object]

Integers = npt.NDArray[np.int64]

FEW_POINTS = 100  # of a curve, so that each can be seen

POINTS = 800
"""Points of a curve: about as many as a screen has columns for."""


@dataclass(frozen=True)
class Figure:
    """One drawing.

    Attributes:
        data: plotly traces.
        layout: plotly layout.
        height: in CSS pixels.
        title: what it shows, as a sentence.
        key: what each kind of line is, as ``(kind, words)``; empty where there is one kind. The page draws a sample of
            ``filled`` and ``dotted``.
        time: how the horizontal axis counts steps: ``linear``, ``log``, as the reader ``chosen``; None where it is
            not the time axis.
    """

    data: list[Json]
    layout: Json
    height: int
    title: str
    time: str | None = None
    key: tuple[tuple[str, str], ...] = ()

    def json(self) -> Json:
        """What the page needs to draw it."""
        return {"data": self.data, "layout": self.layout, "height": self.height, "time": self.time}


@dataclass(frozen=True)
class Band:
    """Curves that share a vertical axis.

    Attributes:
        traces: made by :func:`curve`.
        title: what the vertical axis counts.
        values: of all traces, to choose between a linear and a logarithmic axis.
        top: the largest value that could be; None to fit the values.
    """

    traces: Sequence[Json]
    title: str
    values: Sequence[npt.NDArray[np.generic]]
    top: float | None = None

    def knows(self, span: Span) -> bool:
        """Whether any of the curves has a value in that part of the run."""
        return any(
            span[0] <= step <= span[1] and value is not None
            for trace in self.traces
            for step, value in zip(cast(list[int], trace["x"]), cast(list[object], trace["y"]), strict=True)
        )

    def axis(self) -> Json:
        """The vertical axis: logarithmic where all values are positive and span more than a factor of 30."""
        together = np.concatenate([np.asarray(part, dtype=np.float64) for part in self.values])
        finite = together[np.isfinite(together)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        if self.top is not None:
            ticks = [0, self.top / 2, self.top]
            return {"title": {"text": self.title}, "range": [0, 1.05 * self.top], "tickvals": ticks}
        if len(finite) > 1 and low > 0 and high > 30 * low:
            decades = max(1, int(np.ceil(np.log10(high / low) / 5)))
            scale: Json = {"type": "log", "exponentformat": "power", "dtick": decades, "power": True}
            return {"title": {"text": f"{self.title}, log scale"}, **scale}
        # from zero: a constant drawn on an axis of its own noise would look like a storm
        bottom = min(low, 0.0)
        top = high + 0.1 * (high - bottom) if high > bottom else bottom + 1.0
        return {"title": {"text": self.title}, "range": [bottom, top], "nticks": 5}


@dataclass(frozen=True)
class Mark:
    """A step worth a line across the figure.

    Attributes:
        step: where.
        text: its words.
        fault: True for something that went wrong, False for something that was done.
    """

    step: int
    text: str
    fault: bool = True


def curve(
    step: Integers,
    values: npt.NDArray[np.generic],
    name: str,
    *,
    colour: str = "@data",
    most: int = POINTS,
    filled: bool = False,
    stepped: bool = False,
    dash: str = "solid",
    logarithmic: bool = False,
) -> Json:
    """A line over the training steps, thinned.

    Args:
        step: ``[rows]``, rising.
        values: ``[rows]``.
        name: what a pointer on it says.
        colour: of the page.
        most: points to keep.
        filled: True to shade what lies below.
        stepped: True for a value that holds until the next step.
        dash: plotly's name of a line style.
        logarithmic: True where time is drawn on a logarithmic axis.
    """
    x, y = thin(step, values, most, logarithmic=logarithmic)
    said = label(name).replace("%", "&#37;")  # plotly fills in %{…}
    trace: Json = {
        "type": "scatter",
        "mode": _mode(step),
        "x": x.tolist(),
        "y": number_list(y),
        "line": {"color": colour, "width": 1.75, "dash": dash, "shape": "hv" if stepped else "linear"},
        "marker": {"color": colour, "size": 7 if len(x) == 1 else 4},
        "hovertemplate": f"step %{{x:,}}<br>{said}: %{{y:.4g}}<extra></extra>",
    }
    return trace | ({"fill": "tozeroy", "fillcolor": "@wash"} if filled else {})


def _mode(step: Integers) -> str:
    """A line; with its points where they are few among the steps that they stand for."""
    if len(step) == 1:
        return "markers"
    sparse = len(step) <= FEW_POINTS and int(step[-1] - step[0]) >= 2 * len(step)
    return "lines+markers" if sparse else "lines"


def _broken(trace: Json, spans: Sequence[Span]) -> Json:
    """The curve with a gap where nothing is known of it, instead of a straight line across."""
    x, y = list(cast(list[int], trace["x"])), list(cast(list[object], trace["y"]))
    for first, _ in spans:
        place = sum(step < first for step in x)
        if 0 < place < len(x):
            x.insert(place, first)
            y.insert(place, None)
    return trace | {"x": x, "y": y}


def stacked(
    bands: Sequence[Band],
    marks: Sequence[Mark],
    *,
    title: str,
    height: int,
    time: str,
    last: int,
    blind: Sequence[Span] = (),
) -> Figure:
    """Bands one above the other over the same steps, the first twice as high as the others.

    Args:
        bands: at least one.
        marks: drawn across all of them.
        title: of the figure.
        height: in CSS pixels.
        time: see :class:`Figure`.
        last: the last step.
        blind: steps that were not looked at; shaded in the bands that know nothing of them.
    """
    weights = [2.0] + [1.0] * (len(bands) - 1)
    gap = 0.09 if len(bands) > 1 else 0.0
    unit = (1 - gap * (len(bands) - 1)) / sum(weights)
    top, data, hidden = 1.0, list[Json](), list[Json]()
    layout: Json = {
        "showlegend": False,
        "marks": [{"step": m.step, "text": label(m.text), "fault": m.fault} for m in marks],
    }
    for index, band in enumerate(bands):
        number = "" if index == 0 else str(index + 1)
        low = max(top - weights[index] * unit, 0.0)
        unknown = [span for span in blind if not band.knows(span)]
        data += [_broken(trace, unknown) | {"yaxis": f"y{number}"} for trace in band.traces]
        hidden += [{"from": a, "to": b, "low": low, "top": top} for a, b in unknown]
        layout[f"yaxis{number}"] = band.axis() | {"domain": [low, top]}
        top = low - gap
    layout["blind"] = hidden
    bottom = "y" if len(bands) == 1 else f"y{len(bands)}"
    layout["xaxis"] = {"title": {"text": "training step"}, "last": last, "anchor": bottom}
    return Figure(data, layout, height, title, time)
