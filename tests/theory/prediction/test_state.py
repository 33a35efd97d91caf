"""Means over Gaussians at nodes, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from limen.theory import moments
from limen.theory.prediction.cotangent import Cotangent, Seed, added
from limen.theory.prediction.rules.pools import largest_weights
from limen.theory.prediction.state import State, gaussian, overall


@pytest.mark.parametrize("elements", [1, 1000, 100_000])
@pytest.mark.parametrize("name", ["relu", "tanh", "gelu", "softplus"])
def test_means_at_nodes_are_those_of_the_theory(name: str, elements: int) -> None:
    mean, variance = torch.zeros(elements, dtype=torch.float64), torch.full((elements,), 2.0, dtype=torch.float64)
    fan = gaussian(mean, variance)
    function = {"relu": torch.relu, "tanh": torch.tanh, "softplus": torch.nn.functional.softplus}.get(
        name, torch.nn.functional.gelu
    )
    exact = moments(name, 2.0)
    loose = 0.03 if fan.base.weights.numel() < 100 else 1e-3  # of a kink, with 16 nodes
    assert fan.base.mean(function(fan.values))[0].item() == pytest.approx(exact.mean, abs=loose * exact.square**0.5)
    assert fan.base.mean(function(fan.values).square())[0].item() == pytest.approx(exact.square, rel=loose)
    assert fan.base.mean(fan.values.square())[0].item() == pytest.approx(2.0, rel=1e-12)


def test_what_does_not_vary_has_one_node() -> None:
    fan = gaussian(torch.ones(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64))
    assert fan.values.tolist() == [[1.0], [1.0], [1.0]]


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(("size", "largest"), [(2, 1 / math.sqrt(math.pi)), (3, 1.5 / math.sqrt(math.pi))])
def test_the_largest_of_some_numbers_that_are_alike(size: int, largest: float, alike: float) -> None:
    fan = gaussian(torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    weights = largest_weights(fan.base.weights, size, alike)
    assert weights.sum().item() == pytest.approx(1, abs=1e-12)
    assert (fan.values[0] @ weights).item() == pytest.approx(largest * math.sqrt(1 - alike), abs=1e-3)


def test_ways_that_meet_again_are_added_before_they_are_squared() -> None:
    fan = gaussian(torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    seed = Seed(torch.zeros(0, 1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    z = fan.values
    gate = torch.sigmoid(z)
    one, other = (Cotangent.of(seed).times(slope, fan.base) for slope in (gate, z * gate * (1 - gate)))
    assert added(one, other).square.item() == pytest.approx(moments("silu", 1.0).slope_square, rel=1e-6)
    apart = Cotangent.of(Seed(seed.ways, seed.variance))
    assert added(Cotangent.of(seed), apart).square.item() == 2
    assert added(Cotangent.of(seed), Cotangent.of(seed)).square.item() == 4


def test_mean_and_variance_of_all_samples_and_elements() -> None:
    numbers = torch.randn(50, 7, dtype=torch.float64) * torch.arange(7) + 1
    found = overall(State(numbers.mean(0, keepdim=True), numbers.var(0, correction=0, keepdim=True)))
    assert found == pytest.approx((numbers.mean().item(), numbers.var(correction=0).item()))
