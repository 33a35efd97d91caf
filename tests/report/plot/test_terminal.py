"""Dots of a drawing lie where the curve is, whatever the width and the letters."""

import numpy as np
import pytest

from limen.functions import look_up, panels
from limen.report.plot import Line, Panel, terminal

NAMES = ["relu", "gelu", "sin", "hardshrink", "identity"]
BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def text(panels_: list[Panel], width: int, *, ascii: bool = False) -> list[str]:
    return ["".join(piece for piece, _ in row) for row in terminal(panels_, width, ascii=ascii)]


def dots(rows: list[str]) -> list[tuple[int, int]]:
    """Row and column of each dot of Braille letters, four and two to a letter."""
    return [
        (4 * r + y, 2 * c + x)
        for r, row in enumerate(rows)
        for c, letter in enumerate(row)
        if 0x2800 < ord(letter) < 0x2900
        for y, pair in enumerate(BITS)
        for x, bit in enumerate(pair)
        if (ord(letter) - 0x2800) & bit
    ]


@pytest.mark.parametrize("name", NAMES)
def test_dots_are_within_one_of_the_curve(name: str) -> None:
    panel = panels([look_up(name)])[0]
    rows = text([panel], 64)
    left, height = rows[-2].index("└") + 1, 9
    field = [row[left:] for row in rows[1 : 1 + height]]
    columns = len(rows[1 + height]) - left
    across, down = 2 * columns, 4 * height
    (low_x, high_x), (low_y, high_y) = panel.x, panel.y
    (line,) = panel.lines
    for row, column in dots(field):
        edges = low_x + np.array([column - 1.0, column + 2.0]) / across * (high_x - low_x)
        values = np.concatenate([y[(x >= edges[0]) & (x <= edges[1])] for x, y in line.segments])
        rows_of = (high_y - values) / (high_y - low_y) * down
        assert rows_of.min() - 1.5 <= row + 0.5 <= rows_of.max() + 1.5
    assert {column for _, column in dots(field)} >= set(range(2, across - 2))  # no gap on the way


@pytest.mark.parametrize("width", [16, 24, 40, 60, 80, 100, 200])
@pytest.mark.parametrize("ascii", [False, True])
def test_no_row_is_wider_than_it_may_be(width: int, ascii: bool) -> None:
    for names in (["gelu"], ["relu", "tanh", "softplus"]):
        rows = text(panels([look_up(name) for name in names]), width, ascii=ascii)
        assert max(map(len, rows)) <= width


def test_plain_letters_are_all_ascii() -> None:
    drawn = text(panels([look_up("gelu"), look_up("relu")]), 80, ascii=True)
    assert "".join(drawn).replace("′", "").replace("″", "").isascii()  # titles are put right by the command
    assert any(":" in row for row in drawn)


def test_panels_stand_beside_each_other_where_there_is_room() -> None:
    gelu = panels([look_up("gelu")])
    assert len(text(gelu, 80)) == len(text(gelu[:1], 40))
    assert len(text(gelu, 30)) == 3 * len(text(gelu[:1], 30)) + 2


def test_several_lines_have_a_letter_each_in_their_own_style() -> None:
    rows = terminal(panels([look_up("relu"), look_up("tanh"), look_up("sin")]), 100)
    for number, letter in enumerate("abc"):
        drawn = "".join(piece for row in rows for piece, style in row if style == f"line-{number}")
        assert drawn.count(letter) == 3  # one in each panel


def test_a_letter_stands_on_its_own_line() -> None:
    x = np.linspace(-1, 1, 101)
    panel = Panel("f", (Line("a", ((x, x + 3),)), Line("b", ((x, -x),))), (-1.0, 1.0))
    rows = text([panel], 40)
    row_of = {letter: next(i for i, row in enumerate(rows) if letter in row[5:]) for letter in "ab"}
    assert row_of["a"] < row_of["b"]


def test_labels_are_numbers_of_their_rows() -> None:
    panel = panels([look_up("identity")], (-4.0, 4.0))[0]
    rows = text([panel], 60)
    marked = {float(row.split("┤")[0]): index for index, row in enumerate(rows) if "┤" in row}
    ordered = [index for _, index in sorted(marked.items())]
    assert ordered == sorted(ordered, reverse=True)
    assert rows[-1].split() == ["-4", "-2", "0", "2", "4"] or len(rows[-1].split()) > 4


def test_what_is_nowhere_finite_is_an_empty_field() -> None:
    assert text([Panel("f", (Line("a", ()), Line("b", ())), (-1.0, 1.0))], 40)
