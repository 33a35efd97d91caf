"""Means of products at two correlated Gaussian numbers, against Mehler's series, closed forms and limits."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from limen.activations import Activation, LeakyReLU, get
from limen.errors import InvalidValue
from limen.theory import Curve, kernel, moments, slope_kernel
from limen.theory.curve import Floats, as_curve
from limen.theory.quadrature import mean_of_pair, means
from tests.activations.test_catalogue import EVERY

every = pytest.mark.parametrize("act", EVERY, ids=repr)
STEEP = ("elu", "gelu", "hardswish", "hardtanh", "tanh")
TERMS = 100  # 0.7¹⁰⁰ is 3e-16


@functools.cache
def hermite_squares(act: Activation, variance: float) -> Floats:
    """``a_n²`` with ``f(sqrt(q) z) = Σ a_n h_n(z)``, ``h_n`` the orthonormal Hermite polynomials."""
    curve, spread = as_curve(act), math.sqrt(variance)

    def products(x: Floats) -> Floats:
        z, h = x / spread, [np.ones_like(x), x / spread]
        for n in range(1, TERMS - 1):
            h.append((z * h[n] - math.sqrt(n) * h[n - 1]) / math.sqrt(n + 1))
        return curve.value(x) * np.stack(h)

    return means(products, variance, curve.breaks) ** 2


@pytest.mark.parametrize(("act", "variance"), [*((act, 1.0) for act in EVERY), *((get(name), 60.0) for name in STEEP)])
def test_kernels_agree_with_mehlers_series(act: Activation, variance: float) -> None:
    """``E[f(u) f(v)] = Σ a_n² cⁿ``: other integrals, and none in two dimensions."""
    squares, n = hermite_squares(act, variance), np.arange(TERMS)
    whole = moments(act, variance)
    for c in (-0.7, 0.0, 0.6):
        assert kernel(act, c, variance) == pytest.approx(float(squares @ c**n), abs=1e-12 * whole.square)
        if as_curve(act).jumps:  # which its slope does not show
            continue
        series = float((n[1:] * squares[1:]) @ c ** (n[1:] - 1)) / variance
        assert slope_kernel(act, c, variance) == pytest.approx(series, abs=3e-12 * whole.slope_square)


@every
@pytest.mark.parametrize("variance", [20.0])
def test_near_correlation_one_the_kernel_is_the_second_moment_less_its_slope(act: Activation, variance: float) -> None:
    whole, gap = moments(act, variance), 1e-9
    assert kernel(act, 1.0, variance) == pytest.approx(whole.square, rel=1e-12)
    if as_curve(act).jumps:
        return
    expected = whole.square - gap * variance * whole.slope_square
    # the next term is of order gap^1.5 for functions with a kink
    assert kernel(act, 1 - gap, variance) == pytest.approx(expected, abs=2e-12 * whole.square)


@pytest.mark.parametrize("variance", [0.01, 1.0, 100.0])
@given(c=st.floats(-0.99, 0.999999))
@settings(max_examples=15, deadline=None)
def test_the_arc_cosine_kernel_and_quadrature_check_each_other(variance: float, c: float) -> None:
    for act in (LeakyReLU(0.0), LeakyReLU(0.2)):
        curve = as_curve(act)
        by_panels = mean_of_pair(curve.value, curve, variance, c)
        assert kernel(act, c, variance) == pytest.approx(by_panels, abs=1e-13 * variance)
        by_panels = mean_of_pair(curve.slope, curve, variance, c)
        assert slope_kernel(act, c, variance) == pytest.approx(by_panels, abs=1e-13)


@pytest.mark.parametrize("variance", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("c", [-1.0, -0.8, 0.0, 0.5, 0.999, 1.0])
def test_sine_and_error_function_have_the_kernels_of_their_closed_forms(variance: float, c: float) -> None:
    assert kernel(torch.sin, c, variance) == pytest.approx(math.exp(-variance) * math.sinh(variance * c), abs=1e-13)
    erf = Curve(torch.erf)  # Williams 1997, "Computing with infinite networks"
    assert kernel(erf, c, variance) == pytest.approx(
        2 / math.pi * math.asin(2 * variance * c / (1 + 2 * variance)), abs=1e-13
    )


def test_an_exponential_has_the_kernel_of_its_closed_form() -> None:
    assert kernel(torch.exp, 0.3, 2.0) == pytest.approx(math.exp(2.0 * 1.3), rel=1e-13)


def test_steps_have_the_kernel_of_sheppards_formula() -> None:
    step = Curve(lambda x: (x > 0.7).double(), torch.zeros_like, kinks=(0.7,))
    rho, edge = 0.6, 0.7
    exact = special.ndtr(-edge) - 2 * special.owens_t(edge, math.sqrt((1 - rho) / (1 + rho)))
    assert kernel(step, rho, 1.0) == pytest.approx(exact, abs=1e-13)


@given(act=st.sampled_from(EVERY), c=st.floats(0, 0.99), variance=st.floats(0.1, 10))
@settings(max_examples=25, deadline=None)
def test_kernels_rise_with_a_correlation_above_zero_and_are_larger_than_below_it(
    act: Activation, c: float, variance: float
) -> None:
    """The series has no negative coefficient."""
    square = moments(act, variance).square
    assert abs(kernel(act, -c, variance)) <= kernel(act, c, variance) + 1e-12 * square
    assert kernel(act, c, variance) <= square * (1 + 1e-12)


@pytest.mark.parametrize("c", [1.1, -1.000001, math.nan])
def test_what_is_no_correlation_is_refused(c: float) -> None:
    with pytest.raises(InvalidValue, match=r"kernel\(correlation=.*\): expected a number in \[-1, 1\]"):
        kernel("tanh", c)


def test_a_kink_that_nobody_named_is_noticed() -> None:
    with pytest.raises(InvalidValue, match="Name all its kinks in a Curve"):
        kernel(lambda x: (x - 0.3).abs(), 0.5)
    named = Curve(lambda x: (x - 0.3).abs(), kinks=(0.3,))
    assert kernel(named, 0.0) == pytest.approx(moments(named).mean ** 2, rel=1e-12)


def test_an_oscillation_too_fast_for_two_dimensions_is_noticed() -> None:
    with pytest.raises(InvalidValue, match="if it oscillates, ask for a smaller variance"):
        kernel(torch.sin, 0.999999, 1e4)
