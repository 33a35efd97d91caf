"""Optimisers seen from outside."""

import gc

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from limen.anatomy import is_adaptive, live_optimisers

ADAPTIVE = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Adagrad", "Adadelta", "Rprop", "Adafactor"]


def made(kind: type[Optimizer]) -> Optimizer:
    return kind(nn.Linear(2, 2).parameters(), lr=0.1)  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("name", ADAPTIVE)
def test_optimisers_that_scale_each_entry_are_adaptive(name: str) -> None:
    assert is_adaptive(made(getattr(torch.optim, name)))


@pytest.mark.parametrize("name", ["SGD", "ASGD", "LBFGS"])
def test_optimisers_with_one_rate_for_all_are_not(name: str) -> None:
    assert not is_adaptive(made(getattr(torch.optim, name)))


def test_kinds_derived_from_an_adaptive_one_are_adaptive() -> None:
    class Warm(torch.optim.AdamW):
        """A user's own."""

    class Plain(torch.optim.SGD):
        """Another."""

    assert is_adaptive(made(Warm))
    assert not is_adaptive(made(Plain))


def test_optimisers_are_found_while_they_live() -> None:
    one, two = made(torch.optim.SGD), made(torch.optim.Adam)
    found = live_optimisers()
    assert any(optimiser is one for optimiser in found)
    assert any(optimiser is two for optimiser in found)
    number = id(one)
    del one, found
    gc.collect()
    assert all(id(optimiser) != number or optimiser is two for optimiser in live_optimisers())


def test_looking_for_optimisers_disturbs_no_object_that_pretends() -> None:
    class Pretender:
        """A lazy proxy: its class must not be asked for, lest it loads what it stands for."""

        @property
        def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
            raise RuntimeError("was asked")

    held = [Pretender()]
    live_optimisers()
    assert len(held) == 1
