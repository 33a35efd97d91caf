"""The chain rule along one path, with the sums that texts do by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limen.errors import InvalidValue
from limen.theory import chain_gradient


def test_five_layers_of_relu_leave_64_times_as_much_as_of_sigmoid() -> None:
    relu = chain_gradient(5, 0.1, 1.0, factors=3)
    sigmoid = chain_gradient(5, 0.1, 0.25, factors=3)
    assert (relu, sigmoid) == (pytest.approx(0.001, rel=1e-14), pytest.approx(1.5625e-5, rel=1e-14))
    assert relu / sigmoid == pytest.approx(4**3, rel=1e-14)


def test_four_factors_are_two_and_a_half_million_not_64000() -> None:
    assert 1 / chain_gradient(4, 0.1, 0.25) == pytest.approx(2.56e6, rel=1e-13)
    assert 1 / chain_gradient(4, 0.1, 0.25, factors=3) == pytest.approx(64_000, rel=1e-13)


@pytest.mark.parametrize(
    ("factors", "relu", "sigmoid", "ratio"),
    [(8, 6.561e-5, 1.0011e-9, 65_536), (9, 1.9683e-5, 7.508e-11, 262_144), (10, 5.9049e-6, 5.631e-12, 1_048_576)],
)
def test_ten_layers_for_each_way_to_count_the_factors(factors: int, relu: float, sigmoid: float, ratio: int) -> None:
    found = [chain_gradient(10, 0.3, slope, factors=factors) for slope in (1.0, 0.25)]
    assert found == [pytest.approx(relu, rel=1e-4), pytest.approx(sigmoid, rel=1e-3)]
    assert found[0] / found[1] == pytest.approx(ratio, rel=1e-12)


def test_weights_of_one_half_and_twenty_sigmoids() -> None:
    assert chain_gradient(5, 0.5, factors=3) == 0.125
    assert chain_gradient(20, slope=0.25) == 0.25**20
    assert chain_gradient(20) == 1


@pytest.mark.parametrize("pairs", [1, 2, 5])
def test_relu_and_sigmoid_in_turn_halve_the_gradient_per_layer(pairs: int) -> None:
    assert chain_gradient(2 * pairs, slope=[1.0, 0.25] * pairs) == 0.5 ** (2 * pairs)


@given(weights=st.floats(-2, 2), depth=st.integers(1, 12), start=st.floats(-3, 3))
def test_autograd_finds_the_same_in_a_chain_of_single_units(weights: float, depth: int, start: float) -> None:
    x = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    z, slopes = x, list[float]()
    for _ in range(depth):
        slopes.append(float(1 - torch.tanh(z.detach()) ** 2))
        z = weights * torch.tanh(z)
    (gradient,) = torch.autograd.grad(z, x)
    assert chain_gradient(depth, weights, slopes) == pytest.approx(float(gradient), rel=1e-9, abs=1e-300)


def test_what_is_too_small_for_double_precision_is_zero() -> None:
    assert chain_gradient(10_000, slope=0.25) == 0


@pytest.mark.parametrize("depth", [0, -3, 2.5, True])
def test_a_depth_that_is_none_is_refused(depth: object) -> None:
    with pytest.raises(InvalidValue, match=r"chain_gradient\(depth=.*\): expected a whole number >= 1"):
        chain_gradient(depth)  # type: ignore[arg-type]


def test_factors_below_zero_are_refused() -> None:
    with pytest.raises(InvalidValue, match=r"factors=-1\): expected a whole number >= 0, how many weights"):
        chain_gradient(3, factors=-1)


def test_slopes_must_be_as_many_as_the_factors() -> None:
    with pytest.raises(InvalidValue, match=r"found 2 slopes for 3 factors\. Give one for each, or one number"):
        chain_gradient(3, slope=[1.0, 0.25])


@pytest.mark.parametrize("weight", [math.inf, math.nan])
def test_weights_must_be_finite(weight: float) -> None:
    with pytest.raises(InvalidValue, match=r"chain_gradient\(weight=.*\): expected finite numbers"):
        chain_gradient(3, weight)
