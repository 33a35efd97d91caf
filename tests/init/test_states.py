"""Whatever lies between two layers is made up for by the second: its results have variance 1, measured."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import limen
from limen.anatomy.tape import record
from limen.init.states import State, activated
from limen.theory import moments


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Between(nn.Module):
    """Two layers with anything between them."""

    def __init__(self, between: Callable[[Tensor], Tensor], width: int) -> None:
        super().__init__()
        self.first, self.between, self.last = nn.Linear(256, 256), between, nn.Linear(width, 512)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.between(self.first(x)))


def halves(x: Tensor) -> Tensor:
    left, right = x.chunk(2, -1)
    return torch.tanh(left) * right


CASES: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "dropout": (lambda x: F.dropout(F.relu(x), 0.5, training=True), 256),
    "no dropout": (lambda x: F.dropout(F.relu(x), 0.5, training=False), 256),
    "alpha dropout": (lambda x: F.alpha_dropout(F.selu(x), 0.2, training=True), 256),
    "scaled": (lambda x: 3 * x / 2, 256),
    "shifted": (lambda x: x - 2, 256),
    "shifted the other way": (lambda x: 2 - torch.sigmoid(x), 256),
    "side by side": (lambda x: torch.cat([x, F.relu(x), 5 * x], -1), 768),
    "gated": (halves, 128),
    "gated by itself": (lambda x: x * torch.sigmoid(x), 256),
    "glu": (lambda x: F.glu(x, -1), 128),
    "largest": (lambda x: F.max_pool1d(x, 2), 128),
    "mean": (lambda x: F.avg_pool1d(F.relu(x), 2), 128),
    "unknown": (lambda x: torch.exp(-x.abs()), 256),
    "constant": (lambda x: x * torch.full((256,), 4.0), 256),
    "normalised": (lambda x: F.layer_norm(9 * x, (256,)), 256),
    "reshaped": (lambda x: F.relu(x).view(-1, 2, 128).transpose(1, 2).flatten(1), 256),
}


@pytest.mark.parametrize("name", CASES)
def test_what_lies_between_two_layers_is_made_up_for(name: str) -> None:
    between, width = CASES[name]
    model, x = Between(between, width), torch.randn(512, 256, generator=seeded(9))
    squares: list[float] = []
    for seed in range(4):
        limen.init_(model, x, generator=seeded(seed), predicted=False)
        with torch.no_grad(), torch.random.fork_rng():
            squares.append(float(model(x).square().mean()))
    # a mean that all samples share makes 512 units a sample of 512: 6 % in one draw, 3 % in four
    assert sum(squares) / 4 == pytest.approx(1, rel=0.12)


@pytest.mark.parametrize("variance", [0.3, 1.0, 7.0])
def test_a_function_of_pre_activations_is_what_the_theory_says(variance: float) -> None:
    tape = record(nn.Sequential(nn.Linear(2, 2), nn.GELU()), torch.ones(1, 2))
    function = tape.operations[1].activation
    assert function is not None
    made, expected = activated(function, State(variance, slope=1.0, run=3)), moments("gelu", variance)
    assert (made.square, made.mean, made.slope, made.run) == (expected.square, expected.mean, expected.slope_square, 4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_other_element_types(dtype: torch.dtype) -> None:
    model = nn.Sequential(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 4)).to(dtype)
    made = limen.init_(model, torch.randn(8, 256, generator=seeded()).to(dtype), generator=seeded())
    assert made.rows[1].new_std == pytest.approx((2 / 256) ** 0.5, rel=0.1)
    assert model[2].weight.dtype == dtype


def test_what_cannot_be_seen_is_taken_as_it_acts_and_left() -> None:
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        script = torch.jit.script(nn.Sequential(nn.Linear(256, 256), nn.ReLU()))
    model, x = nn.Sequential(nn.Linear(256, 256), script, nn.Linear(256, 256)), torch.randn(512, 256)
    before = {name: p.detach().clone() for name, p in script.named_parameters()}
    made = limen.init_(model, x, generator=seeded(), predicted=False)
    assert {row.name for row in made.rows if row.rule == "left"} == {"1.0.weight", "1.0.bias"}
    assert all(torch.equal(p, before[name]) for name, p in script.named_parameters())
    with torch.no_grad():
        assert float(model(x).square().mean()) == pytest.approx(1, rel=0.2)


class Scan(nn.Module):
    """A state that decays by an input's own factor at each step, as in selective state spaces."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.into, self.rate, self.last = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.decay = nn.Parameter(torch.arange(1.0, width + 1).log() / 2)
        nn.init.constant_(self.rate.bias, -4.6)

    def forward(self, x: Tensor) -> Tensor:
        state, made = torch.zeros_like(x[:, 0]), []
        for step in x.unbind(1):
            rate = F.softplus(self.rate(step))
            state = torch.exp(-rate * self.decay.exp()) * state + rate * self.into(step)
            made.append(state)
        return x + self.last(torch.stack(made, 1))


def test_a_scan_over_time_does_not_run_away() -> None:
    torch.manual_seed(0)
    model, x = Scan(64), torch.randn(16, 32, 64, generator=seeded(1))
    made = limen.init_(model, x, generator=seeded())
    last = next(row for row in made.rows if row.name == "last.weight")
    assert all(bool(torch.isfinite(weight).all()) for weight in model.parameters())
    assert last.new_std > 1e-3
    assert 0.01 < float((model(x) - x).detach().var()) < 10  # a branch of about the size of what it is added to


class Slopes(nn.Module):
    """Returns the derivative of its layers with respect to their input, as forces are of an energy."""

    def __init__(self) -> None:
        super().__init__()
        self.energy = nn.Sequential(nn.Linear(8, 256), nn.Tanh(), nn.Linear(256, 256))

    def forward(self, x: Tensor) -> Tensor:
        x = x.detach().requires_grad_()
        return torch.autograd.grad(self.energy(x).sum(), x, create_graph=True)[0]


@pytest.mark.parametrize("mode", ["variance", "data"])
def test_a_forward_pass_may_ask_for_gradients(mode: str) -> None:
    model, x = Slopes(), torch.randn(32, 8, generator=seeded(1))
    limen.init_(model, x, mode=mode, generator=seeded())  # pyright: ignore[reportArgumentType]
    made = model.energy(x).detach().var(correction=0)
    assert float(made) == pytest.approx(1.0, rel=0.3 if mode == "variance" else 0.021)
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())
