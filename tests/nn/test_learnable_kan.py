"""The cubic splines of KAN: the basis against scipy's, what is beyond the grid, and moving the grid."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.interpolate import BSpline

from limen.activations import get
from limen.errors import InvalidValue
from limen.nn import KANSpline

X = torch.linspace(-6, 6, 1201, dtype=torch.float64)


def spline(values: list[float], low: float = -1.0, high: float = 1.0, base: float = 0.0) -> KANSpline:
    entry = get("kan_spline", coefficients=values, low=low, high=high, base_weight=base, spline_weight=1.0)
    return KANSpline(entry, dtype=torch.float64)


def random(count: int, seed: int = 0) -> list[float]:
    return np.random.default_rng(seed).normal(size=count).tolist()


@pytest.mark.parametrize(("intervals", "low", "high"), [(5, -1.0, 1.0), (1, 0.0, 2.0), (12, -4.0, 3.0)])
def test_the_spline_is_that_of_scipy(intervals: int, low: float, high: float) -> None:
    values = random(intervals + 3)
    step = (high - low) / intervals
    knots = low + step * np.arange(-6, intervals + 7)  # three intervals more on both sides, to let it end at 0
    wanted = BSpline(knots, [0, 0, 0, *values, 0, 0, 0], 3, extrapolate=False)
    found = spline(values, low, high)(X).detach().numpy()
    np.testing.assert_allclose(found, np.nan_to_num(wanted(X.numpy())), rtol=1e-11, atol=1e-12)


def test_equal_coefficients_make_a_constant_and_even_ones_a_straight_line() -> None:
    inside = X[X.abs() <= 1]
    torch.testing.assert_close(spline([2.0] * 8)(inside), torch.full_like(inside, 2.0), rtol=1e-14, atol=0)
    centres = [(-1 + 0.4 * (k - 1)) for k in range(8)]  # where each B-spline is highest
    torch.testing.assert_close(spline(centres)(inside), inside, rtol=1e-13, atol=1e-14)


def test_beyond_three_intervals_outside_the_grid_silu_is_left() -> None:
    module = spline(random(8), base=0.75)
    outside = X[X.abs() >= 1 + 3 * 0.4]
    torch.testing.assert_close(module(outside), 0.75 * F.silu(outside), rtol=1e-14, atol=1e-15)
    module(outside).sum().backward()
    assert not module.coefficients.grad.any()


def test_slopes_in_the_coefficients_are_b_splines() -> None:
    module = spline(random(8), base=1.0)
    each = torch.cat([torch.autograd.grad(y, module.coefficients, retain_graph=True)[0] for y in module(X[::9])])
    for k in range(8):
        alone = spline([float(k == one) for one in range(8)])
        torch.testing.assert_close(each[:, k], alone(X[::9]), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("shape", "worst"), [("tanh", 1e-3), ("gelu", 1e-3), ("sin", 1e-3), ("relu", 0.06)])
def test_it_begins_close_to_the_shape_that_was_named(shape: str, worst: float) -> None:
    inside = X[X.abs() <= 2]
    module = KANSpline(shape, intervals=10, low=-2.0, high=2.0, dtype=torch.float64)
    assert float((module(inside) - get(shape).f(inside)).abs().max().detach()) < worst


def test_by_default_it_is_silu() -> None:
    module = KANSpline(dtype=torch.float64)
    assert not module.coefficients.any()
    torch.testing.assert_close(module(X), F.silu(X))


def test_a_grid_moved_inside_the_old_one_keeps_what_it_can_show() -> None:
    """Equal and evenly rising coefficients make constants and lines, which any grid can show."""
    centres = [(-1 + 0.4 * (k - 1)) for k in range(8)]
    module = spline([1 + 2 * centre for centre in centres], base=0.5)
    inside = torch.linspace(-0.4, 0.7, 99, dtype=torch.float64)
    before = module(inside).detach()
    module.update_grid(inside, margin=0.0)
    assert (float(module.low), float(module.high)) == (-0.4, 0.7)
    torch.testing.assert_close(module(inside), before, rtol=1e-11, atol=1e-12)


def test_a_wider_grid_keeps_the_function_about_as_it_was() -> None:
    module = KANSpline("tanh", 2, intervals=20, dtype=torch.float64)
    with torch.no_grad():
        module.coefficients[1] *= -0.5
    x = torch.stack([X, X], 1)[520:680]  # within the grid, and not where the spline begins to fall
    before = module(x).detach()
    module.update_grid(torch.tensor([-1.5, 1.5]))
    assert float(module.low) == pytest.approx(-1.53)
    assert float((module(x) - before).abs().max().detach()) < 0.01
    assert module.entry.low == float(module.low)


def test_the_grid_is_part_of_the_state() -> None:
    module, twin = KANSpline("tanh"), KANSpline()
    module.update_grid(torch.tensor([-3.0, 4.0]))
    twin.load_state_dict(module.state_dict())
    x = X.float()
    assert torch.equal(twin(x), module(x))


def test_inputs_that_left_the_grid_learn_again_once_it_is_moved() -> None:
    x = torch.linspace(4, 6, 200, dtype=torch.float64)
    module, target = KANSpline(dtype=torch.float64), F.silu(x) + torch.sin(3 * x)
    losses = []
    for moved in (False, True):
        if moved:
            module.update_grid(x)
        optimiser = torch.optim.Adam([module.coefficients], lr=0.05)
        for _ in range(200):
            loss = (module(x) - target).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        losses.append(loss.item())
    assert losses[0] > 0.3  # nothing was learned
    assert losses[1] < 0.01 * losses[0]


@pytest.mark.parametrize("x", [torch.ones(5), torch.tensor([math.nan, 1.0]), torch.empty(0)])
def test_a_grid_needs_two_different_numbers(x: torch.Tensor) -> None:
    with pytest.raises(InvalidValue, match=r"KANSpline.update_grid\(input of .* two different finite numbers"):
        KANSpline().update_grid(x)


def test_the_penalty_is_the_sum_of_squared_second_differences() -> None:
    values = random(8)
    wanted = sum((values[k] - 2 * values[k + 1] + values[k + 2]) ** 2 for k in range(6))
    assert float(spline(values).penalty().detach()) == pytest.approx(wanted, rel=1e-12)
