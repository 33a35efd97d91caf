"""Styles of models with kinds of optimisers in all precisions: the same bits, and the account is right."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch import _dynamo as compiler  # pyright: ignore[reportPrivateUsage]
from torch.optim import Optimizer
from torch.utils.checkpoint import checkpoint

from tests.probe.watching import assert_seen, bits, watching

SAMPLES, STEPS = 48, 4
Kept = list[Tensor]


class Net(nn.Module):
    """Returns its prediction and copies of its two pre-activations, made by the script itself."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.head = nn.Linear(6, 16), nn.Linear(16, 12), nn.Linear(12, 3)
        self.first, self.second, self.drop = nn.ReLU(), nn.Tanh(), nn.Dropout(0.2)

    def forward(self, x: Tensor) -> tuple[Tensor, Kept]:
        one = self.fc1(x) * 3
        kept = [one.detach().clone()]
        two = self.fc2(self.drop(self.apply_first(one))) * 3
        kept.append(two.detach().clone())
        return self.head(self.apply_second(two)), kept

    def apply_first(self, z: Tensor) -> Tensor:
        return self.first(z)

    def apply_second(self, z: Tensor) -> Tensor:
        return self.second(z)


class Functional(Net):
    def apply_first(self, z: Tensor) -> Tensor:
        return F.relu(z)

    def apply_second(self, z: Tensor) -> Tensor:
        return z.tanh()


class InPlace(Net):
    def apply_first(self, z: Tensor) -> Tensor:
        return F.relu(z, inplace=True)

    def apply_second(self, z: Tensor) -> Tensor:
        return z.tanh_()


class Shared(Net):
    def apply_first(self, z: Tensor) -> Tensor:
        return self.second(z)


class Checkpointed(Net):
    def forward(self, x: Tensor) -> tuple[Tensor, Kept]:
        return checkpoint(super().forward, x, use_reentrant=False)


STYLES: dict[str, tuple[type[Net], int, bool]] = {
    "module": (Net, 1, False),
    "functional": (Functional, 1, False),
    "in place": (InPlace, 1, False),
    "shared": (Shared, 1, False),
    "checkpointed": (Checkpointed, 1, False),
    "accumulated": (Net, 3, False),
    "compiled": (Functional, 1, True),
}
"""The model, into how many parts a batch is cut, and whether it is compiled."""


def two(model: Net) -> list[Optimizer]:
    rest = [*model.fc2.parameters(), *model.head.parameters()]
    return [torch.optim.SGD(model.fc1.parameters(), 0.1), torch.optim.Adam(rest, 0.01)]


OPTIMISERS: dict[str, Callable[[Net], list[Optimizer]]] = {
    "sgd": lambda model: [torch.optim.SGD(model.parameters(), 0.2, momentum=0.9)],
    "fused": lambda model: [torch.optim.AdamW(model.parameters(), 0.01, fused=True)],
    "foreach": lambda model: [torch.optim.AdamW(model.parameters(), 0.01, foreach=True)],
    "lbfgs": lambda model: [torch.optim.LBFGS(model.parameters(), max_iter=2)],
    "two": two,
}


class Precision(NamedTuple):
    dtype: torch.dtype
    autocast: bool = False

    def context(self) -> AbstractContextManager[Any]:
        return torch.autocast("cpu", dtype=torch.bfloat16) if self.autocast else nullcontext()


PRECISIONS = {
    "float32": Precision(torch.float32),
    "float64": Precision(torch.float64),
    "autocast": Precision(torch.float32, autocast=True),
    "bfloat16": Precision(torch.bfloat16),
}


class Trained(NamedTuple):
    bits: list[bytes]
    kept: list[list[Tensor]]  # by site and step, ``[samples, units]``


@pytest.fixture(autouse=True)
def fresh_compiler() -> Iterator[None]:
    yield
    compiler.reset()


def trained(style: str, optimiser: str, precision: str) -> Trained:
    torch.manual_seed(5)
    compiler.reset()
    kind, parts, compiles = STYLES[style]
    numbers = PRECISIONS[precision]
    model = kind().to(numbers.dtype)
    run = torch.compile(model, backend="aot_eager", fullgraph=True) if compiles else model
    optimisers = OPTIMISERS[optimiser](model)
    losses: list[Tensor] = []
    kept: list[list[Tensor]] = [[], []]

    def evaluate(x: Tensor, y: Tensor) -> Tensor:
        for one in optimisers:
            one.zero_grad()
        total = torch.zeros(())
        for part, labels in zip(x.chunk(parts), y.chunk(parts), strict=True):
            with numbers.context():
                out, tables = run(part)
                loss = F.cross_entropy(out, labels) / parts
            loss.backward()
            total += loss.detach()
            for site, table in zip(kept, tables, strict=True):
                site[-1] = torch.cat([site[-1], table])
        losses.append(total)
        return total

    for _ in range(STEPS):
        x = torch.randn(SAMPLES, 6).to(numbers.dtype)
        y = torch.randint(3, (SAMPLES,))
        for site, units in zip(kept, (16, 12), strict=True):
            site.append(torch.empty(0, units))
        if optimiser == "lbfgs":
            optimisers[0].step(lambda x=x, y=y: evaluate(x, y))
            continue
        evaluate(x, y)
        for one in optimisers:
            one.step()
    return Trained(bits([*losses, *model.parameters()]), kept)


CASES = [
    case
    for case in itertools.product(STYLES, OPTIMISERS, PRECISIONS)
    # the optimiser is not compiled, so each with one precision and each precision with one of them
    if case[0] != "compiled" or case[1] == "sgd" or case[2] == "float32"
]


@pytest.mark.parametrize(("style", "optimiser", "precision"), CASES)
def test_the_bits_are_the_same_and_the_account_is_that_of_the_copies(
    style: str, optimiser: str, precision: str
) -> None:
    bare = trained(style, optimiser, precision)
    with watching() as probe:
        watched = trained(style, optimiser, precision)
    assert watched.bits == bare.bits
    vitals = probe.vitals()
    if style == "compiled" and precision in ("autocast", "bfloat16"):  # to look would change what is computed
        assert (vitals.step, vitals.sites) == (STEPS, ())
        assert "half precision" in vitals.notes[0]
        return
    assert (vitals.step, vitals.notes, len(vitals.sites)) == (STEPS, (), 2)
    for site, tables, relu in zip(vitals.sites, bare.kept, (style != "shared", False), strict=True):
        every = torch.cat(tables).double()
        flat = every <= 0 if relu else 1 - every.tanh() ** 2 < 0.01
        assert flat.any()
        assert_seen(site, tables, flat & (every <= 0), flat & (every > 0))
