"""Critical initialisations: closed forms, published values, and what variances near them do."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.activations import get, names
from limen.errors import InvalidValue
from limen.theory import (
    Curve,
    Stack,
    chi_1,
    chi_q,
    edge_of_chaos,
    fixed_points,
    half_stable_points,
    moments,
    next_variance,
)
from tests.activations.test_catalogue import EVERY


@given(act=st.sampled_from(EVERY), bias_variance=st.sampled_from([0.0, 0.01, 0.05, 0.3]))
@settings(max_examples=25, deadline=None)
def test_on_the_edge_gradients_and_the_variance_are_kept(act: object, bias_variance: float) -> None:
    for point in edge_of_chaos(act, bias_variance):  # type: ignore[arg-type]
        assert point.bias_variance == bias_variance
        if point.variance == 0:
            continue
        stack = Stack(act, point.weight_variance, point.bias_variance)  # type: ignore[arg-type]
        assert chi_1(stack, point.variance) == pytest.approx(1, rel=1e-12)
        assert chi_q(stack, point.variance) == pytest.approx(point.chi_q, rel=1e-12)
        assert next_variance(stack, point.variance) == pytest.approx(point.variance, rel=1e-9)


def test_tanh_at_small_biases_is_what_schoenholz_says() -> None:
    (point,) = edge_of_chaos("tanh", 0.05)
    assert point.weight_variance == pytest.approx(1.76, abs=0.005)
    assert point.stability == "attracts"


@pytest.mark.parametrize("bias_variance", [0.01, 0.05, 0.5])
def test_the_edge_of_the_error_function_solves_its_closed_equations(bias_variance: float) -> None:
    (point,) = edge_of_chaos(torch.erf, bias_variance)
    q = point.variance
    assert point.weight_variance == pytest.approx(math.pi / 4 * math.sqrt(1 + 4 * q), rel=1e-11)
    kept = point.weight_variance * 2 / math.pi * math.asin(2 * q / (1 + 2 * q)) + bias_variance
    assert q == pytest.approx(kept, rel=1e-9)


@pytest.mark.parametrize(
    ("function", "weight_variance"),
    [("tanh", 1), (torch.erf, math.pi / 4), (torch.sin, 1), ("relu", 2), (get("leaky_relu", negative_slope=0.5), 1.6)],
    ids=["tanh", "erf", "sin", "relu", "leaky_relu"],
)
def test_without_biases_the_edge_lies_at_small_signals(function: object, weight_variance: float) -> None:
    (point,) = edge_of_chaos(function)  # type: ignore[arg-type]
    assert (point.variance, point.bias_variance, point.chi_q) == (0, 0, 1)
    assert point.weight_variance == pytest.approx(weight_variance, rel=1e-14)


def test_where_there_is_no_edge_none_is_invented() -> None:
    assert edge_of_chaos("softplus") == ()
    assert edge_of_chaos("relu", 0.1) == ()  # q = q + 0.1 has no solution
    assert edge_of_chaos("squared_relu") == ()  # flat at 0, and E f'² grows with q


def test_a_gelu_has_an_edge_on_paper_that_repels() -> None:
    (point,) = edge_of_chaos("gelu", 0.05)
    assert point.stability == "repels"
    stack, variance = Stack("gelu", point.weight_variance, 0.05), 1.01 * point.variance
    for _ in range(60):
        variance = next_variance(stack, variance)
    assert variance > 1.5 * point.variance


def test_a_function_that_is_flat_around_zero_has_its_points_where_it_is_not() -> None:
    (point,) = edge_of_chaos("softshrink", 0.05)
    found = moments("softshrink", point.variance)
    assert point.weight_variance * found.slope_square == pytest.approx(1, rel=1e-9)
    assert point.weight_variance * found.square + 0.05 == pytest.approx(point.variance, rel=1e-9)


@pytest.mark.parametrize("bias_variance", [-0.1, math.inf, math.nan])
def test_what_is_no_bias_variance_is_refused(bias_variance: float) -> None:
    with pytest.raises(InvalidValue, match=r"edge_of_chaos\(bias_variance=.*\): expected a finite number >= 0"):
        edge_of_chaos("tanh", bias_variance)


# --- half-stable -----------------------------------------------------------------------------------------------

PRINTED = {"silu": (14.32017362, 1.98800468, 0.55514317), "gelu": ((3 + math.sqrt(17)) / 2, 1.98305826, 0.17292239)}
"""K*, C_W and C_b as in Roberts, Yaida & Hanin 2022, Sec. 5.3.4; for gelu K* solves K² = 3K + 2."""


@pytest.mark.parametrize("name", PRINTED)
def test_half_stable_points_are_those_that_are_printed(name: str) -> None:
    (point,) = half_stable_points(name)
    variance, weights, biases = PRINTED[name]
    assert point.variance == pytest.approx(variance, rel=1e-9)
    assert point.weight_variance == pytest.approx(weights, abs=5e-9)
    assert point.bias_variance == pytest.approx(biases, abs=5e-9)
    assert point.stability == "neutral"


def test_quick_gelu_is_silu_on_another_scale() -> None:
    (quick,), (silu,) = half_stable_points("quick_gelu"), half_stable_points("silu")
    assert quick.weight_variance == pytest.approx(silu.weight_variance, rel=1e-9)
    assert quick.variance == pytest.approx(silu.variance / 1.702**2, rel=1e-8)
    assert quick.bias_variance == pytest.approx(silu.bias_variance / 1.702**2, rel=1e-8)


@pytest.mark.parametrize(
    "name", ["gelu", "silu", "mish", "hardswish", "logish", "serf", "lisht", "phish", "snake", "star_relu"]
)
def test_half_stable_means_that_variances_close_by_come_from_one_side_and_go_on_the_other(name: str) -> None:
    (point,) = half_stable_points(name)
    stack = Stack(name, point.weight_variance, point.bias_variance)
    assert chi_1(stack, point.variance) == pytest.approx(1, abs=1e-12)
    assert chi_q(stack, point.variance) == pytest.approx(1, abs=1e-8)
    moves = [next_variance(stack, factor * point.variance) - factor * point.variance for factor in (0.999, 1.001)]
    assert (moves[0] > 0) == (moves[1] > 0)


def test_close_above_the_half_stable_point_of_silu_lies_one_that_attracts() -> None:
    (point,) = half_stable_points("silu")
    (near,) = fixed_points(Stack("silu", point.weight_variance, point.bias_variance))
    assert near.variance == pytest.approx(1.02 * point.variance, rel=0.002)
    assert near.stability == "attracts"
    beyond = 1.1 * near.variance
    assert near.variance < next_variance(Stack("silu", point.weight_variance, point.bias_variance), beyond) < beyond


def test_functions_that_dip_have_one_and_few_others() -> None:
    dipping = {"gelu", "gelu_tanh", "quick_gelu", "silu", "mish", "hardswish", "logish", "serf"}
    others = {"lisht", "phish", "snake", "star_relu"}
    begun_as_silu = {"swish", "acon_c", "kan_spline"}
    found = {name: half_stable_points(name) for name in names(kind="elementwise")}
    assert {name for name, points in found.items() if points} == dipping | others | begun_as_silu
    for name in begun_as_silu:
        assert found[name][0].variance == pytest.approx(found["silu"][0].variance, rel=1e-9)


def test_a_function_of_ones_own_may_have_one() -> None:
    (own,) = half_stable_points(Curve(lambda x: x * torch.sigmoid(x)))
    assert own.variance == pytest.approx(PRINTED["silu"][0], rel=1e-8)
