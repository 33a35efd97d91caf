"""Fixed points of the length and correlation maps."""

from __future__ import annotations

import math
from itertools import pairwise

import mpmath as mp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.errors import InvalidValue
from limen.theory import Stack, correlation_point, fixed_points, forward_gain, next_correlation, next_variance
from tests.activations.test_catalogue import EVERY

stacks = st.builds(Stack, st.sampled_from(EVERY), st.floats(0.3, 3), st.sampled_from([0.0, 0.05, 0.5]))


@given(stack=stacks)
@settings(max_examples=20, deadline=None)
def test_what_is_found_is_kept_attracts_or_repels_and_nothing_lies_between(stack: Stack) -> None:
    found = fixed_points(stack)
    for point in found:
        if point.variance == 0:
            continue
        assert next_variance(stack, point.variance) == pytest.approx(point.variance, rel=1e-10)
        if point.stability != "neutral":
            nearby = point.variance * 1.0001
            moved = abs(next_variance(stack, nearby) - point.variance) / (nearby - point.variance)
            assert (moved < 1) == (point.stability == "attracts") or moved == pytest.approx(1, abs=1e-3)
    # a map that crosses its diagonal upwards crosses it downwards next
    kinds = [point.stability for point in found if point.stability != "neutral"]
    assert all(lower != upper for lower, upper in pairwise(kinds))


def test_the_fixed_point_of_tanh_at_torchs_gain_agrees_with_higher_precision() -> None:
    (zero, point) = fixed_points(Stack("tanh", (5 / 3) ** 2))
    assert (zero.variance, zero.stability) == (0, "repels")
    with mp.workdps(18):
        gain = mp.mpf(25) / 9

        def excess(q: mp.mpf) -> mp.mpf:
            cuts = [-12, -4, 0, 4, 12]
            return gain * mp.quad(lambda z: mp.tanh(mp.sqrt(q) * z) ** 2 * mp.npdf(z), cuts) - q

        exact = mp.findroot(excess, (1.1, 1.3), solver="secant", tol=1e-15)
    assert point.variance == pytest.approx(float(exact), rel=1e-11)
    assert point.stability == "attracts"
    assert point.gradient_depth == pytest.approx(1 / math.log(point.chi_1))


@pytest.mark.parametrize("weight_variance", [1.5, 3.0])
def test_the_fixed_point_of_a_sine_solves_its_closed_equation(weight_variance: float) -> None:
    (zero, point) = fixed_points(Stack(torch.sin, weight_variance))
    assert zero.chi_q == pytest.approx(weight_variance)
    closed = weight_variance * -math.expm1(-2 * point.variance) / 2
    assert point.variance == pytest.approx(closed, rel=1e-11)
    assert point.chi_q == pytest.approx(weight_variance * math.exp(-2 * point.variance), rel=1e-9)
    assert point.variance_depth == pytest.approx(-1 / math.log(point.chi_q))


def test_selu_attracts_to_variance_one() -> None:
    points = fixed_points(Stack("selu", 1.0))
    assert [(point.variance, point.stability) for point in points] == [
        (0, "repels"),
        (pytest.approx(1, rel=1e-11), "attracts"),
    ]


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "hardswish", "quick_gelu", "squared_relu"])
def test_the_variance_preserving_gain_of_functions_that_dip_repels(name: str) -> None:
    zero, point = fixed_points(Stack(name, forward_gain(name) ** 2))
    assert (zero.variance, zero.stability) == (0, "attracts")
    assert (point.variance, point.stability) == (pytest.approx(1, rel=1e-9), "repels")
    above, below = 1.01, 0.99
    for _ in range(200):
        above, below = (next_variance(Stack(name, forward_gain(name) ** 2), q) for q in (above, below))
        if above > 2 and below < 0.5:
            return
    pytest.fail(f"the variances came to {above} and {below}")


@pytest.mark.parametrize("name", ["gelu", "silu", "hardswish"])
def test_with_the_gain_of_a_relu_they_lose_the_signal(name: str) -> None:
    (zero,) = fixed_points(Stack(name, 2.0))
    assert (zero.variance, zero.stability) == (0, "attracts")
    assert zero.chi_1 == pytest.approx(0.5)
    assert math.sqrt(zero.chi_1) ** 50 == pytest.approx(3.0e-8, rel=0.01)


def test_a_relu_at_its_gain_keeps_every_variance_and_one_beyond_keeps_none() -> None:
    (zero,) = fixed_points(Stack("relu", 2.0))
    assert (zero.variance, zero.stability, zero.gradient_depth) == (0, "neutral", math.inf)
    assert [point.stability for point in fixed_points(Stack("relu", 2.1))] == ["repels"]
    assert fixed_points(Stack("relu", 2.1, 0.1)) == ()


def test_relu_with_biases_has_the_fixed_point_of_a_straight_line() -> None:
    (point,) = fixed_points(Stack("relu", 1.0, 0.3))  # q = q/2 + 0.3
    assert point.variance == pytest.approx(0.6, rel=1e-12)
    assert (point.chi_q, point.chi_1) == (0.5, 0.5)


# --- correlation -----------------------------------------------------------------------------------------------


def only(stack: Stack) -> float:
    (variance,) = (point.variance for point in fixed_points(stack) if point.stability == "attracts")
    return variance


def test_in_order_all_inputs_come_to_look_alike() -> None:
    stack = Stack("tanh", 1.0, 0.05)
    point = correlation_point(stack, only(stack))
    assert point.correlation == 1
    assert point.depth == pytest.approx(-1 / math.log(point.chi_c))


def test_in_chaos_they_come_to_a_correlation_below_one() -> None:
    stack = Stack("tanh", 2.5, 0.05)
    variance = only(stack)
    point = correlation_point(stack, variance)
    assert 0 < point.correlation < 1
    assert next_correlation(stack, point.correlation, variance) == pytest.approx(point.correlation, abs=1e-12)
    c = 0.3
    for _ in range(60):
        c = next_correlation(stack, c, variance)
    assert c == pytest.approx(point.correlation, abs=0.15 * point.chi_c**60 * 1.5)


@pytest.mark.parametrize("bias_variance", [0.2, 0.02])
def test_the_correlation_point_of_the_error_function_solves_its_closed_equation(bias_variance: float) -> None:
    stack = Stack(torch.erf, 3.0, bias_variance)
    q = only(stack)
    c = correlation_point(stack, q).correlation
    closed = 3 * 2 / math.pi * math.asin(2 * q * c / (1 + 2 * q)) + bias_variance
    assert 0 < c < 1
    assert c == pytest.approx(closed / q, abs=1e-11)


def test_a_variance_that_is_not_kept_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"correlation_point\(variance=1\.0\): the next layer has variance .* kept"):
        correlation_point(Stack("tanh", 2.5, 0.05), 1.0)
