"""Functions of straight pieces, against numpy's interpolation and the laws of their sheets."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limen.activations import APL, LinearSpline
from limen.activations.polyline import Polyline

numbers = st.floats(-8, 8).map(lambda number: round(number, 3))
rows = st.lists(numbers, min_size=3, max_size=9)


@given(rows)
def test_a_linear_spline_is_what_numpy_interpolates(values: list[float]) -> None:
    entry = LinearSpline(tuple(values), -2.0, 2.0)
    x = np.linspace(-2, 2, 201)
    wanted = np.interp(x, np.linspace(-2, 2, len(values)), values)
    np.testing.assert_allclose(entry.f(torch.from_numpy(x)).numpy(), wanted, rtol=1e-12, atol=1e-13)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
def test_an_adaptive_function_is_the_sum_of_its_hinges(pairs: list[tuple[float, float]]) -> None:
    slopes, hinges = zip(*pairs, strict=True)
    entry = APL(slopes, hinges)
    x = torch.linspace(-10, 10, 401, dtype=torch.float64) + 0.0003
    wanted = x.clamp(min=0) + sum(slope * (hinge - x).clamp(min=0) for slope, hinge in pairs)
    torch.testing.assert_close(entry.f(x), wanted, rtol=1e-12, atol=1e-11)
    steep = (x > 0).double() - sum(slope * (x < hinge).double() for slope, hinge in pairs)
    torch.testing.assert_close(entry.df(x), steep, rtol=1e-12, atol=1e-12)


@given(rows)
def test_a_sheet_says_what_a_fine_grid_shows(values: list[float]) -> None:
    entry = LinearSpline(tuple(values), -2.0, 2.0)
    sheet, slopes = entry.sheet, entry.df(torch.linspace(-3, 3, 2003, dtype=torch.float64))
    assert sheet.lipschitz == pytest.approx(float(slopes.abs().max()), rel=1e-12)
    assert sheet.monotone is bool((slopes >= 0).all())
    y = entry.f(torch.tensor([-math.inf, *np.linspace(-2, 2, 2001), math.inf], dtype=torch.float64))
    assert sheet.range[0] <= float(y.min()) + 1e-9
    assert sheet.range[1] >= float(y.max()) - 1e-9
    assert sheet.limits == (float(y[0]), float(y[-1]))


def test_mirrored_values_make_an_odd_function_to_the_last_bit_with_or_without_a_knot_at_0() -> None:
    x = torch.linspace(-3, 3, 1001, dtype=torch.float64)
    for knots in (7, 8):
        half = [math.tanh(k / 3) for k in range(1, knots // 2 + 1)]
        values = (*(-one for one in reversed(half)), *([0.0] if knots % 2 else []), *half)
        entry = LinearSpline(values, -2.0, 2.0)
        assert entry.sheet.parity == "odd"
        assert torch.equal(entry.f(-x), -entry.f(x))


def test_level_ends_stay_level_at_infinity() -> None:
    flat = Polyline((-1.0, 0.0, 1.0), (2.0, 0.0, 2.0), (0.0, -2.0, 2.0, 0.0), (-2.0, 2.0, 0.0))
    ends = torch.tensor([-math.inf, math.inf], dtype=torch.float64)
    assert flat.f(ends).tolist() == [2.0, 2.0]
    assert flat.df(ends).tolist() == [0.0, 0.0]
    assert flat.sheet(2000).parity == "even"
