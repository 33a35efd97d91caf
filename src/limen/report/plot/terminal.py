"""Panels as lines of text with the name of a style for each piece: the command line puts in the colours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from limen.report.plot.canvas import Canvas
from limen.report.plot.panel import Floats, Line, Panel, label, ticks

__all__ = ["LETTERS", "Piece", "terminal"]

Piece = tuple[str, str]
"""Text and its style: ``title``, ``axis``, ``line-0``, ``line-1`` …, or empty."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"
"""What marks each line where there are several."""

NARROWEST = 24
"""Columns of a panel below which another one is put under it instead of beside it."""

WIDEST = 64
GAP = 3


def terminal(panels: Sequence[Panel], width: int, *, ascii: bool = False, height: int = 9) -> list[list[Piece]]:
    """Panels side by side as far as the width goes, the others below them.

    Args:
        panels: with the same lines in each.
        width: columns there are; no line is longer, as far as 16 columns go.
        ascii: True to do without Braille and boxes.
        height: rows of the field of each panel.
    """
    beside = max(1, min(len(panels), (width + GAP) // (NARROWEST + GAP)))
    each = max(min((width - GAP * (beside - 1)) // beside, WIDEST), 16)
    rows: list[list[Piece]] = []
    for first in range(0, len(panels), beside):
        rows += [[("", "")]] if first else []
        rows += _beside([_panel(panel, each, height, ascii) for panel in panels[first : first + beside]], each)
    return rows


def _beside(blocks: list[list[list[Piece]]], each: int) -> list[list[Piece]]:
    rows: list[list[Piece]] = []
    for parts in zip_longest(*blocks, fillvalue=[]):
        row: list[Piece] = []
        for index, part in enumerate(parts):
            row += part
            if index < len(parts) - 1:
                row.append((" " * (each + GAP - sum(len(text) for text, _ in part)), ""))
        rows.append(row)
    return rows


def _panel(panel: Panel, width: int, height: int, ascii: bool) -> list[list[Piece]]:
    low, high = panel.y
    shown = ticks(low, high, max(2, height // 2))
    gutter = max((len(label(tick)) for tick in shown), default=0)
    canvas = Canvas(width - gutter - 2, height, panel.x, panel.y, ascii=ascii)
    for number, line in enumerate(panel.lines):
        canvas.draw(line, number)
    marks = _marks(panel, canvas) if len(panel.lines) > 1 else {}
    labelled = {canvas.row(tick): tick for tick in shown}
    zero_row = canvas.row(0.0) if low <= 0 <= high else -1
    zero_column = canvas.column(0.0) if panel.x[0] < 0 < panel.x[1] else -1
    bar, tee, flat, upright, cross = ("|", "+", "-", "|", "+") if ascii else ("│", "┤", "─", "│", "┼")
    rows: list[list[Piece]] = [[(" " * (gutter + 2) + panel.title, "title")]]
    for row in range(height):
        text = label(labelled[row]) if row in labelled else ""
        pieces: list[Piece] = [(f"{text:>{gutter}} {tee if text else bar}", "axis")]
        for column in range(canvas.columns):
            letter, number = canvas.letter(row, column)
            if (row, column) in marks:
                pieces.append(marks[row, column])
            elif letter:
                pieces.append((letter, f"line-{number}"))
            elif row == zero_row:
                pieces.append((cross if column == zero_column else flat, "axis"))
            else:
                pieces.append((upright if column == zero_column else " ", "axis"))
        rows.append(_joined(pieces))
    return [*rows, *_bottom(panel, canvas, gutter, ascii)]


def _bottom(panel: Panel, canvas: Canvas, gutter: int, ascii: bool) -> list[list[Piece]]:
    corner, flat, tee = ("+", "-", "+") if ascii else ("└", "─", "┴")
    axis, words = [flat] * canvas.columns, [" "] * canvas.columns
    taken = -1
    for tick in ticks(*panel.x, max(5, canvas.columns // 5)):
        text, column = label(tick), canvas.column(tick)
        first = min(max(column - (len(text) - 1) // 2 - text.startswith("-"), 0), canvas.columns - len(text))
        axis[column] = tee
        if first > taken:
            words[first : first + len(text)] = list(text)
            taken = first + len(text)
    indent = " " * (gutter + 1)
    return [[(indent + corner + "".join(axis), "axis")], [(f"{indent} {''.join(words)}", "axis")]]


def _marks(panel: Panel, canvas: Canvas) -> dict[tuple[int, int], Piece]:
    """A letter on each line, where it is farthest from all others."""
    columns = np.arange(2, canvas.columns - 2)
    places = panel.x[0] + (columns + 0.5) / canvas.columns * (panel.x[1] - panel.x[0])
    heights = np.stack([_heights(line, places) for line in panel.lines])
    heights = np.clip(heights, *panel.y)
    marks: dict[tuple[int, int], Piece] = {}
    for number, letter in enumerate(LETTERS[: len(panel.lines)]):
        apart = np.abs(np.delete(heights, number, axis=0) - heights[number]).min(axis=0)
        if np.isnan(heights[number]).all():
            continue
        for best in np.argsort(-np.nan_to_num(apart, nan=-1.0), kind="stable").tolist():
            place = canvas.row(float(heights[number, best])), int(columns[best])
            if place not in marks:
                marks[place] = (letter, f"line-{number}")
                break
    return marks


def _heights(line: Line, places: Floats) -> Floats:
    """The line at these places; NaN where it is not."""
    found = np.full(len(places), np.nan)
    for x, y in line.segments:
        inside = (places >= x[0]) & (places <= x[-1])
        found[inside] = np.interp(places[inside], x, y)
    return found


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbours of one style as one piece."""
    joined: list[Piece] = []
    for text, style in pieces:
        if joined and joined[-1][1] == style:
            joined[-1] = (joined[-1][0] + text, style)
        else:
            joined.append((text, style))
    return joined
