"""The maps of a stack of wide layers, against closed forms and a random network."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.activations import get
from limen.errors import InvalidValue, UnknownName
from limen.theory import Stack, chi_1, chi_c, chi_q, depth_scale, next_correlation, next_variance
from limen.theory.curve import as_curve
from tests.activations.test_catalogue import EVERY

stacks = st.builds(Stack, st.sampled_from(EVERY), st.floats(0.1, 4), st.floats(0, 1))
SMOOTH = [
    act for act in EVERY if not as_curve(act).jumps
]  # a slope does not show a jump, which Price's theorem asks for
continuous = st.builds(Stack, st.sampled_from(SMOOTH), st.floats(0.1, 4), st.floats(0, 1))


def test_default_linear_layers_with_relu_shrink_the_gradient_of_50_layers_by_39_decades() -> None:
    default = Stack("relu", 1 / 3)
    assert chi_1(default, 1.0) == pytest.approx(1 / 6, rel=1e-15)
    assert chi_1(default, 1.0) ** 50 == pytest.approx(1.2e-39, rel=0.05)
    assert chi_1(Stack("relu", 2.0), 1.0) == 1


@given(stack=stacks, variance=st.floats(0.01, 30))
@settings(max_examples=25, deadline=None)
def test_chi_q_is_the_slope_of_the_length_map(stack: Stack, variance: float) -> None:
    step = 1e-4 * variance
    ends = [next_variance(stack, variance + side * step) for side in (-2, -1, 1, 2)]
    slope = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)  # the error is of fourth order
    # rounding of Q of up to 4 · 30² by 1e-13, over a step of 1e-4
    assert chi_q(stack, variance) == pytest.approx(slope, rel=1e-7, abs=1e-8)


@given(stack=continuous, c=st.floats(-0.9, 0.9), variance=st.floats(0.1, 10))
@settings(max_examples=15, deadline=None)
def test_chi_c_is_the_slope_of_the_correlation_map(stack: Stack, c: float, variance: float) -> None:
    """Price's theorem."""
    step = 1e-3
    ends = [next_correlation(stack, c + side * step, variance) for side in (-2, -1, 1, 2)]
    slope = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)
    assert chi_c(stack, c, variance) == pytest.approx(slope, abs=1e-7)


@given(stack=stacks, variance=st.floats(0.01, 30), c=st.sampled_from([-1.0, 1.0]))
@settings(max_examples=15, deadline=None)
def test_the_correlation_map_can_be_iterated(stack: Stack, variance: float, c: float) -> None:
    for _ in range(5):
        c = next_correlation(stack, c, variance)
        assert -1 <= c <= 1


@given(stack=stacks, variance=st.floats(0.01, 30))
@settings(max_examples=15, deadline=None)
def test_equal_inputs_stay_equal(stack: Stack, variance: float) -> None:
    assert next_correlation(stack, 1.0, variance) == pytest.approx(1, rel=1e-12)
    kept = chi_1(stack, variance) * variance / next_variance(stack, variance)
    assert chi_c(stack, 1.0, variance) == pytest.approx(kept, rel=1e-12)


def test_at_the_critical_point_of_relu_correlations_approach_one_as_their_known_power() -> None:
    """Hayou et al. 2019: ``1 - c ~ 9 π² / (2 l²)``."""
    stack, c = Stack("relu", 2.0), 0.0
    for _ in range(10_000):
        c = next_correlation(stack, c, 1.0)
    assert (1 - c) * 1e8 == pytest.approx(9 * math.pi**2 / 2, rel=0.005)


@pytest.mark.parametrize("name", ["gelu", "tanh", "relu"])
def test_a_wide_random_network_does_what_the_maps_say(name: str) -> None:
    generator = torch.Generator().manual_seed(1)
    width, stack = 3000, Stack(name, 1.9, 0.1)
    z = torch.randn(2, width, generator=generator)
    z[1] = 0.6 * z[0] + 0.8 * z[1]
    variance, correlation, act = 1.0, 0.6, get(name)
    for _ in range(4):
        weight = torch.randn(width, width, generator=generator) * math.sqrt(stack.weight_variance / width)
        bias = torch.randn(width, generator=generator) * math.sqrt(stack.bias_variance)
        z = act.f(z) @ weight.T + bias
        correlation = next_correlation(stack, correlation, variance)
        variance = next_variance(stack, variance)
    # relative deviations of order sqrt(2 / width) per layer, four layers: 5 %; three times that
    assert float(z.square().mean()) == pytest.approx(variance, rel=0.15)
    assert float(z[0] @ z[1] / z[0].norm() / z[1].norm()) == pytest.approx(correlation, abs=0.06)


@pytest.mark.parametrize(("slope", "depth"), [(math.exp(-1), 1.0), (math.e, 1.0), (1.0, math.inf), (0.0, 0.0)])
def test_depth_scale(slope: float, depth: float) -> None:
    assert depth_scale(slope) == pytest.approx(depth, rel=1e-15)


@pytest.mark.parametrize("slope", [-0.1, math.inf, math.nan])
def test_a_slope_that_is_none_has_no_depth_scale(slope: float) -> None:
    with pytest.raises(InvalidValue, match=r"depth_scale\(slope=.*\): expected a finite number >= 0"):
        depth_scale(slope)


@pytest.mark.parametrize("weight_variance", [0.0, -1.0, math.nan])
def test_a_stack_needs_weights(weight_variance: float) -> None:
    with pytest.raises(
        InvalidValue, match=r"weight_variance=.*expected a finite number > 0.*He initialisation is 2\.0"
    ):
        Stack("relu", weight_variance)


def test_a_stack_needs_a_bias_variance_and_an_activation_that_exist() -> None:
    with pytest.raises(InvalidValue, match=r"Stack\(bias_variance=-0\.1\): expected a finite number >= 0"):
        Stack("relu", 2.0, -0.1)
    with pytest.raises(UnknownName, match="Did you mean 'gelu'"):
        Stack("gleu", 2.0)
