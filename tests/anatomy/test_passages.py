"""What stands between layers of weights that follow each other, read from real graphs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.anatomy import Passage, dropped_by, parents_of, passages

Function = Callable[[Tensor], Tensor]
STRANGE: dict[str, Function] = {
    "exp": torch.exp,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "pow": lambda x: x**3,
    "softmax": lambda x: F.softmax(x, -1),
}
ORDINARY: dict[str, Function] = {"root": lambda x: x.abs() ** 0.5, "over the batch": lambda x: F.softmax(x, 0)}
PLAIN: dict[str, Function] = {
    "dropout": nn.Dropout(0.5),
    "view": nn.Unflatten(1, (3, 4)),
    "product": lambda x: 2.0 * x,
    "quotient": lambda x: x / 3.0,
}


def read(*modules: nn.Module, shape: tuple[int, ...] = (8, 12)) -> list[Passage]:
    torch.manual_seed(0)
    loss = nn.Sequential(*modules)(torch.randn(*shape)).square().mean()
    assert loss.grad_fn is not None
    return list(passages(parents_of(loss.grad_fn)))


class Of(nn.Module):
    """A function as a module."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def one() -> nn.Linear:
    return nn.Linear(12, 12)


def test_two_layers_in_a_row_are_a_passage_from_the_first_weight_to_the_second() -> None:
    first, second = one(), one()
    (found,) = read(first, second)
    assert found.before is first.weight
    assert found.behind is second.weight
    assert (found.function, found.norm, found.loose, found.meant) == ("", False, False, False)


@pytest.mark.parametrize("between", [nn.ReLU(), nn.Tanh(), nn.GELU(), nn.Sigmoid()], ids=repr)
def test_an_activation_between_them_is_none(between: nn.Module) -> None:
    assert read(one(), between, one()) == []


@pytest.mark.parametrize("name", PLAIN)
def test_dropout_views_and_constants_are_looked_through(name: str) -> None:
    (found,) = read(one(), Of(PLAIN[name]), Of(lambda x: x.flatten(1)), one())
    assert (found.function, found.loose) == ("", False)


@pytest.mark.parametrize("name", STRANGE)
def test_a_function_outside_of_the_catalogue_is_named(name: str) -> None:
    (found,) = read(one(), Of(STRANGE[name]), one())
    assert (found.function, found.norm) == (name, False)
    (behind,) = read(one(), nn.LayerNorm(12), Of(STRANGE[name]), one())
    assert (behind.function, behind.norm) == (name, True)


@pytest.mark.parametrize("name", ORDINARY)
def test_a_root_and_a_softmax_over_the_batch_are_no_such_functions(name: str) -> None:
    assert read(one(), Of(ORDINARY[name]), one()) == []


def test_batch_normalisation_is_loose_where_it_uses_the_batch_and_affine_where_it_does_not() -> None:
    (batch,) = read(one(), nn.BatchNorm1d(12), one())
    (fixed,) = read(one(), nn.BatchNorm1d(12).eval(), one())
    assert (batch.loose, fixed.loose) == (True, False)


def test_what_another_layer_reads_as_well_is_no_passage() -> None:
    first, second, third = one(), one(), one()
    hidden = first(torch.randn(8, 12))
    end = (second(hidden) + third(hidden)).sum().grad_fn
    assert end is not None
    assert list(passages(parents_of(end))) == []


def test_a_factor_of_low_rank_is_meant() -> None:
    (narrow,) = read(nn.Linear(12, 2), nn.Linear(2, 12))
    assert narrow.meant


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_dropout_tells_its_share_by_what_it_multiplies_with(share: float) -> None:
    torch.manual_seed(1)
    x = torch.randn(64, 64, requires_grad=True)
    assert dropped_by(F.dropout(x, share).grad_fn) == pytest.approx(share, abs=1e-4)
    assert dropped_by((x * torch.rand(64, 64)).grad_fn) == 0.0
    assert dropped_by((x * 2.0).grad_fn) == 0.0
    assert dropped_by(None) == 0.0
