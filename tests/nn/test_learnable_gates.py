"""Smooth learned functions: their slopes in the parameters, against closed forms."""

from __future__ import annotations

import torch
from torch import nn

from limen.nn import ACONC, DynamicTanh, Swish

X = torch.linspace(-6, 6, 49, dtype=torch.float64)


def slopes(module: nn.Module) -> dict[str, torch.Tensor]:
    """Of the outputs in each parameter: ``[points]``."""
    found = {}
    for name, parameter in module.named_parameters():
        each = [torch.autograd.grad(y, parameter, retain_graph=True)[0] for y in module(X)]
        found[name] = torch.cat(each)
    return found


def close(found: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-13)


def test_swish_has_the_slope_of_its_paper_in_beta() -> None:
    s = torch.sigmoid(1.5 * X)
    close(slopes(Swish(beta=1.5, dtype=torch.float64))["beta"], X**2 * s * (1 - s))


def test_acon_c_has_the_slopes_of_its_paper() -> None:
    p1, p2, beta = 1.25, -0.5, 0.75
    found = slopes(ACONC(1, p1, p2, beta, dtype=torch.float64))
    apart = p1 - p2
    s = torch.sigmoid(beta * apart * X)
    bend = beta * apart * X**2 * s * (1 - s)
    close(found["p1"], X * s + bend)
    close(found["p2"], X * (1 - s) - bend)
    close(found["beta"], (apart * X) ** 2 * s * (1 - s))


def test_the_dynamic_tanh_has_the_slopes_of_its_formula() -> None:
    module = DynamicTanh(alpha=0.75, dtype=torch.float64)
    nn.init.constant_(module.weight, 1.5)
    found = slopes(module)
    close(found["alpha"], 1.5 * X / torch.cosh(0.75 * X) ** 2)
    close(found["weight"], torch.tanh(0.75 * X))
    close(found["bias"], torch.ones_like(X))


def test_the_dynamic_tanh_has_one_alpha_and_a_weight_for_each_feature() -> None:
    module = DynamicTanh(8)
    assert {name: tuple(one.shape) for name, one in module.named_parameters()} == {
        "alpha": (1,),
        "weight": (8,),
        "bias": (8,),
    }
    x = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(module(x), torch.tanh(0.5 * x))
