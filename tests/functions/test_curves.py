"""Curves pass through the points of their functions, and are broken where these jump."""

import math

import numpy as np
import pytest
import torch

from limen.activations import describe, get, names
from limen.errors import InvalidValue
from limen.functions import look_up, of_description, panels
from limen.functions.curves import window
from limen.report.plot import Line

ELEMENTWISE = names(kind="elementwise")


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_point_of_a_curve_is_one_of_the_function(name: str) -> None:
    act = get(name)
    for panel, truth in zip(panels([look_up(name)]), (act.f, act.df, act.d2f), strict=True):
        (line,) = panel.lines
        for x, y in line.segments:
            np.testing.assert_array_equal(y, truth(torch.from_numpy(x)).numpy())


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_parts_of_a_curve_reach_from_side_to_side_and_hold_no_jump(name: str) -> None:
    drawn = panels([look_up(name)])
    for panel, next_panel in zip(drawn, [*drawn[1:], None], strict=True):
        (line,) = panel.lines
        assert line.segments[0][0][0] == pytest.approx(panel.x[0])
        assert line.segments[-1][0][-1] == pytest.approx(panel.x[1])
        for x, y in line.segments:
            assert (np.diff(x) > 0).all()
            if next_panel is not None:  # within a part the mean value theorem holds, with the slopes that are drawn
                steepest = np.abs(next_panel.lines[0].values()).max()
                assert (np.abs(np.diff(y)) <= 1.01 * steepest * np.diff(x) + 1e-12).all()


def test_a_slope_that_jumps_is_broken_there_and_its_value_there_is_marked() -> None:
    value, slope, _ = (panel.lines[0] for panel in panels([look_up("relu")]))
    assert len(value.segments) == 1
    (left, _), (right, _) = slope.segments
    assert left[-1] < 0 < right[0]
    assert slope.dots == ((0.0, 0.0),)
    (kink,) = panels([look_up("relu", slope_at_kink="mean")])[1].lines[0].dots
    assert kink == (0.0, 0.5)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_what_happens_to_a_function_is_in_sight(name: str) -> None:
    subject = look_up(name)
    low, high = window([subject])
    sheet = get(name).sheet  # type: ignore[attr-defined]
    assert all(low < place < high for place in (*sheet.kinks, *sheet.bends, *sheet.roots))
    assert high - low <= 60


def test_functions_are_drawn_over_one_axis_and_those_without_a_curve_left_out() -> None:
    drawn = panels([look_up("relu6"), look_up("glu"), look_up("softmax"), look_up("tanh")])
    assert {panel.x for panel in drawn} == {drawn[0].x}
    assert [line.name for line in drawn[0].lines] == ["relu6", "tanh"]
    with pytest.raises(InvalidValue, match=r"glu, softmax: no function of one number, so there is no curve to draw\."):
        panels([look_up("glu"), look_up("softmax")])


@pytest.mark.parametrize("ends", [(1.0, 1.0), (2.0, 1.0), (0.0, math.inf), (math.nan, 1.0)])
def test_an_empty_window_is_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(InvalidValue, match="expected two finite numbers, the smaller one first"):
        panels([look_up("relu")], ends)


def test_a_user_s_function_is_drawn_where_it_is_finite() -> None:
    (line,) = panels([of_description(describe(torch.log))], (-2.0, 2.0))[0].lines
    assert isinstance(line, Line)
    assert min(x[0] for x, _ in line.segments) > 0
    for x, y in line.segments:
        np.testing.assert_allclose(y, np.log(x), rtol=1e-14)
