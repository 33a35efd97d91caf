"""Maxout layers, against maxima taken one by one."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch import nn

from limen.activations import get
from limen.errors import WrongType
from limen.nn import Maxout


def test_it_is_the_largest_of_its_linear_maps() -> None:
    module = Maxout(5, 3, 4, dtype=torch.float64)
    x = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for row, out in zip(x.reshape(-1, 5), module(x).reshape(-1, 3), strict=True):
        for unit in range(3):
            maps = [(module.weight[j, unit] @ row + module.bias[j, unit]).item() for j in range(4)]
            assert float(out[unit].detach()) == pytest.approx(max(maps), rel=1e-13, abs=1e-15)


def test_it_is_its_entry_of_linear_layers() -> None:
    module = Maxout(5, 3, bias=False)
    x = torch.randn(9, 5, generator=torch.Generator().manual_seed(0))
    assert module.entry == get("maxout", kind="gated")
    maps = [nn.functional.linear(x, weight) for weight in module.weight]
    torch.testing.assert_close(module(x), module.entry.f(*maps))


def test_gradients_are_right() -> None:
    module = Maxout(4, 3, 3, dtype=torch.float64)
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64).requires_grad_()

    def function(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(module, {"weight": weight, "bias": bias}, (x,))

    given = tuple(one.detach().clone().requires_grad_() for one in (x, module.weight, module.bias))
    assert torch.autograd.gradcheck(function, given)
    assert torch.autograd.gradgradcheck(function, given)


def test_only_the_largest_piece_learns_and_of_equals_the_first() -> None:
    module = Maxout(2, 1, 3)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[[1.0, 0.0]], [[1.0, 0.0]], [[0.0, 0.0]]]))
        module.bias.zero_()
    module(torch.tensor([[1.0, 2.0]])).sum().backward()
    assert module.weight.grad.tolist() == [[[1.0, 2.0]], [[0.0, 0.0]], [[0.0, 0.0]]]


def test_it_begins_as_linear_layers_of_torch_do() -> None:
    module = Maxout(64, 100, 5)
    reach = nn.Linear(64, 100).weight.abs().max()
    assert float(module.weight.abs().max().detach()) == pytest.approx(float(reach.detach()), rel=0.01)
    assert [name for name, _ in Maxout(2, 2, bias=False).named_parameters()] == ["weight"]


def test_it_learns_an_absolute_value_which_two_pieces_can_be() -> None:
    torch.manual_seed(0)
    module, x = Maxout(1, 1, 2), torch.linspace(-2, 2, 101)[:, None]
    optimiser = torch.optim.Adam(module.parameters(), lr=0.05)
    for _ in range(300):
        loss = (module(x) - x.abs()).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 1e-3


def test_states_types_and_words() -> None:
    module = Maxout(3, 2)
    x = torch.ones(1, 3)
    assert torch.equal(pickle.loads(pickle.dumps(module))(x), module(x))
    assert module.bfloat16()(x.bfloat16()).dtype == torch.bfloat16
    assert repr(module) == "Maxout(in_features=3, out_features=2, pieces=2, bias=True)"
    with pytest.raises(WrongType, match="expected a tensor of floating-point numbers"):
        module(torch.ones(1, 3, dtype=torch.int64))
