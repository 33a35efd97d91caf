"""Questions about vanishing gradients and dead units that texts ask, with the answers that the theory gives."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from limen.activations import LeakyReLU, ReLU
from limen.theory import Box, Curve, backward_gain, certainly_dead, chain_gradient, linear_bounds, moments


def test_half_is_no_typical_weight() -> None:
    """He initialisation draws a standard deviation of 0.5 for eight inputs only; (1/2)³ is an eighth."""
    assert backward_gain("relu") / math.sqrt(8) == pytest.approx(0.5)
    assert backward_gain("relu") / math.sqrt(512) == pytest.approx(0.0625)
    assert 1 / chain_gradient(5, 0.5, factors=3) == 8


def test_the_quarter_of_a_sigmoid_is_its_best_slope_not_its_mean_one() -> None:
    assert moments("sigmoid").slope == pytest.approx(0.2066, abs=5e-5)
    assert moments("sigmoid", 1e-9).slope == pytest.approx(0.25)
    assert moments("sigmoid", 25.0).slope < 0.08


@pytest.mark.parametrize("factors", [8, 9, 10])
def test_ten_layers_lose_a_factor_of_four_per_factor_counted(factors: int) -> None:
    relu, sigmoid = (chain_gradient(10, 0.3, slope, factors=factors) for slope in (1.0, 0.25))
    assert relu == pytest.approx(0.3**factors)
    assert sigmoid == pytest.approx(0.075**factors)
    assert relu / sigmoid == pytest.approx(4**factors)


WEIGHT, INPUT = torch.tensor([[0.5, -0.8, 0.3]]), torch.tensor([0.4, 0.6, 0.1])


def gradients(function: nn.Module) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The output for one input, and its gradients by weights, bias and input."""
    weight, bias, x = WEIGHT.clone(), torch.zeros(1), INPUT.clone()
    for tensor in (weight, bias, x):
        tensor.requires_grad_()
    out = function(nn.functional.linear(x, weight, bias))
    return (out.detach(), *torch.autograd.grad(out.sum(), (weight, bias, x)))


def test_a_unit_that_is_off_for_one_input_passes_nothing_but_is_not_dead() -> None:
    z = nn.functional.linear(INPUT, WEIGHT)
    assert float(z) == pytest.approx(-0.25)
    out, *slopes = gradients(nn.ReLU())
    assert float(out) == 0
    assert all(not slope.any() for slope in slopes)
    unit = linear_bounds(Box(torch.zeros(3), torch.ones(3)), WEIGHT)
    assert (float(unit.low), float(unit.high)) == (pytest.approx(-0.8, abs=1e-5), pytest.approx(0.8, abs=1e-5))
    assert certainly_dead(unit, "relu").tolist() == [False]


def test_a_leaky_relu_passes_a_hundredth() -> None:
    out, by_weight, by_bias, by_input = gradients(nn.LeakyReLU(0.01))
    assert float(out) == pytest.approx(-0.0025)
    torch.testing.assert_close(by_weight[0], 0.01 * INPUT)
    torch.testing.assert_close(by_bias, torch.tensor([0.01]))
    torch.testing.assert_close(by_input, 0.01 * WEIGHT[0])
    assert float(LeakyReLU(0.01).df(torch.tensor(-0.25))) == pytest.approx(0.01)


def test_a_dead_unit_does_not_move_under_plain_descent_but_does_under_decay() -> None:
    """Weights of 0.01, a bias of -10, inputs in [0, 1]²: z stays below -9.98."""
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.fill_(0.01)
        layer.bias.fill_(-10.0)
    unit = linear_bounds(Box(torch.zeros(2), torch.ones(2)), layer.weight, layer.bias)
    assert float(unit.high) == pytest.approx(-9.98, abs=1e-4)
    assert certainly_dead(unit, "relu").tolist() == [True]
    for decay, moved in ((0.0, False), (0.1, True)):
        before = layer.bias.clone()
        descent = torch.optim.SGD(layer.parameters(), lr=0.1, weight_decay=decay)
        torch.relu(layer(torch.rand(64, 2, generator=torch.Generator().manual_seed(0)))).sum().backward()
        descent.step()
        descent.zero_grad()
        assert bool((layer.bias != before).any()) == moved


@pytest.mark.parametrize("choice", [0.0, 0.5, 1.0])
def test_the_slope_at_zero_is_a_choice_that_no_average_sees(choice: float) -> None:
    chosen = Curve(torch.relu, lambda x: torch.where(x == 0, choice, (x > 0).double()), kinks=(0.0,))
    for field in ("slope", "slope_square", "growth"):
        assert getattr(moments(chosen), field) == pytest.approx(getattr(moments("relu"), field), rel=1e-12)


def test_but_operators_choose_differently_where_a_pre_activation_is_exactly_zero() -> None:
    z = torch.zeros(1, requires_grad=True)
    assert float(torch.autograd.grad(torch.relu(z).sum(), z)[0]) == 0 == float(ReLU().df(torch.zeros(1)))
    assert float(torch.autograd.grad(z.clamp(min=0).sum(), z)[0]) == 1


@pytest.mark.parametrize("pairs", [1, 2, 10])
def test_mixing_relu_and_sigmoid_brings_vanishing_back(pairs: int) -> None:
    mixed = chain_gradient(2 * pairs, slope=[1.0, 0.25] * pairs)
    assert mixed == 0.25**pairs
    assert mixed ** (1 / (2 * pairs)) == pytest.approx(0.5)  # per layer
