"""The spread of the singular values of a Jacobian, against closed forms and real Jacobians."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from limen.activations import LeakyReLU, get
from limen.errors import InvalidValue
from limen.theory import jacobian_spread, moments


@pytest.mark.parametrize("variance", [1e-3, 1.0, 50.0])
def test_functions_straight_on_both_sides_have_a_closed_form(variance: float) -> None:
    for a in (0.0, 0.2, -0.5):
        exact = 2 * (1 + a**4) / (1 + a * a) ** 2 - 1
        assert jacobian_spread(LeakyReLU(a), 7, variance, orthogonal=True) == pytest.approx(7 * exact, rel=1e-12)
        assert jacobian_spread(LeakyReLU(a), 7, variance) == pytest.approx(7 * (exact + 1), rel=1e-12)


@pytest.mark.parametrize("variance", [0.1, 1.0, 10.0])
def test_the_error_function_has_a_closed_form(variance: float) -> None:
    """``E[f'^{2k}] = (4/π)^k / sqrt(1 + 4 k q)``."""
    exact = (1 + 4 * variance) / math.sqrt(1 + 8 * variance) - 1
    assert jacobian_spread(torch.erf, 1, variance, orthogonal=True) == pytest.approx(exact, rel=1e-11)


def test_a_straight_line_with_orthogonal_weights_is_an_isometry() -> None:
    assert jacobian_spread("identity", 100, orthogonal=True) == pytest.approx(0, abs=1e-11)
    assert jacobian_spread("identity", 100) == pytest.approx(100, rel=1e-12)


def weights(width: int, orthogonal: bool, generator: torch.Generator) -> Tensor:
    drawn = torch.randn(width, width, generator=generator, dtype=torch.float64)
    return torch.linalg.qr(drawn)[0] if orthogonal else drawn / math.sqrt(width)


@pytest.mark.parametrize("orthogonal", [False, True], ids=["gaussian", "orthogonal"])
@pytest.mark.parametrize("name", ["relu", "tanh", "gelu"])
def test_the_jacobian_of_a_wide_random_network_has_that_spread(name: str, orthogonal: bool) -> None:
    generator, width, depth, variance = torch.Generator().manual_seed(3), 600, 3, 1.5
    act, gain = get(name), math.sqrt(variance / moments(name, variance).square)
    z = math.sqrt(variance) * torch.randn(width, generator=generator, dtype=torch.float64)
    jacobian = torch.eye(width, dtype=torch.float64)
    for _ in range(depth):
        weight = gain * weights(width, orthogonal, generator)
        jacobian = weight @ (act.df(z)[:, None] * jacobian)
        z = weight @ act.f(z)
    squares = torch.linalg.svdvals(jacobian).square()
    measured = float(squares.var(correction=0) / squares.mean() ** 2)
    # finite width: about depth² / width, and the draw of 600 slopes per layer
    assert measured == pytest.approx(jacobian_spread(name, depth, variance, orthogonal=orthogonal), rel=0.1)


@pytest.mark.parametrize("depth", [0, -1, 1.5, True], ids=repr)
def test_a_depth_that_is_none_is_refused(depth: object) -> None:
    with pytest.raises(InvalidValue, match=r"jacobian_spread\(depth=.*\): expected a whole number >= 1"):
        jacobian_spread("relu", depth)  # type: ignore[arg-type]


def test_what_has_no_slope_and_what_is_no_variance_are_refused() -> None:
    with pytest.raises(InvalidValue, match=r"jacobian_spread\(.*its slope is 0 wherever it reaches"):
        jacobian_spread(torch.ones_like, 3)
    with pytest.raises(InvalidValue, match=r"jacobian_spread\(variance=0\.0\): expected a finite number > 0"):
        jacobian_spread("relu", 3, 0.0)
