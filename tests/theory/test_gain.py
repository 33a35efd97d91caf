"""Gains against formulas, papers and what random layers do."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limen.activations import Hardtanh, LeakyReLU, get
from limen.errors import InvalidValue
from limen.theory import backward_gain, centred_gain, forward_gain


@given(slope=st.floats(-2, 2), variance=st.floats(1e-3, 1e3))
def test_straight_sides_have_one_gain_for_both_directions_at_every_variance(slope: float, variance: float) -> None:
    """The formula of ``torch.nn.init.calculate_gain``."""
    exact = torch.nn.init.calculate_gain("leaky_relu", slope)
    assert forward_gain(LeakyReLU(slope), variance) == pytest.approx(exact, rel=1e-14)
    assert backward_gain(LeakyReLU(slope), variance) == pytest.approx(exact, rel=1e-14)


NFNET = {
    "tanh": 1.593912, "relu": 1.713959, "gelu": 1.701504, "silu": 1.788129, "sigmoid": 4.803835, "softplus": 1.920332,
    "softsign": 2.338853, "elu": 1.2716, "selu": 1.000852, "leaky_relu": 1.705903, "logsigmoid": 1.919348,
}  # fmt: skip
"""The gains of NFNet (Brock et al. 2021), found there from random numbers."""


@pytest.mark.parametrize("name", NFNET)
def test_centred_gains_are_those_of_nfnet_without_their_sampling_error(name: str) -> None:
    assert centred_gain(name) == pytest.approx(NFNET[name], rel=1e-3)


def test_centred_gain_of_relu_has_a_closed_form() -> None:
    assert centred_gain("relu") == pytest.approx(1 / math.sqrt((1 - 1 / math.pi) / 2), rel=1e-13)


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "hardsigmoid"])
def test_a_centred_gain_does_not_lose_digits_at_small_variances(name: str) -> None:
    # f is f(0) + f'(0) z there; the next term of the variance is of relative order q
    slope = float(get(name).df(torch.zeros(1).double()))
    assert centred_gain(name, 1e-9) == pytest.approx(1 / slope, rel=1e-8)


def test_closed_forms_of_sine_and_error_function() -> None:
    assert forward_gain(torch.sin) == pytest.approx(math.sqrt(2 / -math.expm1(-2)), rel=1e-13)
    assert backward_gain(torch.sin) == pytest.approx(math.sqrt(2 / (1 + math.exp(-2))), rel=1e-13)
    assert forward_gain(torch.erf) == pytest.approx(math.sqrt(math.pi / 2 / math.asin(2 / 3)), rel=1e-13)
    assert backward_gain(torch.erf) == pytest.approx(math.sqrt(math.pi / 4 * math.sqrt(5)), rel=1e-13)
    assert backward_gain(torch.atan) > 0


@pytest.mark.parametrize("name", ["gelu", "tanh", "selu", "hardswish"])
def test_a_wide_random_layer_keeps_the_variance_with_that_gain(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    fan_in, fan_out, variance = 1000, 1000, 1.7
    z = math.sqrt(variance) * torch.randn(500, fan_in, generator=generator)
    weight = torch.randn(fan_out, fan_in, generator=generator) / math.sqrt(fan_in)
    act = get(name)
    after = forward_gain(name, variance) * act.f(z) @ weight.T
    assert float(after.var()) == pytest.approx(variance, rel=0.02)  # 3.5 standard errors of 1e6 dependent samples
    back = backward_gain(name, variance) * act.df(z) * (torch.randn(500, fan_out, generator=generator) @ weight)
    assert float(back.var()) == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("gain", [forward_gain, backward_gain, centred_gain])
def test_a_variance_that_is_none_is_refused_with_the_way_out(gain: object) -> None:
    with pytest.raises(
        InvalidValue, match=r"gain\(variance=0\.0\): expected a finite number > 0, .* input is constant"
    ):
        gain("relu", 0.0)  # type: ignore[operator]


def test_a_function_that_passes_nothing_on_has_no_gain() -> None:
    with pytest.raises(InvalidValue, match=r"forward_gain\(.*the mean square of its value is 0, so no gain"):
        forward_gain(torch.zeros_like)
    with pytest.raises(InvalidValue, match=r"backward_gain\(.*the mean square of its slope is 0"):
        backward_gain(torch.ones_like)
    with pytest.raises(InvalidValue, match=r"centred_gain\(Hardtanh.*the mean square of its deviation from its mean"):
        centred_gain(Hardtanh(1000.0, 1001.0))
