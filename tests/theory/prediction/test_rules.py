"""Each rule against the operation itself, run on many samples of what the state says."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.theory import MapPrediction, Prediction, predict


def last(found: Prediction) -> MapPrediction:
    """The figures of the last weight, with what was measured."""
    assert found.unruled == ()
    assert found.maps[-1].measured is not None
    return found.maps[-1]


class Between(nn.Module):
    """A function between two layers."""

    def __init__(self, function: Any, units: int, made: int) -> None:
        super().__init__()
        self.first, self.last, self.function = nn.Linear(units, units), nn.Linear(made, 512), function

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.function(self.first(x)))


def tanh_gelu(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + torch.tanh(0.7978845608 * (x + 0.044715 * x**3)))


FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "two-ways": (lambda x: x * torch.sigmoid(x) + torch.tanh(2 * x) / 3, 512),
    "by-hand": (tanh_gelu, 512),
    "softplus-mish": (lambda x: x * torch.tanh(F.softplus(x)), 512),
    "glu": (lambda x: F.glu(x, dim=-1), 256),
    "split-gate": (lambda x: F.silu(x[..., :256]) * x[..., 256:], 256),
    "cat": (lambda x: torch.cat([F.relu(x), F.relu(-x)], dim=-1), 1024),
    "square": (lambda x: x.relu() ** 2, 512),
    "maximum": (lambda x: torch.maximum(x, 0.1 * x), 512),
    "residual-of-itself": (lambda x: x + torch.tanh(x), 512),
    "swapped": (lambda x: F.elu(x.view(-1, 2, 256).transpose(1, 2)).flatten(1), 512),
    "dropout": (lambda x: F.dropout(F.relu(x), 0.3), 512),
    "standardised": (lambda x: F.layer_norm(x.exp(), (512,)), 512),
    "root": (lambda x: F.rms_norm(F.relu(x), (512,)), 512),
    "groups": (lambda x: F.group_norm(F.relu(x), 8), 512),
    "chunk": (lambda x: torch.stack(x.chunk(4, dim=1)).tanh().sum(0), 128),
}


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_what_lies_between_two_layers(name: str) -> None:
    torch.manual_seed(0)
    function, made = FUNCTIONS[name]
    found = predict(Between(function, 512, made), torch.randn(256, 512) * 2)
    first, second = found.maps[0], last(found)
    assert first.measured is not None
    assert second.measured is not None
    assert second.variance == pytest.approx(second.measured.variance, rel=0.05)
    assert first.gradient == pytest.approx(first.measured.gradient, rel=0.05)
    assert second.weight_gradient == pytest.approx(second.measured.weight_gradient, rel=0.1)
    assert first.weight_gradient == pytest.approx(first.measured.weight_gradient, rel=0.1)


IMAGES: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "padding": (
        nn.Sequential(nn.Conv2d(4, 128, 3, padding=1), nn.ReLU(), nn.Conv2d(128, 256, 3, padding=1)),
        (4, 6, 6),
    ),
    "stride-groups": (nn.Sequential(nn.Conv2d(4, 128, 3, stride=2, groups=2), nn.Conv2d(128, 256, 2)), (4, 9, 9)),
    "transposed": (
        nn.Sequential(nn.ConvTranspose2d(8, 128, 3, stride=2), nn.Tanh(), nn.Conv2d(128, 256, 3)),
        (8, 5, 5),
    ),
    "one-axis": (nn.Sequential(nn.Conv1d(8, 128, 5, dilation=2), nn.GELU(), nn.Conv1d(128, 256, 3)), (8, 20)),
    "max-pool": (nn.Sequential(nn.Conv2d(4, 256, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(256, 256, 2)), (4, 8, 8)),
    "avg-pool": (nn.Sequential(nn.Conv2d(4, 256, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(256, 256, 2)), (4, 8, 8)),
    "global": (
        nn.Sequential(nn.Conv2d(4, 256, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 256)),
        (4, 8, 8),
    ),
    "instances": (
        nn.Sequential(nn.Conv2d(4, 256, 3), nn.InstanceNorm2d(256), nn.ReLU(), nn.Conv2d(256, 256, 2)),
        (4, 10, 10),
    ),
    "running": (
        nn.Sequential(nn.Conv2d(4, 256, 3), nn.BatchNorm2d(256), nn.ReLU(), nn.Conv2d(256, 256, 2)).eval(),
        (4, 6, 6),
    ),
    "of-the-batch": (
        nn.Sequential(nn.Conv2d(4, 256, 3), nn.BatchNorm2d(256), nn.ReLU(), nn.Conv2d(256, 256, 2)),
        (4, 6, 6),
    ),
}


@pytest.mark.parametrize("name", list(IMAGES))
def test_what_lies_between_two_convolutions(name: str) -> None:
    torch.manual_seed(0)
    model, shape = IMAGES[name]
    for parameter in model.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.1)
    found = predict(model, torch.randn(32, *shape))
    first, second = found.maps[0], last(found)
    assert first.measured is not None
    assert second.measured is not None
    assert second.variance == pytest.approx(second.measured.variance, rel=0.1)
    assert first.gradient == pytest.approx(first.measured.gradient, rel=0.1)


class Attends(nn.Module):
    """Attention as minGPT writes it, or as torch has it."""

    def __init__(self, *, by_hand: bool, causal: bool) -> None:
        super().__init__()
        self.qkv, self.back, self.by_hand, self.causal = nn.Linear(128, 384), nn.Linear(128, 128), by_hand, causal

    def forward(self, x: Tensor) -> Tensor:
        rows, steps, units = x.shape
        query, key, value = (
            part.view(rows, steps, 4, units // 4).transpose(1, 2) for part in self.qkv(x).split(units, dim=2)
        )
        if self.by_hand:
            scores = query @ key.transpose(-2, -1) / (units // 4) ** 0.5
            if self.causal:
                scores = scores.masked_fill(torch.ones(steps, steps).triu(1) > 0, float("-inf"))
            mixed = F.softmax(scores, dim=-1) @ value
        else:
            mixed = F.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return self.back(mixed.transpose(1, 2).reshape(rows, steps, units))


@pytest.mark.parametrize("by_hand", [True, False], ids=["by-hand", "fused"])
@pytest.mark.parametrize("causal", [True, False], ids=["causal", "full"])
def test_attention(by_hand: bool, causal: bool) -> None:
    torch.manual_seed(0)
    found = predict(Attends(by_hand=by_hand, causal=causal), torch.randn(32, 12, 128))
    first, second = found.maps[0], last(found)
    assert first.measured is not None
    assert second.measured is not None
    assert second.variance == pytest.approx(second.measured.variance, rel=0.1)
    assert first.gradient == pytest.approx(first.measured.gradient, rel=0.1)


class Recurrent(nn.Module):
    """A recurrent layer between two others."""

    def __init__(self, kind: Any, **options: Any) -> None:
        super().__init__()
        self.first, self.cells = nn.Linear(64, 64), kind(64, 128, batch_first=True, **options)
        self.last = nn.Linear(256 if options.get("bidirectional") else 128, 256)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.cells(torch.tanh(self.first(x)))[0])


@pytest.mark.parametrize(
    ("kind", "options"),
    [(nn.LSTM, {}), (nn.LSTM, {"bidirectional": True}), (nn.GRU, {}), (nn.RNN, {}), (nn.RNN, {"bias": False})],
    ids=["lstm", "both-ways", "gru", "rnn", "rnn-without-bias"],
)
def test_recurrent_layers(kind: type[nn.RNNBase], options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    found = predict(Recurrent(kind, **options), torch.randn(64, 10, 64) * 2)
    first, second = found.maps[0], last(found)
    assert first.measured is not None
    assert second.measured is not None
    assert second.variance == pytest.approx(second.measured.variance, rel=0.1)
    assert first.gradient == pytest.approx(first.measured.gradient, rel=0.1)


class Stepping(nn.Module):
    """A loop of the model's own over a cell."""

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.first, self.cell, self.last = nn.Linear(64, 64), kind(64, 256), nn.Linear(256, 256)

    def forward(self, x: Tensor) -> Tensor:
        state: Any = None
        for one in torch.tanh(self.first(x)).unbind(1):
            state = self.cell(one, state)
        return F.log_softmax(self.last(state[0] if isinstance(state, tuple) else state), dim=-1)


@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell, nn.RNNCell], ids=["lstm", "gru", "rnn"])
def test_cells(kind: Any) -> None:
    torch.manual_seed(0)
    found = predict(Stepping(kind), torch.randn(64, 6, 64) * 2)
    first, second = found.maps[0], last(found)
    assert first.measured is not None
    assert second.measured is not None
    assert second.variance == pytest.approx(second.measured.variance, rel=0.1)
    assert first.gradient == pytest.approx(first.measured.gradient, rel=0.1)


def test_what_has_no_rule_is_read_from_the_pass_and_marked() -> None:
    class Sorts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(256, 256), nn.Linear(256, 256)

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(self.last(torch.sort(torch.relu(self.first(x)), dim=-1).values))

    torch.manual_seed(0)
    found = predict(Sorts(), torch.randn(64, 256))
    assert found.unruled == ("sort",)
    before, after = found.sites
    assert (before.source, after.source) == ("theory", "measured")
    assert before.measured is not None
    assert after.measured is not None
    assert after.variance == pytest.approx(after.measured.variance, rel=0.05)
    assert before.gradient == pytest.approx(before.measured.gradient, rel=0.1)
    assert "relu#2*" in str(found)
    assert "sort" in str(found)


def test_a_scripted_module_is_read_from_the_pass() -> None:
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        script: Any = torch.jit.script(nn.Sequential(nn.Linear(64, 64), nn.ReLU()))
    found = predict(nn.Sequential(nn.Linear(64, 64), script, nn.Linear(64, 64), nn.Tanh()), torch.randn(32, 64))
    assert found.unruled == ("opaque in 1",)
    (site,) = found.sites
    assert site.source == "measured"
    assert site.measured is not None
    assert site.variance == pytest.approx(site.measured.variance, rel=0.1)


def test_a_batch_of_one_leaves_nothing_to_predict() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 16), nn.GELU(), nn.Linear(16, 1))
    for site in predict(model, torch.randn(1, 16)).sites:
        assert site.measured is not None
        assert site.mean == pytest.approx(site.measured.mean, rel=1e-4)
        assert site.variance == pytest.approx(site.measured.variance, rel=1e-4)


def test_the_gradient_of_a_loss() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.Tanh(), nn.Linear(256, 10))
    labels = torch.randint(0, 10, (256,))
    found = predict(model, torch.randn(256, 64), loss=lambda output: F.cross_entropy(output, labels))
    for site in found.sites:
        assert site.measured is not None
        assert site.gradient == pytest.approx(site.measured.gradient, rel=0.05)
    for weight in found.maps:
        assert weight.measured is not None
        assert weight.weight_gradient == pytest.approx(weight.measured.weight_gradient, rel=0.1)


def test_weights_that_are_all_alike_move_units_together() -> None:
    """To a factor only: units that all do the same are far from the independent ones of the theory."""
    torch.manual_seed(0)
    model = nn.Sequential(*(module for _ in range(4) for module in (nn.Linear(256, 256), nn.ReLU())))
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.02 if parameter.ndim > 1 else 0.0)
    for site in predict(model, torch.randn(256, 256)).sites:
        assert site.measured is not None
        assert 0.3 < site.variance / site.measured.variance < 3  # independent units would be off by 256 a layer
        assert 0.3 < site.gradient / site.measured.gradient < 3


class Doubles(torch.autograd.Function):
    """Code that brings its gradients down itself."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return x * 2

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return above * 2


def test_the_calls_inside_a_function_with_its_own_gradient_are_seen() -> None:
    def doubled(x: Tensor) -> Tensor:
        double: Any = Doubles.apply
        return double(torch.relu(x))

    torch.manual_seed(0)
    found = predict(Between(doubled, 256, 256), torch.randn(64, 256))
    assert found.sites[0].measured is not None
    assert found.sites[0].gradient == pytest.approx(found.sites[0].measured.gradient, rel=0.05)
    assert last(found).source == "theory"


class Joins(nn.Module):
    """What caches and embeddings of types do: join to nothing, add what was made for each sample alike."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.types, self.last = nn.Linear(64, 256), nn.Embedding(2, 256), nn.Linear(256, 256)
        self.register_buffer("kinds", torch.zeros(1, 1, dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([x.new_zeros(0), torch.relu(self.first(x))], dim=-2)
        kinds: Any = self.kinds
        return self.last(x + self.types(kinds.expand(x.shape[0], x.shape[1])))


def test_what_is_joined_to_nothing_and_what_is_made_for_each_sample_alike() -> None:
    torch.manual_seed(0)
    made = last(predict(Joins(), torch.randn(32, 6, 64)))
    assert made.source == "theory"
    assert made.measured is not None
    assert made.variance == pytest.approx(made.measured.variance, rel=0.05)
