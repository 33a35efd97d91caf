"""Scaled and shifted functions keep the contract of the catalogue, and their maps are those of the theory."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.activations import ELU, LeakyReLU, get, tails
from limen.errors import InvalidValue
from limen.theory import Curve, LocalMaps, Scaled, forward_gain, kernel, local_maps, moments
from tests.activations.test_catalogue import GRID, away_from

BASES = [get("gelu"), get("hardswish"), ELU(0.3), Curve(torch.sin), Curve(torch.erf, name="erf")]
every = pytest.mark.parametrize("base", BASES, ids=["gelu", "hardswish", "elu", "sin", "erf"])


def scaled(base: object) -> Scaled:
    return Scaled(base, 0.7, 0.4, 1.3, -0.2)  # type: ignore[arg-type]


@every
def test_slope_and_curvature_are_what_autograd_says(base: object) -> None:
    function = scaled(base)
    x = away_from((*function.kinks, -0.4 / 0.7), GRID).clone().requires_grad_()
    (slope,) = torch.autograd.grad(function.f(x).sum(), x, create_graph=True)
    torch.testing.assert_close(function.df(x.detach()), slope.detach(), rtol=1e-12, atol=1e-12)
    curvature = torch.autograd.grad(slope.sum(), x)[0]
    torch.testing.assert_close(function.d2f(x.detach()), curvature, rtol=1e-11, atol=1e-12)


def test_kinks_move_with_the_argument() -> None:
    assert Scaled(get("hardtanh"), 0.5, 0.25, 2.0, 0.0).kinks == (-2.5, 1.5)
    assert Scaled(get("gelu"), 0.5, 0.25, 2.0, 0.0).monotone is False
    assert Scaled(get("tanh"), 0.5, 0.25, 2.0, 0.0).monotone is True


def test_it_is_taken_wherever_an_activation_is() -> None:
    function = scaled(get("relu"))
    assert tails(function).left == pytest.approx(-0.4 / 0.7)
    exact = Curve(lambda x: 1.3 * (torch.relu(0.7 * x + 0.4) - 0.2), kinks=(-0.4 / 0.7,))
    assert moments(function, 2.0).square == pytest.approx(moments(exact, 2.0).square, rel=1e-12)
    assert torch.equal(function(GRID), function.f(GRID))


@every
def test_local_maps_are_those_of_moments_and_kernels(base: object) -> None:
    function = scaled(base)
    maps, found = local_maps(function), moments(function)
    assert maps.variance == pytest.approx(found.square, rel=1e-12)
    assert maps.chi_q == pytest.approx(found.growth, rel=1e-12)
    assert maps.correlation == pytest.approx(kernel(function, 0.0) / found.square, rel=1e-11)
    assert maps.chi_1 == pytest.approx(found.slope_square * forward_gain(function) ** 2, rel=1e-12)


@given(scale=st.floats(0.05, 3), shift=st.floats(-2, 2))
@settings(max_examples=30, deadline=None)
def test_a_sine_has_the_maps_of_its_closed_forms(scale: float, shift: float) -> None:
    """``E sin² = (1 - e^{-2a²} cos 2b) / 2``; the slope and the curvature are a cosine and a sine again."""
    damped = math.exp(-2 * scale**2) * math.cos(2 * shift)
    square, cosine = (1 - damped) / 2, (1 + damped) / 2
    maps = local_maps(Scaled(Curve(torch.sin), scale, shift, 1.0, 0.0))
    expected = LocalMaps(
        variance=square,
        chi_q=scale**2 * damped,
        correlation=(math.exp(-(scale**2) / 2) * math.sin(shift)) ** 2 / square,
        chi_1=scale**2 * cosine / square,
        curvature=scale**4,
    )
    for field in ("variance", "chi_q", "correlation", "chi_1", "curvature"):
        assert getattr(maps, field) == pytest.approx(getattr(expected, field), rel=1e-10, abs=1e-14), field


@pytest.mark.parametrize(
    "base", [get("relu"), LeakyReLU(0.9), get("selu"), get("hardtanh"), get("hardswish")], ids=repr
)
def test_a_slope_that_jumps_has_no_curvature(base: object) -> None:
    assert local_maps(Scaled(base, 1.0, 0.1, 1.0, 0.0)).curvature == math.inf  # type: ignore[arg-type]


def test_a_jump_that_nobody_named_is_seen_too() -> None:
    assert local_maps(Scaled(Curve(lambda x: (x - 0.3).abs()), 1.0, 0.0, 1.0, 0.0)).curvature == math.inf


@pytest.mark.parametrize("value", [0.0, -1.0, math.inf, math.nan])
def test_scales_that_are_none_are_refused(value: float) -> None:
    with pytest.raises(InvalidValue, match=r"Scaled\(input_scale=.*\): expected a finite number > 0"):
        Scaled(get("tanh"), value, 0.0, 1.0, 0.0)
    with pytest.raises(InvalidValue, match=r"Scaled\(output_scale=.*\): expected a finite number > 0"):
        Scaled(get("tanh"), 1.0, 0.0, value, 0.0)
