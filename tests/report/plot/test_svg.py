"""The picture as a document: well formed, on its field, and along the curve."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from limen.activations import names
from limen.functions import look_up, panels
from limen.report.plot import STYLE, Line, Panel, svg, thumbnail
from limen.report.plot.svg import FIELD, LEFT, PANEL, RIGHT, TOP

NUMBER = r"-?\d+(?:\.\d+)?"


def drawn(text: str) -> list[list[np.ndarray]]:
    """The strokes of each curve: ``[points, 2]`` of each unbroken part."""
    paths = re.findall(r'<path d="(M[^"]*)" style="stroke:var\(--line', text)
    return [
        [np.array(re.findall(rf"({NUMBER}) ({NUMBER})", stroke), dtype=float) for stroke in path.split("M")[1:]]
        for path in paths
    ]


@pytest.mark.parametrize("name", names(kind="elementwise"))
def test_every_picture_is_well_formed_and_inside_its_frame(name: str) -> None:
    shown = panels([look_up(name)])
    text = svg(shown, title=name)
    root = ET.fromstring(text)
    width, height = (float(root.attrib[side]) for side in ("width", "height"))
    for strokes in drawn(text):
        for points in strokes:
            assert (points >= 0).all()
            assert (points[:, 0] <= width).all()
            assert (points[:, 1] <= height).all()
    assert len(text) < 20_000
    ET.fromstring(thumbnail(shown[0], title=name))


@pytest.mark.parametrize("name", ["gelu", "relu", "sin", "hardshrink", "mish"])
def test_the_line_is_within_a_tenth_of_a_pixel_of_the_curve(name: str) -> None:
    for index, panel in enumerate(panels([look_up(name)])):
        (line,) = panel.lines
        (strokes,) = [drawn(svg(panels([look_up(name)]), title=name))[index]]
        assert len(strokes) == len(line.segments)
        (x0, x1), (y0, y1) = panel.x, panel.y
        for points, (x, y) in zip(strokes, line.segments, strict=True):
            across = index * PANEL + LEFT + (x - x0) / (x1 - x0) * (PANEL - LEFT - RIGHT)
            down = TOP + (y1 - y) / (y1 - y0) * FIELD
            flat = np.abs(np.diff(down)) < 3 * np.diff(across)  # where it is steep, distance is not height
            off = np.abs(np.interp(across, points[:, 0], points[:, 1]) - down)
            assert off[1:][flat].max(initial=0.0) <= 0.5
            assert off[0] <= 0.2


def test_a_slope_at_a_kink_is_a_full_dot_and_the_other_side_an_empty_one() -> None:
    text = svg(panels([look_up("relu")]), title="relu")
    full, empty = (
        re.findall(rf'cy="({NUMBER})"[^>]*fill:{fill}', text) for fill in (r"var\(--line-0", r"var\(--paper")
    )
    assert len(full) == len(empty) == 1
    assert float(full[0]) > float(empty[0])  # 0 is below 1


def test_names_are_escaped_and_told_where_there_are_several() -> None:
    x = np.array([0.0, 1.0])
    hostile = "<script>alert('x')</script>&"
    text = svg([Panel("f", (Line(hostile, ((x, x),)), Line("b", ((x, -x),))), (0.0, 1.0))], title=hostile)
    assert "<script" not in text
    assert [one.text for one in ET.fromstring(text).iter() if one.text and "alert" in one.text] == [hostile] * 2


def test_the_looks_may_be_left_to_the_page() -> None:
    shown = panels([look_up("relu")])
    assert STYLE in svg(shown, title="relu")
    assert "<style" not in svg(shown, title="relu", style=False)
    assert "<style" not in thumbnail(shown[0], title="relu")
