"""Linear splines: hat functions, total variation of the slope, and fewer knots within a tolerance."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from limen.activations import get
from limen.errors import InvalidValue
from limen.nn import LinearSpline

X = torch.linspace(-5, 5, 1013, dtype=torch.float64)


def spline(*values: float, low: float = -3.0, high: float = 3.0) -> LinearSpline:
    entry = get("linear_spline", coefficients=values, low=low, high=high)
    return LinearSpline(entry, dtype=torch.float64)


def noisy_relu(seed: int, size: float, knots: int = 31) -> list[float]:
    places = np.linspace(-3, 3, knots)
    return (np.maximum(places, 0) + np.random.default_rng(seed).uniform(-size, size, knots)).tolist()


@pytest.mark.parametrize("shape", ["prelu", "leaky_relu", "relu", "abs", "identity"])
def test_what_is_straight_between_the_knots_is_begun_with_exactly(shape: str) -> None:
    found = LinearSpline(shape, dtype=torch.float64)(X)
    torch.testing.assert_close(found, get(shape).f(X), rtol=1e-14, atol=1e-15)


def test_a_smooth_shape_is_met_to_an_eighth_of_its_curvature_times_the_squared_step() -> None:
    step = 0.25
    inside = X[X.abs() <= 3]
    found = LinearSpline("tanh", knots=25, dtype=torch.float64)(inside).detach()
    steepest = 4 / (3 * math.sqrt(3))  # the largest curvature of tanh
    assert float((found - torch.tanh(inside)).abs().max()) <= steepest * step**2 / 8


def test_between_and_beyond_knots_it_is_what_numpy_interpolates() -> None:
    values = noisy_relu(0, 0.5, 9)
    module, places = spline(*values), np.linspace(-3, 3, 9)
    inside = X[X.abs() <= 3]
    wanted = np.interp(inside.numpy(), places, values)
    np.testing.assert_allclose(module(inside).detach().numpy(), wanted, rtol=1e-13, atol=1e-14)
    left = values[0] + (values[1] - values[0]) / 0.75 * (-5 + 3)
    assert float(module(torch.tensor(-5.0, dtype=torch.float64)).detach()) == pytest.approx(left, rel=1e-14)


def test_slopes_in_the_coefficients_are_hats() -> None:
    module = LinearSpline("tanh", knots=7, dtype=torch.float64)
    inside = X[X.abs() < 3]
    each = torch.cat([torch.autograd.grad(y, module.coefficients, retain_graph=True)[0] for y in module(inside)])
    for k, place in enumerate(np.linspace(-3, 3, 7)):
        wanted = (1 - (inside - place).abs()).clamp(min=0)
        torch.testing.assert_close(each[:, k], wanted, rtol=1e-12, atol=1e-13)


def test_the_penalty_is_the_total_variation_of_the_slope() -> None:
    module = LinearSpline(get("linear_spline", coefficients=noisy_relu(1, 0.5)), 2, dtype=torch.float64)
    with torch.no_grad():
        module.coefficients[1] *= 3
    # brute force: how much the slope of each channel moves, on a grid that is finer than the knots
    x = torch.linspace(-4, 4, 3001, dtype=torch.float64)
    slopes = [get("linear_spline", coefficients=tuple(row)).df(x) for row in module.coefficients.tolist()]
    wanted = sum(float(row.diff().abs().sum()) for row in slopes)
    assert float(module.penalty().detach()) == pytest.approx(wanted, rel=1e-12)


def test_the_penalty_of_a_straight_line_is_rounding_and_that_of_a_rectifier_its_kink() -> None:
    assert float(LinearSpline("identity", dtype=torch.float64).penalty().detach()) < 1e-13
    assert float(LinearSpline("leaky_relu", dtype=torch.float64).penalty().detach()) == pytest.approx(0.99, rel=1e-12)


@pytest.mark.parametrize("tolerance", [0.0, 0.01, 0.05, 0.3])
@pytest.mark.parametrize("seed", range(4))
def test_a_simplified_function_is_nowhere_farther_away_than_asked(tolerance: float, seed: int) -> None:
    module = spline(*noisy_relu(seed, 0.1))
    plain = module.simplified(tolerance)
    far = torch.linspace(-30, 30, 6001, dtype=torch.float64)
    # 1e-14: the last places of values up to 30
    assert float((plain(far) - module(far)).abs().max().detach()) <= tolerance + 1e-13
    assert len(plain.entry.kinks) <= len(module.entry.kinks)


def test_noise_within_the_tolerance_leaves_one_kink_of_a_rectifier() -> None:
    values = noisy_relu(3, 0.01)
    values[:2], values[-2:] = [0.0, 0.0], [2.8, 3.0]  # the outermost pieces stay as they are
    module = spline(*values)
    assert len(module.entry.kinks) > 20
    plain = module.simplified(0.04).entry
    wide = [kink for kink in plain.kinks if abs(plain_jump(plain, kink)) > 0.1]
    assert len(plain.kinks) <= 4
    assert len(wide) == 1
    assert wide[0] == pytest.approx(0, abs=0.41)


def plain_jump(entry: object, kink: float) -> float:
    left, right = entry.df(torch.tensor([kink - 1e-6, kink + 1e-6], dtype=torch.float64)).tolist()
    return right - left


def test_simplifying_leaves_the_module_and_its_channels_alone() -> None:
    module = LinearSpline("tanh", 3)
    before = module.coefficients.detach().clone()
    plain = module.simplified(0.1)
    assert torch.equal(module.coefficients, before)
    assert plain.coefficients.shape == before.shape
    assert plain.coefficients.requires_grad


@pytest.mark.parametrize("tolerance", [-1.0, math.nan, "little"])
def test_what_is_no_tolerance_is_refused(tolerance: float) -> None:
    with pytest.raises(InvalidValue, match=r"LinearSpline.simplified\(tolerance="):
        LinearSpline().simplified(tolerance)


def test_enough_of_the_penalty_takes_kinks_out_of_a_fit() -> None:
    x = torch.linspace(-3, 3, 301, dtype=torch.float64)
    noise = torch.randn(301, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    target = torch.relu(x) + 0.2 * noise
    left = []
    for weight in (0.0, 0.002):
        module = LinearSpline("identity", knots=25, dtype=torch.float64)
        optimiser = torch.optim.Adam(module.parameters(), lr=0.02)
        for _ in range(300):
            loss = (module(x) - target).square().mean() + weight * module.penalty()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        left.append((len(module.simplified(0.02).entry.kinks), (module(x) - torch.relu(x)).square().mean().item()))
    assert left[1][0] < left[0][0] / 2
    assert left[1][1] < left[0][1]  # and it is nearer to the truth under the noise
