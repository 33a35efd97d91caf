import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.report.plot.panel import Line, Panel, label, ticks


@given(start=st.floats(-100, 100), span=st.floats(1e-3, 1e6), most=st.integers(2, 12))
def test_ticks_are_few_round_even_and_inside(start: float, span: float, most: int) -> None:
    low = start * span
    found = ticks(low, low + span, most)
    assert len(found) <= most
    assert all(low - 1e-9 * span - 1e-9 <= tick <= low + span + 1e-9 * span + 1e-9 for tick in found)
    steps = np.diff(found)
    if len(steps):
        assert np.ptp(steps) <= 1e-6 * steps[0]
        digits = steps[0] / 10.0 ** math.floor(math.log10(steps[0] * (1 + 1e-9)))
        assert any(digits == pytest.approx(one, rel=1e-5) for one in (1, 2, 5))


@given(low=st.floats(-1e3, 1e3), span=st.floats(1.0, 1e3), most=st.integers(5, 12))
def test_there_are_at_least_two_ticks(low: float, span: float, most: int) -> None:
    assert len(ticks(low, low + span, most)) >= 2


@pytest.mark.parametrize(("tick", "text"), [(0.1 + 0.2, "0.3"), (-2.0, "-2"), (1e-7, "1e-7"), (12345.0, "12345")])
def test_labels_are_short(tick: float, text: str) -> None:
    assert label(tick) == text


def test_the_vertical_axis_holds_every_value_and_zero() -> None:
    x = np.array([0.0, 1.0])
    panel = Panel("f", (Line("a", ((x, np.array([2.0, 5.0])),), dots=((0.5, 7.0),)),), (0.0, 1.0))
    low, high = panel.y
    assert low < 0
    assert high > 7
    assert Panel("f", (Line("a", ((x, np.zeros(2)),)),), (0.0, 1.0)).y == (-1.0, 1.0)
    assert Panel("f", (Line("a", ()),), (0.0, 1.0)).y == (-1.0, 1.0)
