"""The randomised leaky ReLU against torch's own; APL against its formula."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from limen.activations import get, of_module
from limen.nn import APL, RReLU

X = torch.linspace(-4, 4, 101, dtype=torch.float64)


@pytest.mark.parametrize("ends", [(1 / 8, 1 / 3), (0.0, 1.0), (0.25, 0.25)])
@pytest.mark.parametrize("training", [True, False])
def test_with_the_same_seed_it_draws_what_torch_draws(ends: tuple[float, float], training: bool) -> None:
    found = []
    for kind in (RReLU, nn.RReLU):
        module = kind(*ends).train(training)
        torch.manual_seed(17)
        x = torch.linspace(-4, 4, 1001).requires_grad_()
        y = module(x)
        (slope,) = torch.autograd.grad(y.sum(), x)
        found.append((y.detach(), slope, torch.get_rng_state()))
    for mine, torchs in zip(*found, strict=True):
        assert torch.equal(mine, torchs)


def test_in_evaluation_it_is_its_entry() -> None:
    module = RReLU().eval()
    entry = of_module(module)
    assert entry == get("rrelu")
    torch.testing.assert_close(module(X), entry.f(X), rtol=1e-15, atol=0)


def test_slopes_in_training_are_spread_evenly_between_the_ends() -> None:
    torch.manual_seed(0)
    slopes = -RReLU(0.1, 0.5)(-torch.ones(100_000))
    assert 0.1 <= float(slopes.min()) < 0.1001
    assert 0.4999 < float(slopes.max()) <= 0.5
    # five standard deviations of a mean of 100,000 draws
    assert float(slopes.mean()) == pytest.approx(0.3, abs=5 * 0.4 / 12**0.5 / 100_000**0.5)


def test_apl_has_the_slopes_of_its_formula() -> None:
    entry = get("apl", slopes=(0.5, -0.25), hinges=(-1.01, 0.51))
    module = APL.of(entry).double()
    each = [torch.autograd.grad(y, [module.slopes, module.hinges], retain_graph=True) for y in module(X)]
    in_slopes, in_hinges = (torch.cat(rows) for rows in zip(*each, strict=True))
    for s, (slope, hinge) in enumerate(zip(module.slopes[0].tolist(), module.hinges[0].tolist(), strict=True)):
        torch.testing.assert_close(in_slopes[:, s], (hinge - X).clamp(min=0), rtol=1e-14, atol=1e-15)
        torch.testing.assert_close(in_hinges[:, s], slope * (hinge > X).double(), rtol=1e-14, atol=0)


@pytest.mark.parametrize("shape", ["relu", "leaky_relu", "prelu"])
def test_apl_begins_as_a_rectifier_exactly(shape: str) -> None:
    module = APL(init=shape, dtype=torch.float64)
    torch.testing.assert_close(module(X), get(shape).f(X), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("shape", "worst"), [("gelu", 0.11), ("silu", 0.25), ("elu", 0.12), ("softplus", 0.25)])
def test_more_hinges_come_closer_to_a_smooth_shape(shape: str, worst: float) -> None:
    # right of the last hinge, 2, the function is x, from which silu is 0.24 away there
    reach = torch.linspace(-5, 5, 401, dtype=torch.float64)
    off = [
        (APL(hinges, shape, dtype=torch.float64)(reach) - get(shape).f(reach)).square().mean().item()
        for hinges in (1, 5, 17)
    ]
    assert off[0] > off[1] > off[2]
    far = (APL(17, shape, dtype=torch.float64)(reach) - get(shape).f(reach)).abs().max()
    assert far.item() < worst


def test_the_penalty_is_the_sum_of_squares_and_pulls_the_slopes_in() -> None:
    module = APL([0.0, 1.0], num_parameters=2, dtype=torch.float64)
    with torch.no_grad():
        module.slopes.copy_(torch.tensor([[1.0, 2.0], [3.0, -4.0]]))
    assert float(module.penalty().detach()) == 30
    module.penalty().backward()
    assert torch.equal(module.slopes.grad, 2 * module.slopes.detach())
