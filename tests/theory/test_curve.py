"""What the theory may be asked about, and the words in which it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from limen.activations import get
from limen.errors import InvalidValue, UnknownName
from limen.theory import Curve, moments
from limen.theory.curve import as_curve


@pytest.mark.parametrize(
    "function", ["mish", get("mish"), nn.Mish(), nn.functional.mish], ids=["name", "entry", "module", "function"]
)
def test_a_name_an_entry_a_module_and_a_function_give_the_same(function: object) -> None:
    assert moments(function, 2.0).square == pytest.approx(moments("mish", 2.0).square, rel=1e-13)  # type: ignore[arg-type]


def test_a_kink_that_nobody_named_costs_no_accuracy() -> None:
    bent = moments(lambda x: (x - 0.3).abs())
    assert bent.square == pytest.approx(1.09, rel=1e-12)  # E (z - 0.3)²
    assert bent.slope_square == pytest.approx(1, rel=1e-12)


def test_a_constant_has_no_slope() -> None:
    assert moments(torch.ones_like).slope_square == 0


def test_slopes_are_found_where_gradients_are_off() -> None:
    with torch.no_grad():
        assert moments(torch.sin).slope == pytest.approx(math.exp(-0.5))
    with torch.inference_mode():
        assert moments(torch.sin).slope == pytest.approx(math.exp(-0.5))


def test_nothing_random_is_drawn() -> None:
    before = torch.random.get_rng_state()
    moments(torch.sin)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("variance", [0.0, -1.0, math.inf, math.nan])
def test_what_is_no_variance_is_refused(variance: float) -> None:
    with pytest.raises(InvalidValue, match=r"moments\(variance=.*\): expected a finite number > 0"):
        moments("relu", variance)


@pytest.mark.parametrize("variance", ["wide", None, True, [1.0, 2.0]], ids=repr)
def test_what_is_no_number_is_refused(variance: object) -> None:
    with pytest.raises(InvalidValue, match=r"moments\(variance=.*\): expected a finite number > 0"):
        moments("relu", variance)  # type: ignore[arg-type]


def test_a_measured_variance_may_be_a_tensor() -> None:
    found = moments("relu", torch.tensor(2.0))  # type: ignore[arg-type]
    assert (found.variance, found.square) == (2.0, 1.0)
    assert type(found.square) is float


def test_a_name_that_does_not_exist_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"named 'gleu'\. Did you mean 'gelu'\?"):
        moments("gleu")


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"a function of a tensor, found 3\. limen\.activations\.names\(kind="):
        moments(3)  # type: ignore[arg-type]


def test_a_gated_unit_is_refused_by_name_and_as_an_entry() -> None:
    with pytest.raises(InvalidValue, match=r"swiglu is a function of several inputs\. Expected a function of each"):
        moments("swiglu")
    with pytest.raises(InvalidValue, match=r"found SwiGLU\(beta=1\.0\)\. limen\.activations\.names\(kind="):
        moments(get("swiglu"))


def test_a_function_that_overflows_says_where() -> None:
    with pytest.raises(InvalidValue, match=r"The value of .* is not finite at x = .* smaller variance"):
        moments(torch.exp, 1e5)


def test_a_function_of_several_numbers_at_once_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"has shape \[\]. Expected a function of each number by itself"):
        moments(torch.sum)


def test_a_function_too_wild_to_be_integrated_is_refused() -> None:
    with pytest.raises(InvalidValue, match="changes too fast to be integrated"):
        moments(lambda x: torch.sin(1e6 * x))


def test_single_precision_is_refused() -> None:
    with pytest.raises(InvalidValue, match="or is not computed in double precision"):
        moments(lambda x: torch.sin(x.float()))


def test_what_returns_no_tensor_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"The value of .* is of type ndarray\. Expected a tensor"):
        moments(lambda x: x.numpy())  # type: ignore[arg-type, return-value]


def test_a_curve_finds_its_slope_by_autograd() -> None:
    x = np.linspace(-2, 2, 9)
    np.testing.assert_allclose(Curve(torch.sin).slope(x), np.cos(x), rtol=1e-15)


@pytest.mark.parametrize(
    "curve", [Curve(torch.sin), Curve(torch.sin, torch.cos), Curve(lambda x: torch.sin(x), name="own")],
    ids=["by autograd twice", "by autograd from its slope", "own"],
)  # fmt: skip
def test_a_curve_finds_its_curvature_by_autograd(curve: Curve) -> None:
    x = np.linspace(-2, 2, 9)
    with torch.inference_mode():
        np.testing.assert_allclose(curve.curvature(x), -np.sin(x), rtol=1e-14)


def test_the_curvature_of_an_entry_is_its_own_and_of_straight_pieces_zero() -> None:
    x = np.linspace(-3, 3, 13)
    own = get("mish").d2f(torch.from_numpy(x)).numpy()
    np.testing.assert_array_equal(as_curve("mish").curvature(x), own)
    np.testing.assert_allclose(Curve(nn.functional.mish).curvature(x), own, rtol=1e-12)
    assert not Curve(torch.abs).curvature(x).any()
    assert not Curve(torch.ones_like).curvature(x).any()
