"""How inputs merge at a critical point, against the correlation map itself."""

from __future__ import annotations

import math

import pytest
import torch

from limen.activations import Activation, Hardtanh, LeakyReLU, get
from limen.errors import InvalidValue
from limen.theory import Curve, Stack, edge_of_chaos, half_stable_points, merging, moments, next_correlation
from limen.theory.curve import Function


def test_the_printed_values() -> None:
    (tanh,) = edge_of_chaos("tanh", 0.05)
    assert (merging("tanh", tanh.variance).power, merging("tanh", tanh.variance).factor) == (
        1,
        pytest.approx(6.1711, abs=5e-5),
    )
    for variance in (0.1, 1.0, 70.0):
        assert merging("relu", variance).factor == pytest.approx(9 * math.pi**2 / 2, rel=1e-12)


@pytest.mark.parametrize("variance", [0.3, 1.0, 4.0])
def test_sine_and_error_function_have_closed_forms(variance: float) -> None:
    damped = math.exp(-2 * variance)
    assert merging(torch.sin, variance).factor == pytest.approx(2 * (1 + damped) / (variance * (1 - damped)), rel=1e-11)
    # E f'² = (4/π) / sqrt(1 + 4q) and E f''² = (16/π) q / (1 + 4q)^1.5
    assert merging(torch.erf, variance).factor == pytest.approx((1 + 4 * variance) / (2 * variance**2), rel=1e-11)


CASES: list[tuple[Function, float]] = [
    ("tanh", 0.57), ("gelu", 3.5), ("elu", 1.3), ("relu", 1.0), (LeakyReLU(0.2), 2.0), ("selu", 1.0),
    (Hardtanh(-1.0, 2.0), 0.8), ("hardswish", 4.8),
    (Curve(lambda x: torch.tanh(x) + (x - 0.5).abs(), kinks=(0.5,)), 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("function", "variance"), CASES)
def test_one_step_of_the_correlation_map_near_one_says_the_same(function: Function, variance: float) -> None:
    """``(1 - c)^(-1/power)`` grows by ``factor^(-1/power)`` per layer; what is left is linear in ``sqrt(1 - c)``."""
    found, at = merging(function, variance), moments(function, variance)
    bias = variance - at.square / at.slope_square
    rates = list[float]()
    for gap in (4e-3, 1e-3):
        if bias >= 0:
            after = 1 - next_correlation(Stack(function, 1 / at.slope_square, bias), 1 - gap, variance)
        else:  # on paper only: the map itself, whose biases would need a negative variance
            no_bias = Stack(function, 1.0)
            alike = next_correlation(no_bias, 1 - gap, variance) * at.square / at.slope_square
            after = 1 - (alike + bias) / variance
        rates.append(after ** (-1 / found.power) - gap ** (-1 / found.power))
    extrapolated = 2 * rates[1] - rates[0]
    assert extrapolated == pytest.approx(found.factor ** (-1 / found.power), rel=0.01)


def test_many_layers_come_to_the_law() -> None:
    (point,) = half_stable_points("gelu")
    law, c = merging("gelu", point.variance), 0.9
    stack = Stack("gelu", point.weight_variance, point.bias_variance)
    for _ in range(200):
        c = next_correlation(stack, c, point.variance)
    assert (1 - c) * 200 == pytest.approx(law.factor, rel=0.1)  # corrections of order log(200) / 200


def test_a_straight_line_merges_nothing() -> None:
    assert (merging("identity", 1.0).power, merging("identity", 1.0).factor) == (1, math.inf)
    assert merging(LeakyReLU(1.0), 1.0).factor == math.inf


@pytest.mark.parametrize("act", [get("relu"), get("selu"), get("hardswish"), get("relu6")], ids=repr)
def test_a_slope_that_jumps_has_power_two(act: Activation) -> None:
    assert merging(act, 1.0).power == 2


def test_what_cannot_be_critical_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"merging\(.*its slope is 0 wherever it reaches"):
        merging(torch.ones_like, 1.0)
    with pytest.raises(InvalidValue, match=r"merging\(variance=-1\.0\): expected a finite number > 0"):
        merging("tanh", -1.0)
