"""What is tested of every module: all elementwise entries of the catalogue, some with other parameters."""

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from limen import nn as twins
from limen.activations import Activation, Hardtanh, Identity, LeakyReLU, PReLU, Threshold
from limen.nn.entries import call_of
from limen.nn.learnable import LEARNABLE
from limen.nn.native import serves
from tests.activations.cases import over
from tests.activations.test_catalogue import EVERY

ENTRIES: list[Activation] = [
    *(entry for entry in EVERY if type(entry) not in LEARNABLE),  # which have tests of their own
    LeakyReLU(1.0),
    Threshold(-1.0, 2.0),
    Hardtanh(0.0, 6.0),
]

APPLIED = [entry for entry in ENTRIES if not isinstance(entry, Identity | PReLU)]
"""Those that an operator applies; the others are torch's own."""

EXACT = pytest.mark.parametrize("exact", [True, False], ids=["exact", "fast"])
every = over("entry", ENTRIES)
applied = over("entry", APPLIED)

GRID = torch.cat(
    [torch.linspace(-25, 25, 997), torch.linspace(-1.5, 1.5, 301), torch.tensor([0.0, -0.0, 1.0, -1.0, 3.0])]
)
SMALL = torch.tensor([[-2.6, -0.7, 0.3], [0.9, 1.7, 3.4]])
"""Away from the kinks of all entries."""


def by_torch(entry: Activation, x: Tensor, *, exact: bool = False) -> bool:
    """Whether torch's own operator computes an entry: its numerics are not ours to promise."""
    name, _ = call_of(entry)
    return not exact and serves(name, x)


def needs_ours(entry: Activation, x: Tensor, *, exact: bool = False) -> None:
    """Skip where torch's operator serves."""
    if by_torch(entry, x, exact=exact):
        pytest.skip(f"no kernel for {entry.name} in {x.dtype}: torch's own operator serves, with its numerics")


def module_of(entry: Activation, *, exact: bool = False) -> nn.Module:
    return twins.of_entry(entry, exact=exact)


def slope_by(module: nn.Module, x: Tensor) -> Tensor:
    """What a backward pass gives for a gradient of ones."""
    x = x.detach().clone().requires_grad_()
    module(x).sum().backward()
    assert x.grad is not None
    return x.grad


def ulps(found: Tensor, truth: Tensor, term: float = 0.0) -> float:
    """The largest error in units of the last place of the truth, or of ``term`` where that is larger.

    Near a root, where terms of the size of ``term`` cancel, nobody can do better.
    """
    kind = torch.finfo(found.dtype)
    size = truth.abs().clamp(max(kind.tiny, term / 2), kind.max)
    unit = torch.exp2(torch.floor(torch.log2(size))) * kind.eps
    return float(((found.detach().to(truth.dtype) - truth).abs() / unit).max())


def copies(thing: Any) -> list[Any]:
    """The same by pickle and by deepcopy."""
    return [pickle.loads(pickle.dumps(thing)), copy.deepcopy(thing)]
