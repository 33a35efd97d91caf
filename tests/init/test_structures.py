"""Residual branches, gates, attention, convolutions, bare weights: each treated as what it is."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import limen
from limen import theory
from limen.init import Row


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, generator=seeded(99))


def rows(model: nn.Module, sample: Any, **options: Any) -> dict[str, Row]:
    return {row.name: row for row in limen.init_(model, sample, generator=seeded(), **options).rows}


class Block(nn.Module):
    def __init__(self, width: int, *, norm: bool = False, scale: bool = False) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width) if norm else nn.Identity()
        self.up, self.down = nn.Linear(width, width), nn.Linear(width, width)
        self.scale = nn.Parameter(torch.ones(1)) if scale else None

    def forward(self, x: Tensor) -> Tensor:
        made = self.down(F.relu(self.up(self.norm(x))))
        return x + (made if self.scale is None else self.scale * made)


def stack(depth: int, **options: bool) -> nn.Sequential:
    return nn.Sequential(nn.Linear(128, 128), *(Block(128, **options) for _ in range(depth)), nn.Linear(128, 10))


def test_residual_branches_together_add_no_more_than_a_factor_e() -> None:
    model = stack(32)
    told = rows(model, normal(64, 128))
    assert {told[f"{n}.down.weight"].rule for n in range(1, 33)} == {"residual"}
    with torch.no_grad():
        before = model[0](normal(64, 128))
        after = model[1:33](before)
    growth = float(after.square().mean() / before.square().mean())
    assert growth == pytest.approx((1 + 1 / 32) ** 32, rel=0.3)
    rows(model, normal(64, 128), residual=False)
    with torch.no_grad():
        before = model[0](normal(64, 128))
        after = model[1:33](before)
    assert float(after.square().mean() / before.square().mean()) > 20  # each adds 1: 33 in the mean


def test_a_scale_at_the_end_of_a_branch_begins_at_0() -> None:
    model = stack(4, scale=True)
    told = rows(model, normal(64, 128))
    assert all(model[n].scale.item() == 0 for n in range(1, 5))
    assert told["2.scale"].remark == "the branch begins at 0"
    assert told["2.down.weight"].new_std == pytest.approx(math.sqrt(2 / 128), rel=0.05)
    with torch.no_grad():
        x = normal(64, 128)
        assert torch.equal(model[1:5](x), x)


def test_a_normalised_branch_is_left_at_its_own_scale() -> None:
    told = rows(stack(4, norm=True), normal(64, 128))
    assert told["2.down.weight"].variance == pytest.approx(1)
    assert "normalised" in told["2.down.weight"].remark
    assert told["2.up.weight"].function == "norm → relu"


class ResNet(nn.Module):
    """A projected shortcut: two layers that are added, none of which is a branch."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.short, self.b, self.head = (nn.Linear(256, 256) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.head(torch.tanh(self.short(x) + self.b(F.relu(x))))


def test_layers_that_are_added_share_the_variance() -> None:
    model = ResNet()
    told = rows(model, normal(64, 256))
    assert (told["short.weight"].variance, told["b.weight"].variance) == (pytest.approx(0.5), pytest.approx(0.5))
    assert told["short.weight"].function == "linear → tanh"


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell"])
def test_recurrent_layers(kind: str) -> None:
    options = {"nonlinearity": kind[4:]} if kind.startswith("rnn") else {}
    name = {"lstm_cell": "LSTMCell", "gru_cell": "GRUCell"}.get(kind, kind.split("_")[0].upper())
    model = getattr(nn, name)(24, 16, **options)
    x = normal(5, 8, 24) if not kind.endswith("cell") else normal(8, 24)
    limen.init_(model, 3 * x, generator=seeded())
    held = dict(model.named_parameters())
    suffix = "" if kind.endswith("cell") else "_l0"
    gates = {"lstm": 4, "gru": 3}.get(kind.split("_")[0], 1)
    assert float(held[f"weight_ih{suffix}"].detach().std()) == pytest.approx(
        1 / math.sqrt(24 * 9 * float(x.square().mean())), rel=0.1
    )
    for gate in held[f"weight_hh{suffix}"].detach().chunk(gates):
        torch.testing.assert_close(gate @ gate.T, torch.eye(16), rtol=0, atol=1e-5)
    if kind == "rnn_relu":
        assert torch.equal(held["weight_hh_l0"], torch.eye(16))
    both = (held[f"bias_ih{suffix}"] + held[f"bias_hh{suffix}"]).detach()
    expected = torch.zeros(16 * gates)
    if gates == 4:
        expected[16:32] = 1  # torch orders the gates: input, forget, cell, output
    assert torch.equal(both, expected)


def test_query_key_and_value_are_three_matrices() -> None:
    model = nn.MultiheadAttention(32, 4, batch_first=True)
    x = normal(8, 5, 32)
    told = rows(model, (x, x, x), mode="orthogonal")
    for part in model.in_proj_weight.detach().chunk(3):
        gram = part @ part.T
        torch.testing.assert_close(gram, gram[0, 0] * torch.eye(32), rtol=0, atol=1e-4)
    assert told["in_proj_weight"].function == "linear → attention"
    assert model.in_proj_bias.abs().max() == 0


class SwiGLU(nn.Module):
    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))


def test_what_a_gate_lets_through_is_made_up_for() -> None:
    told = rows(SwiGLU(), normal(64, 256))
    through = theory.moments("silu").square  # times the 1 of the other factor
    assert told["down.weight"].new_std == pytest.approx(1 / math.sqrt(256 * through), rel=0.02)
    glu = rows(nn.Sequential(nn.Linear(256, 512), nn.GLU(), nn.Linear(256, 256)), normal(64, 256))
    through = theory.moments("sigmoid").square
    assert glu["2.weight"].new_std == pytest.approx(1 / math.sqrt(256 * through), rel=0.02)


class Bare(nn.Module):
    """Weights of shape [in, out] and biases added by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.w1, self.b1 = nn.Parameter(normal(200, 300)), nn.Parameter(normal(300))
        self.w2 = nn.Parameter(normal(300, 100))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x @ self.w1 + self.b1) @ self.w2


def test_bare_weights_and_biases_are_recognised() -> None:
    model = Bare()
    told = rows(model, normal(64, 200))
    assert [(row.fan_in, row.function) for row in told.values()] == [(200, "linear → tanh"), (300, "tanh → output")]
    assert torch.equal(model.b1, torch.zeros(300))
    assert told["w2"].new_std == pytest.approx(theory.forward_gain("tanh") / math.sqrt(300), rel=0.02)


class SelfMade(nn.Module):
    """A function that the catalogue does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(256, 256), nn.Linear(256, 256)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.sin(3 * self.first(x)))


def test_an_unknown_function_is_taken_as_it_acts_on_the_sample() -> None:
    told = rows(SelfMade(), normal(512, 256))
    gain = theory.forward_gain(lambda x: torch.sin(3 * x))  # at variance 1, which the old weights did not make
    assert told["last.weight"].new_std == pytest.approx(gain / math.sqrt(256), rel=0.05)


@pytest.mark.parametrize("groups", [1, 4])
def test_convolutions_count_their_field(groups: int) -> None:
    model = nn.Sequential(nn.Conv2d(16, 32, 3, groups=groups), nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, stride=2))
    told = rows(model, normal(4, 16, 8, 8))
    assert told["0.weight"].fan_in == 9 * 16 // groups
    assert told["2.weight"].new_std == pytest.approx(math.sqrt(2 / (32 * 16 / 4)), rel=0.03)
    with torch.no_grad():
        y = model(normal(16, 16, 32, 32))[..., 4:-4, 4:-4]
    assert float(y.square().mean()) == pytest.approx(1, rel=0.2)


@pytest.mark.parametrize("name", ["relu", "tanh", "gelu", "sigmoid"])
def test_thirty_critical_convolutions_keep_the_gradient(name: str) -> None:
    function = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "sigmoid": nn.Sigmoid}[name]
    layers = [m for n in range(30) for m in (nn.Conv2d(3 if n == 0 else 32, 32, 3, padding=1), function())]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))
    x = normal(8, 3, 12, 12)
    limen.init_(model, x, mode="critical", distribution="orthogonal", generator=seeded(3))
    first, last = model[0](x), None
    first.retain_grad()
    z = first
    for layer in model[1:]:
        z = layer(z)
        if isinstance(layer, nn.Conv2d):
            z.retain_grad()
            last = z
    F.cross_entropy(z, torch.arange(8)).backward()
    assert last is not None
    assert last.grad is not None
    assert first.grad is not None
    assert 0.2 <= float(first.grad.norm() / last.grad.norm()) <= 5


def test_embeddings_begin_at_variance_one() -> None:
    model = nn.Sequential(nn.Embedding(1000, 64), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 3))
    told = rows(model, torch.arange(100).view(4, 25))
    assert told["0.weight"].new_std == pytest.approx(1, rel=0.02)
    assert told["1.weight"].function == "embedding → tanh"


def test_selu_gets_lecuns_normal_and_prelu_its_own_slope() -> None:
    told = rows(nn.Sequential(nn.Linear(256, 256), nn.SELU(), nn.Linear(256, 256)), normal(64, 256))
    assert told["2.weight"].new_std == pytest.approx(1 / 16, rel=0.02)
    told = rows(nn.Sequential(nn.Linear(256, 256), nn.PReLU(init=0.5), nn.Linear(256, 256)), normal(64, 256))
    assert told["2.weight"].new_std == pytest.approx(math.sqrt(2 / 1.25) / 16, rel=0.02)
    assert told["1.weight"].rule == "left"
