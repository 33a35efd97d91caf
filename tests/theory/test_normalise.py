"""Kumar's gains and SELU's construction."""

from __future__ import annotations

import math

import pytest
import torch

from limen.activations import ELU, Activation
from limen.errors import InvalidValue
from limen.theory import Curve, Stack, kumar_gain, moments, next_variance, self_normalising
from limen.theory.curve import as_curve
from tests.activations.test_catalogue import EVERY


def test_kumar_finds_3_6_for_the_sigmoid_and_1_for_tanh() -> None:
    assert kumar_gain("sigmoid") == pytest.approx(math.sqrt(12.8), rel=1e-14)  # 1 / (0.25² · 1.25)
    assert kumar_gain("tanh") == 1
    assert kumar_gain(lambda x: torch.sin(-2 * x)) == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["relu", "selu", "squared_relu"])
def test_kumar_needs_one_slope_at_zero(name: str) -> None:
    with pytest.raises(InvalidValue, match=r"just left of 0 and .* just right of it\. .*Use forward_gain"):
        kumar_gain(name)


@pytest.mark.parametrize("act", [act for act in EVERY if act.name != "relu6"], ids=repr)
def test_scaled_and_shifted_every_function_keeps_mean_0_and_variance_1(act: Activation) -> None:
    found = self_normalising(act)
    own = Curve(lambda x: found.scale * act.f(x) + found.shift, None, act.kinks, jumps=as_curve(act).jumps)
    at_one = moments(own)
    assert at_one.mean == pytest.approx(0, abs=1e-12)
    assert at_one.square == pytest.approx(1, rel=1e-12)
    assert found.chi_1 == pytest.approx(at_one.slope_square, rel=1e-11)
    above, below = (next_variance(Stack(own, 1.0), 1 + side * 1e-4) for side in (1, -1))
    assert found.chi_q == pytest.approx((above - below) / 2e-4, abs=1e-6)


def test_selu_is_its_own_construction() -> None:
    found = self_normalising("selu")
    assert (found.scale, found.shift) == (pytest.approx(1, rel=1e-14), pytest.approx(0, abs=1e-14))
    assert found.stability == "attracts"


def test_elu_with_the_alpha_of_selu_gets_the_scale_of_selu() -> None:
    """Klambauer et al. 2017, Eq. 14."""
    found = self_normalising(ELU(1.6732632423543772))
    assert found.scale == pytest.approx(1.0507009873554805, rel=1e-13)
    assert found.shift == pytest.approx(0, abs=1e-13)


@pytest.mark.parametrize("name", ["elu", "selu", "tanh", "sigmoid", "softsign", "hardtanh"])
def test_these_are_drawn_to_variance_one(name: str) -> None:
    assert self_normalising(name).stability == "attracts"
    for variance in (0.5, 2.0):
        assert settled(name, variance) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("name", ["gelu", "silu", "hardswish", "softplus", "mish"])
def test_no_scale_and_shift_make_these_self_normalising(name: str) -> None:
    found = self_normalising(name)
    assert (found.chi_q > 1, found.stability) == (True, "repels")


def test_relu_is_neutral() -> None:
    assert self_normalising("relu").stability == "neutral"


def settled(name: str, variance: float) -> float:
    """The variance after 40 layers."""
    found, curve = self_normalising(name), as_curve(name)
    own = Curve(lambda x: found.scale * curve.f(x) + found.shift, None, curve.kinks)
    for _ in range(40):
        variance = next_variance(Stack(own, 1.0), variance)
    return variance


def test_a_constant_cannot_be_normalised() -> None:
    with pytest.raises(InvalidValue, match=r"self_normalising\(.*it is 1 wherever standard normal numbers reach"):
        self_normalising(torch.ones_like)
