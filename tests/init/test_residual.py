"""Residual additions of a tape, and the last weights of their branches."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from limen.anatomy.tape import record
from limen.init.residual import Branch, branches


class Block(nn.Module):
    def __init__(self, forward: Callable[[Block, Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second, self.other = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
        self.scale = nn.Parameter(torch.ones(()))
        self.drop = nn.Dropout(0.1)
        self._forward = forward

    def forward(self, x: Tensor) -> Tensor:
        return self._forward(self, x)


def found_in(forward: Callable[[Block, Tensor], Tensor]) -> tuple[Branch, ...]:
    return branches(record(Block(forward), torch.randn(4, 8)))


def told(one: Branch) -> tuple[str | None, str | None, bool]:
    last = one.last.weight.name if one.last is not None else None
    return last, one.scale.name if one.scale is not None else None, one.normalised


@pytest.mark.parametrize(
    ("forward", "expected"),
    [
        (lambda m, x: x + m.second(torch.relu(m.first(x))), ("second.weight", None, False)),
        (lambda m, x: m.second(torch.relu(m.first(x))) + x, ("second.weight", None, False)),
        (lambda m, x: x + m.drop(torch.relu(m.first(x))), ("first.weight", None, False)),
        (lambda m, x: x + m.second(torch.relu(m.first(m.norm(x)))), ("second.weight", None, True)),
        (lambda m, x: x + m.scale * m.second(torch.relu(m.first(x))), ("second.weight", "scale", False)),
        (lambda m, x: x + 0.5 * m.first(x), ("first.weight", None, False)),
    ],
    ids=["after", "before", "behind dropout and function", "normalised", "scaled by a parameter", "by a number"],
)
def test_a_branch_is_told_by_what_it_ends_in(
    forward: Callable[[Block, Tensor], Tensor], expected: tuple[str | None, str | None, bool]
) -> None:
    (one,) = found_in(forward)
    assert told(one) == expected
    assert (one.skip.source, one.depth) == ("input", 1)


@pytest.mark.parametrize(
    "forward",
    [
        lambda m, x: m.first(x) + m.second(x),
        lambda m, x: m.first(x) + 1.0,
        lambda m, x: x + torch.sin(x),
        lambda m, x: x * m.first(x),
    ],
    ids=["two layers", "a number", "no weights", "a gate"],
)
def test_other_sums_and_products_are_none(forward: Callable[[Block, Tensor], Tensor]) -> None:
    assert found_in(forward) == ()


def test_each_of_several_knows_how_many_there_are() -> None:
    def forward(m: Block, x: Tensor) -> Tensor:
        x = x + m.first(x)
        return x + m.second(torch.relu(m.other(x)))

    found = found_in(forward)
    assert [told(one)[0] for one in found] == ["first.weight", "second.weight"]
    assert {one.depth for one in found} == {2}
