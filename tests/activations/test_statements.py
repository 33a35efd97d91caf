"""What the founding documents state of single functions, as identities of the entries."""

import math

import mpmath as mp
import pytest
import torch

from limen.activations import Entry, ReLU, get, names

X = torch.linspace(-30, 30, 1201, dtype=torch.float64)


def test_the_slope_of_the_logistic_function_in_three_forms() -> None:
    sigmoid = get("sigmoid")
    for x in (-40.0, -3.0, 0.0, 0.5, 12.0, 40.0):
        with mp.workdps(60):
            s, e = 1 / (1 + mp.exp(-mp.mpf(x))), mp.exp(mp.mpf(x))
            for form in (s * (1 - s), e / (1 + e) ** 2):
                assert float(sigmoid.df(torch.tensor(x, dtype=torch.float64))) == pytest.approx(float(form), rel=1e-15)


def test_the_steepest_slope_of_the_logistic_function_is_a_quarter_of_its_scale() -> None:
    assert float(get("sigmoid").df(torch.zeros(1))) == 0.25
    for a in (0.5, 1.702, 4.0):
        assert float((a * get("sigmoid").df(a * X)).max()) == pytest.approx(a / 4, rel=1e-12)


def test_a_layer_of_relu_is_zero_up_to_minus_b_over_a() -> None:
    a, b = 0.5, 2.0  # exact, so that the edge is
    assert torch.equal(get("relu").f(a * X + b) == 0, X.le(-b / a))


@pytest.mark.parametrize("a", [0.0, 0.25, 3.0])
def test_a_factor_that_is_not_negative_may_be_taken_out_of_relu(a: float) -> None:
    assert torch.equal(get("relu").f(a * X), a * get("relu").f(X))


@pytest.mark.parametrize("a", [0.0, 0.01, 0.3, 1.0])
def test_leaky_relu_is_the_larger_of_two_lines(a: float) -> None:
    assert torch.equal(get("leaky_relu", negative_slope=a).f(X), torch.maximum(a * X, X))


def test_both_conventions_of_the_slope_of_relu_at_zero_can_be_had() -> None:
    zero = torch.zeros(1)
    assert (get("relu").df(zero), get("relu", slope_at_kink="right").df(zero)) == (0, 1)
    assert ReLU().df(torch.tensor([-1e-30, 1e-30])).tolist() == [0, 1]


@pytest.mark.parametrize(("name", "low", "high"), [("sigmoid", 0, 1), ("tanh", -1, 1), ("relu", 0, 30)])
def test_ranges(name: str, low: float, high: float) -> None:
    y = get(name).f(X)
    assert (float(y.min()), float(y.max())) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize("name", names(kind="elementwise"))
def test_numbers_on_a_sheet_are_those_of_its_fields(name: str) -> None:
    act = get(name)
    assert isinstance(act, Entry)
    said, told = type(act).__doc__ or "", act.sheet
    turning = [root for root in told.roots if root and told.period is None]
    for number in (*turning, *(end for end in told.range[:1] if turning and -math.inf < end < 0)):
        assert f"{number:.5f}".rstrip("0").rstrip(".") in said, number
    if "steepest at" in said and turning:
        assert f"{told.lipschitz:.5f}" in said
