"""Limits through whole models: no input within the sample's range escapes them, and silent units are certified."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.anatomy.tape import record
from limen.preflight import preflight
from limen.preflight.bounds import bounds_in
from limen.preflight.measure import fly

IMAGE = (64, 3, 8, 8)


class Branches(nn.Module):
    """A shortcut, and functions called in the forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.out = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        h = F.gelu(self.one(x))
        return torch.sigmoid(self.out(h + F.dropout(torch.tanh(self.two(h)), 0.0)))


class Tied(nn.Module):
    """One weight, used both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.code = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(torch.relu(self.code(x)), self.code.weight.t())


def convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, dilation=2, padding=2, groups=2),
        nn.SiLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 16), nn.ELU(), nn.Dropout(0.5),
        nn.Linear(16, 2),
    )  # fmt: skip


MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (lambda: nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 9), nn.Mish(), nn.Linear(9, 3)), (64, 6)),
    "sequence": (lambda: nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 3)), (8, 5, 6)),
    "branches": (Branches, (64, 6)),
    "tied": (Tied, (64, 6)),
    "convolutions": (convolutions, IMAGE),
    "one axis": (lambda: nn.Sequential(nn.Conv1d(2, 4, 5, stride=2), nn.Softplus(), nn.Conv1d(4, 4, 1)), (16, 2, 20)),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", range(3))
def test_no_input_within_the_range_escapes(name: str, seed: int) -> None:
    torch.manual_seed(seed)
    build, shape = MODELS[name]
    model, x = build(), 2 * torch.rand(shape) - 0.5
    bounds = bounds_in(flight := fly(model, x))
    low, high = float(x.min()), float(x.max())
    others = [torch.rand(shape) * (high - low) + low, torch.where(torch.rand(shape) < 0.5, low, high), x]
    for other in others:
        seen: list[Tensor] = []
        again = fly_again(model, other, seen)
        assert len(again) == len(flight.tape.operations)
        for operation, made in zip(flight.tape.operations, seen, strict=True):
            box = bounds.get(id(operation.output))
            if operation.name == "t":  # of a weight
                continue
            assert box is not None, operation
            assert bool((made >= box.low).all()), operation
            assert bool((made <= box.high).all()), operation


def fly_again(model: nn.Module, x: Tensor, seen: list[Tensor]) -> list[str]:
    """The same pass on another input, with what each operation makes."""
    with torch.no_grad():
        tape = record(model, x, see=lambda _operation, _given, made: seen.append(made[0].detach().double().clone()))
    return [operation.name for operation in tape.operations]


@pytest.mark.parametrize("behind", [nn.BatchNorm1d(9), nn.LayerNorm(9)], ids=["batch", "layer"])
def test_behind_a_normalisation_nothing_is_certain(behind: nn.Module) -> None:
    flight = fly(nn.Sequential(nn.Linear(6, 9), behind, nn.ReLU(), nn.Linear(9, 2)), torch.rand(32, 6))
    (act,) = flight.activations
    assert id(act.inputs[0]) not in bounds_in(flight)


def test_units_of_a_deeper_layer_are_certified_dead() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2)
    )
    nn.init.constant_(model[4].bias, -10.0)  # more than 16 weights of at most 1 / 4 can lift
    (finding,) = [one for one in preflight(model, torch.rand(64, 8)).findings if one.severity != "info"]
    assert (finding.name, finding.where, len(finding.units)) == ("bad-bias", "5", 16)
    assert "for 16 of them no input within the sample's range changes that" in finding.message


def test_a_sample_of_one_number_says_nothing_of_other_inputs() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))
    assert not preflight(net, torch.ones(64, 8)).findings
