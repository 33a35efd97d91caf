"""Fits to a named shape, against other optimisers and brute force."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares

from limen.activations import PAU, get
from limen.activations.learnable_fits import fitted_bells, fitted_hinges, fitted_quotient, fitted_spline, shape_at
from limen.activations.learnable_splines import KANSpline

X = np.linspace(-5, 5, 2001)
SHAPES = ["leaky_relu", "relu", "gelu", "silu", "tanh", "mish", "elu", "softsign"]


def rest(numerator: np.ndarray, denominator: np.ndarray, shape: str) -> np.ndarray:
    """What a quotient lacks of a shape."""
    inner = sum(one * X ** (power + 1) for power, one in enumerate(denominator))
    return np.polyval(numerator[::-1], X) / (1 + np.abs(inner)) - shape_at(get(shape), X)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_step_of_scipy_comes_closer(shape: str) -> None:
    numerator, denominator = (np.array(one) for one in fitted_quotient(get(shape)))
    off = rest(numerator, denominator, shape)

    def from_there(numbers: np.ndarray) -> np.ndarray:
        return rest(numbers[:6], np.array([0, numbers[6] ** 2, 0, numbers[7] ** 2]), shape)

    start = np.concatenate([numerator, np.sqrt(denominator[[1, 3]])])
    found = least_squares(from_there, start, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=400)
    # of a fit that ends where its error no longer falls by a share of 1e-14
    assert 2 * found.cost >= off @ off * (1 - 1e-6) - 1e-18


@pytest.mark.parametrize("shape", ["leaky_relu", "elu", "softsign"])
def test_a_fit_from_anywhere_else_is_no_better(shape: str) -> None:
    off = rest(*(np.array(one) for one in fitted_quotient(get(shape))), shape)
    draw = np.random.default_rng(1)
    for _ in range(2):
        start = np.concatenate([draw.normal(size=6), draw.uniform(0.1, 2, size=2)])
        found = least_squares(
            lambda n: rest(n[:6], np.array([0, n[6] ** 2, 0, n[7] ** 2]), shape), start, method="lm", max_nfev=500
        )
        assert 2 * found.cost >= off @ off * (1 - 1e-6) - 1e-12


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fitted_quotient_has_no_kink_and_goes_on_evenly(shape: str) -> None:
    entry = PAU(*fitted_quotient(get(shape)))
    assert entry.kinks == ()
    ends = np.array([-10.0, 10.0])
    assert np.abs(shape_at(entry, ends) - shape_at(get(shape), ends)).max() < 1.7


def test_the_unit_begins_as_the_fit_to_a_leaky_relu() -> None:
    numerator, denominator = fitted_quotient(get("leaky_relu"))
    np.testing.assert_allclose(PAU().numerator, numerator, rtol=1e-6)
    np.testing.assert_allclose(PAU().denominator, denominator, rtol=1e-6)


def test_hinges_are_weighted_as_scipy_would() -> None:
    hinges = [-2.0, -0.5, 1.0]
    found = fitted_hinges(get("gelu"), hinges)

    def off(slopes: np.ndarray) -> np.ndarray:
        parts = sum(slope * np.maximum(hinge - X, 0) for slope, hinge in zip(slopes, hinges, strict=True))
        return np.maximum(X, 0) + parts - shape_at(get("gelu"), X)

    np.testing.assert_allclose(found.slopes, least_squares(off, np.zeros(3), xtol=1e-14).x, rtol=1e-6, atol=1e-9)


def test_coefficients_of_a_spline_are_found_again() -> None:
    values = np.random.default_rng(4).normal(size=(2, 9))
    x = np.linspace(-2.0, 1.0, 500)
    rows = [KANSpline(tuple(row), -2.0, 1.0, 0.0).f(torch.from_numpy(x)).numpy() for row in values]
    found = fitted_bells(np.stack(rows), x, count=9, low=-2.0, high=1.0)
    np.testing.assert_allclose(found, values, rtol=1e-9, atol=1e-10)


def test_a_spline_fitted_to_silu_has_nothing_to_do() -> None:
    assert set(fitted_spline(get("silu"), count=8, low=-1.0, high=1.0).coefficients) == {0.0}
