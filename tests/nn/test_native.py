"""Where no kernel serves and torch has an operator, fast is that operator; exact is the catalogue's."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen import nn as twins
from limen.activations import get, names
from limen.errors import InvalidValue
from limen.nn import functional
from limen.nn.native import OPERATORS
from tests.nn.family import GRID, SMALL, slope_by
from tests.probe.watching import watching

TORCH: dict[str, tuple[dict[str, Any], Callable[[Tensor], Tensor]]] = {
    "abs": ({}, torch.abs),
    "arctan": ({}, torch.atan),
    "asinh": ({}, torch.asinh),
    "celu": ({"alpha": 0.5}, nn.CELU(0.5)),
    "elu": ({"alpha": 0.3}, nn.ELU(0.3)),
    "erf": ({}, torch.erf),
    "gelu": ({}, nn.GELU()),
    "gelu_tanh": ({}, nn.GELU("tanh")),
    "hardshrink": ({"lambd": 0.25}, nn.Hardshrink(0.25)),
    "hardsigmoid": ({}, nn.Hardsigmoid()),
    "hardswish": ({}, nn.Hardswish()),
    "hardtanh": ({"min_val": -2.0, "max_val": 0.5}, nn.Hardtanh(-2.0, 0.5)),
    "leaky_relu": ({"negative_slope": 0.2}, nn.LeakyReLU(0.2)),
    "logsigmoid": ({}, nn.LogSigmoid()),
    "mish": ({}, nn.Mish()),
    "prelu": ({"negative_slope": 0.5}, nn.LeakyReLU(0.5)),
    "relu": ({}, nn.ReLU()),
    "relu6": ({}, nn.ReLU6()),
    "selu": ({}, nn.SELU()),
    "sigmoid": ({}, nn.Sigmoid()),
    "silu": ({}, nn.SiLU()),
    "sin": ({"w0": 2.0}, lambda x: torch.sin(2.0 * x)),
    "softplus": ({"beta": 3.0}, nn.Softplus(3.0)),
    "softshrink": ({"lambd": 0.25}, nn.Softshrink(0.25)),
    "softsign": ({}, nn.Softsign()),
    "tanh": ({}, nn.Tanh()),
    "tanhshrink": ({}, nn.Tanhshrink()),
    "threshold": ({"threshold": -1.0, "value": 2.0}, nn.Threshold(-1.0, 2.0)),
}
"""What a user of torch writes, with other parameters than the usual ones."""

natives = pytest.mark.parametrize("name", OPERATORS)
WIDE = GRID.double()


def module(name: str, **how: Any) -> nn.Module:
    return twins.of_entry(get(name, **TORCH[name][0]), **how) if name != "prelu" else prelu(**how)


def prelu(**how: Any) -> nn.Module:
    return twins.Activate("prelu", negative_slope=0.5, **how)  # the module is torch's own


@natives
def test_fast_doubles_have_the_bits_of_torch(name: str) -> None:
    wanted: Any = TORCH[name][1]
    places = 2.0**-24 if name == "hardsigmoid" else 0.0  # which torch multiplies by 1/6 as single precision has it
    torch.testing.assert_close(module(name)(WIDE), wanted(WIDE), rtol=places, atol=places)
    torch.testing.assert_close(slope_by(module(name), WIDE), slope_by(wanted, WIDE), rtol=places, atol=places)


@natives
def test_exact_doubles_are_those_of_the_entry(name: str) -> None:
    entry = get(name, **TORCH[name][0])
    assert torch.equal(module(name, exact=True)(WIDE), entry.f(WIDE))
    assert torch.equal(slope_by(module(name, exact=True), WIDE), entry.df(WIDE))


def test_a_slope_at_kinks_that_torch_does_not_have_is_kept() -> None:
    assert slope_by(twins.of_entry(get("relu", slope_at_kink="mean")), torch.zeros(1).double()).item() == 0.5


def test_what_torch_does_not_have_is_computed_by_its_entry() -> None:
    for name in ("serf", "logish", "squareplus"):
        assert name in names()
        assert torch.equal(twins.of_entry(get(name))(WIDE), get(name).f(WIDE))


def test_parameters_are_refused_as_ever() -> None:
    with pytest.raises(InvalidValue, match=r"celu\(alpha=0\.0\)"):
        functional.celu(SMALL.double(), 0.0)
    with pytest.raises(InvalidValue, match=r"softplus\(beta=nan\)"):
        functional.softplus(SMALL.double(), float("nan"))


def test_autocast_leaves_the_type_alone() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for name in OPERATORS:
            assert module(name)(WIDE).dtype == torch.float64


# --- as a compiler and a watch see them ------------------------------------------------------------------------


def test_an_exported_network_needs_torch_alone() -> None:
    program = torch.export.export(nn.Sequential(twins.GELU(), twins.Hardtanh(-1.0, 2.0)), (SMALL.double(),))
    assert "aten.gelu" in str(program.graph)
    assert "limen" not in str(program.graph)


def test_a_compiled_network_learns_as_it_does_uncompiled() -> None:
    network = nn.Sequential(twins.SiLU(), twins.Tanh(), twins.LeakyReLU(0.2))
    torch.compiler.reset()
    compiled: Any = torch.compile(network, fullgraph=True, backend="aot_eager")
    x = SMALL.double()
    torch.testing.assert_close(compiled(x), network(x))
    torch.testing.assert_close(slope_by(compiled, x), slope_by(network, x))
    setattr(network[2], "negative_slope", 0.5)  # noqa: B010 - which the types of torch do not know
    torch.testing.assert_close(compiled(x), network(x))


class Calls(nn.Module):
    """Some that torch has as activations, one that it has as a mere function, and one of them in place."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, 4).double(), nn.Linear(4, 2).double()
        self.act, self.wave = twins.GELU(), twins.Sin(2.0)

    def forward(self, x: Tensor) -> Tensor:
        x = self.wave(self.act(self.first(x)))
        return self.last(F.relu(functional.sin(x, 3.0)) + functional.leaky_relu(x * 1, 0.2, inplace=True))


def test_a_watch_sees_each_once() -> None:
    network = Calls()
    optimiser = torch.optim.SGD(network.parameters())
    with watching(network) as probe:
        for _ in range(2):
            optimiser.zero_grad()
            network(SMALL.double()).sum().backward()
            optimiser.step()
        found = [vitals.site.function for vitals in probe.vitals().sites]
    assert found == ["gelu", "sin", "sin", "relu", "leaky_relu"]
