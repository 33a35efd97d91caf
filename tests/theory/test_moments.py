"""Gaussian moments of every entry against mpmath, scipy's adaptive integrator, closed forms and laws."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import mpmath as mp
import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import integrate
from torch import Tensor

from limen.activations import (
    GELU,
    Activation,
    Entry,
    Identity,
    InDoubles,
    LeakyReLU,
    PReLU,
    ReLU,
    Sin,
    Snake,
    SquaredReLU,
)
from limen.theory import Curve, closed_moments, moments, quadrature_moments
from limen.theory.curve import as_curve
from tests.activations.test_catalogue import EVERY, EXACT

every = pytest.mark.parametrize("act", EVERY, ids=repr)
variances = st.floats(-4, 4).map(lambda power: 10.0**power)


def corners(act: Activation) -> list[float]:
    """Where the function or its slope has one."""
    return sorted({*act.kinks, *(act.sheet.bends if isinstance(act, Entry) else ())})


def pieces(act: Activation, variance: float) -> list[float]:
    """Where to cut the line, in standard deviations: at kinks, at 0, and where a narrow step may hide."""
    spread = math.sqrt(variance)
    near = [side * width / spread for side in (-1, 1) for width in (1, 3, 10, 40)]
    cuts = {-13.0, -6.0, -2.0, 0.0, 2.0, 6.0, 13.0, *near, *(corner / spread for corner in corners(act))}
    return sorted(cut for cut in cuts if abs(cut) <= 13)


# --- value: higher precision, from the formulas of the papers ---------------------------------------------------


@every
@pytest.mark.parametrize("variance", [1.0, 100.0])
def test_the_second_moment_agrees_with_higher_precision(act: Activation, variance: float) -> None:
    with mp.workdps(18):
        spread = mp.sqrt(variance)
        exact = mp.quad(lambda z: EXACT[act.name](spread * z, act) ** 2 * mp.npdf(z), pieces(act, variance))
    assert moments(act, variance).square == pytest.approx(float(exact), rel=1e-12)


@every
def test_the_mean_agrees_with_higher_precision(act: Activation) -> None:
    with mp.workdps(18):
        exact = mp.quad(lambda z: EXACT[act.name](z, act) * mp.npdf(z), pieces(act, 1.0))
    found = moments(act, 1.0)
    assert found.mean == pytest.approx(float(exact), abs=1e-13)
    assert found.output_variance == pytest.approx(found.square - float(exact) ** 2, rel=1e-11)


# --- slope: another integrator ---------------------------------------------------------------------------------


def by_scipy(integrand: Callable[[Tensor, Tensor], Tensor], act: Activation, variance: float) -> float:
    def weighted(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        at = torch.from_numpy(z)
        return integrand(math.sqrt(variance) * at, at).numpy() * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    cuts = np.array(pieces(act, variance), dtype=np.float64)
    return math.fsum(integrate.tanhsinh(weighted, cuts[:-1], cuts[1:], atol=1e-15, rtol=1e-13).integral)


@every
@pytest.mark.parametrize("variance", [0.01, 1.0, 100.0])
def test_the_moments_of_the_slope_agree_with_another_integrator(act: Activation, variance: float) -> None:
    found = moments(act, variance)
    assert found.slope == pytest.approx(
        by_scipy(lambda x, _: InDoubles(act.df)(x), act, variance), rel=1e-11, abs=1e-13
    )
    assert found.slope_square == pytest.approx(
        by_scipy(lambda x, _: InDoubles(act.df)(x) ** 2, act, variance), rel=1e-11
    )


@every
@pytest.mark.parametrize("variance", [0.25, 9.0])
def test_growth_is_the_derivative_by_the_variance_without_any_slope(act: Activation, variance: float) -> None:
    """``d E[f²]/dq = E[f² (z² - 1)] / 2q``, by parts once more."""
    exact = by_scipy(lambda x, z: InDoubles(act.f)(x) ** 2 * (z * z - 1), act, variance) / (2 * variance)
    assert moments(act, variance).growth == pytest.approx(exact, rel=1e-10, abs=1e-12)


# --- closed forms ----------------------------------------------------------------------------------------------

STRAIGHT = [Identity(), ReLU(), LeakyReLU(0.2), PReLU(-0.3), SquaredReLU(), GELU()]
KNOWN = [*STRAIGHT, Sin(), Sin(3.0), Snake(), Snake(0.5)]


@pytest.mark.parametrize("act", KNOWN, ids=repr)
@given(variance=variances)
@settings(max_examples=20, deadline=None)
def test_closed_forms_and_quadrature_check_each_other(act: Activation, variance: float) -> None:
    closed = closed_moments(act, variance)
    assert closed is not None
    by_panels = quadrature_moments(as_curve(act), variance)
    # 1e-13: means of odd parts are sums that cancel, in units of E|f|
    scale = math.sqrt(closed.square)
    for field in dataclasses.fields(closed):
        exact, found = getattr(closed, field.name), getattr(by_panels, field.name)
        assert found == pytest.approx(exact, rel=1e-11, abs=1e-13 * scale), field.name


@pytest.mark.parametrize("variance", [1e-6, 1.0, 30.0])
def test_a_sine_has_the_moments_of_its_closed_form(variance: float) -> None:
    found = moments(torch.sin, variance)  # autograd finds the slope
    damped = math.exp(-2 * variance)
    assert found.square == pytest.approx(-math.expm1(-2 * variance) / 2, rel=1e-12)
    assert found.slope == pytest.approx(math.exp(-variance / 2), abs=1e-14)
    assert found.slope_square == pytest.approx((1 + damped) / 2, rel=1e-12)
    assert found.growth == pytest.approx(damped, abs=1e-13)


def test_fast_oscillations_are_resolved() -> None:
    assert moments(lambda x: torch.sin(30 * x)).square == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("variance", [1e4, 1e8, 1e12])
def test_a_step_much_narrower_than_the_spread_is_not_overlooked(variance: float) -> None:
    # E[f'²] → ∫ sech⁴ / sqrt(2π q) = (4/3) / sqrt(2π q), corrections of order 1/q
    expected = 4 / 3 / math.sqrt(2 * math.pi * variance)
    assert moments("tanh", variance).slope_square == pytest.approx(expected, rel=1 / variance + 1e-12)


@pytest.mark.parametrize("act", STRAIGHT, ids=repr)  # panels cannot follow a wave so far
@pytest.mark.parametrize("variance", [1e-150, 1e300])
def test_extreme_variances_are_no_error(act: Activation, variance: float) -> None:
    if not isinstance(act, SquaredReLU):  # whose second moment is 1e600
        found, by_panels = moments(act, variance), quadrature_moments(as_curve(act), variance)
        assert found.square == pytest.approx(by_panels.square, rel=1e-11)
        assert found.slope_square == pytest.approx(by_panels.slope_square, rel=1e-11)
        assert found.growth == pytest.approx(by_panels.growth, rel=1e-11)


def test_selu_keeps_mean_and_variance_as_its_paper_says() -> None:
    found = moments("selu")
    assert found.mean == pytest.approx(0, abs=1e-15)
    assert found.square == pytest.approx(1, rel=1e-14)
    # Klambauer et al. 2017, Sec. 2: the Jacobian's larger singular value is 0.7877
    assert math.hypot(found.growth, by_parts_mean_growth("selu")) == pytest.approx(0.7877, abs=5e-5)


def by_parts_mean_growth(name: str) -> float:
    """``d E[f]/dq`` by differences."""
    step = 1e-4
    return (moments(name, 1 + step).mean - moments(name, 1 - step).mean) / (2 * step)


# --- laws ------------------------------------------------------------------------------------------------------


@given(act=st.sampled_from(EVERY), variance=variances)
@settings(max_examples=60, deadline=None)
def test_moments_obey_jensen_and_poincare(act: Activation, variance: float) -> None:
    found = moments(act, variance)
    assert found.mean**2 <= found.square * (1 + 1e-12)
    assert found.slope**2 <= found.slope_square * (1 + 1e-12)
    assume(not as_curve(act).jumps)
    # Poincaré: Var f <= q E[f'²]; from below q E[f']², by Hermite expansion
    assert found.output_variance <= variance * found.slope_square * (1 + 1e-9)
    assert found.output_variance >= variance * found.slope**2 * (1 - 1e-9)


@given(act=st.sampled_from(EVERY), scale=st.floats(0.1, 5), variance=st.floats(0.01, 30))
@settings(max_examples=40, deadline=None)
def test_stretching_the_argument_is_the_same_as_another_variance(
    act: Activation, scale: float, variance: float
) -> None:
    kinks, jumps = (tuple(at / scale for at in places) for places in (corners(act), as_curve(act).jumps))
    stretched = Curve(lambda x: act.f(scale * x), None, kinks, jumps=jumps)
    one, other = moments(stretched, variance), moments(act, scale**2 * variance)
    assert one.square == pytest.approx(other.square, rel=1e-11)
    assert one.slope_square == pytest.approx(scale**2 * other.slope_square, rel=1e-11)
    assert one.growth == pytest.approx(scale**2 * other.growth, rel=1e-9, abs=1e-12)
