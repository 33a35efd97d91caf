"""What fires, and what nearly fires: the borders of each check, against figures worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import limen
from limen.findings import Finding
from limen.preflight import preflight
from limen.preflight.bounds import bounds_in
from limen.preflight.measure import fly
from limen.preflight.rules.dead_from_start import certain
from limen.preflight.rules.unbounded_recurrence import is_identity, spectral_radius

Found = list[tuple[str, str]]


def told(model: nn.Module, x: object, **more: object) -> Found:
    findings: tuple[Finding, ...] = preflight(model, x, **more).findings  # type: ignore[arg-type]
    return [(one.name, one.where) for one in findings if one.severity != "info"]


class Calls(nn.Module):
    """Two layers and what is done between and behind them."""

    def __init__(self, forward: Callable[[nn.Module, Tensor], Tensor], *sizes: int) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(sizes[0], sizes[1]), nn.Linear(sizes[1], sizes[2])
        self.done = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.done(self, x)


BETWEEN: dict[str, tuple[Callable[[nn.Module, Tensor], Tensor], bool]] = {
    "nothing": (lambda m, x: m.b(m.a(x)), True),
    "a view": (lambda m, x: m.b(m.a(x).reshape(-1, 8)), True),
    "dropout": (lambda m, x: m.b(F.dropout(m.a(x), 0.1)), True),
    "a constant": (lambda m, x: m.b(m.a(x) * 2.0 + 1.0), True),
    "a way round": (lambda m, x: m.b(m.a(x)) + m.a(x), True),  # two calls of a: each is read once
    "the result twice": (lambda m, x: (lambda h: m.b(h) + h)(m.a(x)), False),
    "a product": (lambda m, x: m.b(m.a(x) * torch.sigmoid(x.sum(-1, keepdim=True))), False),
    "a maximum": (lambda m, x: m.b(F.max_pool1d(m.a(x)[None], 1)[0]), False),
    "a norm over units": (lambda m, x: m.b(F.layer_norm(m.a(x), (8,))), False),
    "a tanh": (lambda m, x: m.b(torch.tanh(m.a(x))), False),
    "an absolute value": (lambda m, x: m.b(m.a(x).abs()), False),
    "a sine": (lambda m, x: m.b(torch.sin(m.a(x))), False),
}


@pytest.mark.parametrize("name", BETWEEN)
def test_what_stands_between_two_layers(name: str) -> None:
    done, expected = BETWEEN[name]
    assert (("missing-activation", "b") in told(Calls(done, 8, 8, 8), torch.randn(64, 8))) is expected


@pytest.mark.parametrize(("inner", "expected"), [(7, False), (8, True), (16, True)])
def test_a_factor_of_low_rank_is_meant(inner: int, expected: bool) -> None:
    model = Calls(lambda m, x: m.b(m.a(x)), 8, inner, 8)
    assert bool(told(model, torch.randn(64, 8))) is expected


def test_frozen_layers_are_meant() -> None:
    model = Calls(lambda m, x: m.b(m.a(x)), 8, 8, 8)
    model.a.requires_grad_(False)
    assert told(model, torch.randn(64, 8)) == []


HEADS: list[tuple[nn.Module | None, str, Tensor | None, bool]] = [
    (None, "cross-entropy", None, False),
    (nn.Softmax(-1), "cross-entropy", None, True),
    (nn.LeakyReLU(), "cross-entropy", None, False),
    (nn.Softplus(), "cross-entropy", None, True),
    (nn.LogSoftmax(-1), "nll", None, False),
    (nn.LogSoftmax(-1), "kl-div", None, False),
    (nn.Softmax(-1), "kl-div", None, True),
    (nn.Sigmoid(), "bce", None, False),
    (nn.Hardsigmoid(), "bce", None, False),
    (None, "bce", None, True),
    (nn.Sigmoid(), "bce-with-logits", None, True),
    (nn.Sigmoid(), "mse", torch.rand(64, 3), False),
    (nn.Sigmoid(), "mse", torch.eye(3)[torch.arange(64) % 3], True),
    (nn.Sigmoid(), "mse", torch.rand(64, 3) * 1.04, False),
    (nn.Sigmoid(), "mse", torch.linspace(0, 1.2, 192).reshape(64, 3), True),
    (nn.Tanh(), "l1", torch.linspace(-1, 1, 192).reshape(64, 3), False),
    (nn.Tanh(), "l1", torch.linspace(-1, 1.2, 192).reshape(64, 3), True),
    (nn.ReLU(), "huber", torch.linspace(0, 9, 192).reshape(64, 3), False),
    (nn.ReLU(), "huber", torch.linspace(-1, 9, 192).reshape(64, 3), True),
    (nn.Softmax(-1), "mse", torch.softmax(torch.randn(64, 3), -1), False),
]


@pytest.mark.parametrize(("head", "loss", "target", "expected"), HEADS, ids=[str(i) for i in range(len(HEADS))])
def test_heads_and_losses(head: nn.Module | None, loss: str, target: Tensor | None, expected: bool) -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), *([head] if head else []))
    found = told(model, torch.randn(64, 4), loss=loss, target=target)
    assert (("output-loss-mismatch", "3" if head else "2") in found) is expected


def test_a_log_softmax_before_a_cross_entropy_is_a_remark() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(-1))
    (finding,) = preflight(model, torch.randn(8, 4), loss="cross-entropy").findings
    assert (finding.severity, finding.name) == ("info", "output-loss-mismatch")
    scores = torch.randn(8, 3, dtype=torch.float64)
    twice = F.cross_entropy(torch.log_softmax(scores, -1), torch.arange(8) % 3)
    torch.testing.assert_close(twice, F.cross_entropy(scores, torch.arange(8) % 3))  # and it is one rightly


def test_a_softmax_over_one_key_is_not_one_over_one_unit() -> None:
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    assert told(model, torch.randn(32, 1, 8)) == []


def test_a_relu_of_a_relu_is_a_remark_and_of_another_a_warning() -> None:
    def found(*between: nn.Module) -> list[tuple[str, str]]:
        model = nn.Sequential(nn.Linear(4, 8), *between, nn.Linear(8, 2))
        return [(one.severity, one.where) for one in preflight(model, torch.randn(64, 4)).findings]

    assert found(nn.ReLU(), nn.ReLU()) == [("info", "2")]
    assert found(nn.ReLU(), nn.Dropout(0.1), nn.Tanh()) == [("warning", "3")]
    assert found(nn.ReLU(), nn.ReLU6()) == []
    assert found(nn.GELU(), nn.LayerNorm(8), nn.GELU()) == []


def first_layer(weights: list[list[float]], bias: list[float]) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(2, len(weights)), nn.ReLU(), nn.Linear(len(weights), 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor(weights))
        model[0].bias.copy_(torch.tensor(bias))
    return model


def test_a_death_certificate_is_what_the_corners_of_the_box_say() -> None:
    """Brute force: the largest pre-activation of a linear unit on a box is at one of its corners."""
    torch.manual_seed(0)
    weights, bias = torch.randn(64, 2), torch.randn(64) * 2
    x = torch.rand(50, 2) * 3 - 1
    x[0], x[1] = x.min(), x.max()
    low, high = float(x.min()), float(x.max())
    corners = torch.tensor([[a, b] for a in (low, high) for b in (low, high)])
    dead = (corners.double() @ weights.double().T + bias).amax(0) <= 0
    assert 0 < int(dead.sum()) < 64
    model = first_layer(weights.tolist(), bias.tolist())
    flight = fly(model, x)
    (act,) = flight.activations
    box = bounds_in(flight)[id(act.inputs[0])]
    assert certain(box, act, 64) == tuple(int(i) for i in dead.nonzero().flatten())


def test_a_few_units_dead_for_certain_are_a_remark() -> None:
    weights = [[1.0, 1.0]] * 7 + [[-1.0, -1.0]]
    weights = [[w[0] + i / 10, w[1]] for i, w in enumerate(weights)]
    (finding,) = preflight(first_layer(weights, [0.0] * 8), torch.rand(64, 2)).findings
    assert (finding.severity, finding.name, finding.units) == ("info", "dead-from-start", (7,))


@pytest.mark.parametrize(("positions", "expected"), [(29, False), (30, True)])
def test_silence_takes_thirty_positions_to_mean_anything(positions: int, expected: bool) -> None:
    model = nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))  # no box behind a norm
    nn.init.constant_(model[1].bias, -9.0)
    assert (("bad-bias", "2") in told(model, torch.randn(positions, 4))) is expected


def test_the_bound_on_silent_units_is_the_rule_of_three() -> None:
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
    nn.init.constant_(model[0].bias, -50.0)
    (finding,) = preflight(model, torch.randn(300, 4)).findings
    assert "less than 1 % (95 % confidence: 3 / 300)" in finding.message
    exact = 1 - 0.05 ** (1 / 300)  # of a binomial: the largest rate at which 300 silences have a chance of 5 %
    assert math.isclose(3 / 300, exact, rel_tol=0.01)


@pytest.mark.parametrize(("p", "expected"), [(0.3, False), (0.34, True), (0.5, True)])
def test_dropout_before_batch_normalisation_is_judged_by_its_strength(p: float, expected: bool) -> None:
    model = nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), nn.Dropout(p), nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)
    )
    assert (("normalisation-misuse", "4") in told(model, torch.randn(64, 4))) is expected


def test_dropout_behind_the_last_normalisation_is_none_of_its_business() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2))
    assert told(model, torch.randn(64, 4)) == []


def test_a_normalisation_of_single_numbers_is_an_error() -> None:
    model = nn.Sequential(nn.Linear(4, 1), nn.LayerNorm(1), nn.Linear(1, 2))
    assert ("normalisation-misuse", "1") in told(model, torch.randn(64, 4))


class Loop(nn.Module):
    def __init__(self, step: Callable[[Tensor], Tensor], turns: int) -> None:
        super().__init__()
        self.enter, self.again, self.head = nn.Linear(3, 8), nn.Linear(8, 8), nn.Linear(8, 2)
        self.step, self.turns = step, turns

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.enter(x))
        for _ in range(self.turns):
            h = self.step(self.again(h) + self.enter(x))
        return self.head(h)


@pytest.mark.parametrize(
    ("step", "turns", "expected"),
    [
        (torch.relu, 2, False),
        (torch.relu, 3, True),
        (F.silu, 5, True),
        (torch.tanh, 5, False),
        (torch.sigmoid, 5, False),
    ],
    ids=["relu-2", "relu-3", "silu-5", "tanh-5", "sigmoid-5"],
)
def test_a_loop_by_hand(step: Callable[[Tensor], Tensor], turns: int, expected: bool) -> None:
    assert (("unbounded-recurrence", "again") in told(Loop(step, turns), torch.randn(64, 3))) is expected


def test_radius_and_identity() -> None:
    turn = torch.tensor([[0.0, -3.0], [3.0, 0.0]])
    assert spectral_radius(turn) == pytest.approx(3.0)  # eigenvalues are 3i and -3i
    assert is_identity(0.5 * torch.eye(4))
    assert not is_identity(turn)


@pytest.mark.parametrize(("factor", "expected"), [(5.0, False), (20.0, True), (1e-4, True), (0.0, False)])
def test_inputs_are_judged_by_their_size(factor: float, expected: bool) -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    x = factor * torch.randn(256, 4, generator=torch.Generator().manual_seed(0))
    assert (("unscaled-inputs", "input") in told(model, x)) is expected


@pytest.mark.parametrize("first", [nn.BatchNorm1d(4), nn.LayerNorm(4)], ids=["batch", "layer"])
def test_inputs_that_the_model_scales_itself_may_have_any_size(first: nn.Module) -> None:
    model = nn.Sequential(first, nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    assert told(model, 255 * torch.rand(64, 4)) == []


def test_inputs_that_are_not_finite_are_an_error() -> None:
    x = torch.randn(64, 4)
    x[3, 1] = math.nan
    assert ("unscaled-inputs", "input") in told(nn.Sequential(nn.Linear(4, 2)), x)


@pytest.mark.parametrize(("rate", "expected"), [(0.1, False), (0.6, True)])
def test_a_rate_is_held_against_the_weights(rate: float, expected: bool) -> None:
    model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.constant_(layer.weight, 0.5)
            layer.weight.data[::2] *= -1  # of one size, and not alike
    adam = torch.optim.Adam(model.parameters(), lr=rate)
    found = told(model, torch.randn(64, 4), optimizer=adam)
    assert (("learning-rate-too-high", "model") in found) is expected
    descent = torch.optim.SGD(model.parameters(), lr=rate)
    assert ("learning-rate-too-high", "model") not in told(model, torch.randn(64, 4), optimizer=descent)


def stack(act: type[nn.Module], count: int, scale: float) -> nn.Sequential:
    """A deep perceptron whose weights have ``scale / sqrt(fan_in)``, without biases."""
    layers: list[nn.Module] = []
    for _ in range(count):
        layers += [nn.Linear(64, 64, bias=False), act()]
    model = nn.Sequential(*layers, nn.Linear(64, 4, bias=False))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0.0, scale / 8.0)
    return model


@pytest.mark.parametrize(
    ("act", "scale", "factor"), [(nn.ReLU, 0.6, 0.6 / math.sqrt(2)), (nn.ReLU, 3.0, 3.0 / math.sqrt(2))]
)
def test_the_factor_of_each_layer_is_that_of_its_weights(act: type[nn.Module], scale: float, factor: float) -> None:
    """A ReLU halves the gradient's square, and weights of variance g²/n multiply it by g²: a factor of g/sqrt(2)."""
    torch.manual_seed(0)
    result = preflight(stack(nn.ReLU, 20, scale), torch.randn(64, 64))
    (finding,) = [one for one in result.findings if one.name == "bad-initialisation"]
    assert (finding.severity, finding.where, finding.confidence) == ("warning", "0", 0.95)
    assert finding.measured ** (1 / 20) == pytest.approx(scale / math.sqrt(2), rel=0.05)
    assert "Theory predicts" in finding.causes[0].evidence


@pytest.mark.parametrize("act", [nn.ReLU, nn.Tanh, nn.LeakyReLU])
def test_a_deep_stack_at_its_own_scale_is_sound(act: type[nn.Module]) -> None:
    torch.manual_seed(0)
    made = limen.init_(model := stack(act, 20, 1.0), torch.randn(256, 64))
    assert made.rows
    assert told(model, torch.randn(64, 64)) == []


@pytest.mark.parametrize(("count", "expected"), [(3, False), (12, True)])
def test_sigmoids_are_too_deep_whatever_the_scale(count: int, expected: bool) -> None:
    torch.manual_seed(0)
    found = told(stack(nn.Sigmoid, count, 1.5), torch.randn(64, 64))
    assert (("too-deep-without-normalisation", "0") in found) is expected


@pytest.mark.parametrize("times", [90.0, 110.0])
def test_a_step_of_plain_descent_is_held_against_the_loss(times: float) -> None:
    """The gradient by autograd on the model itself: a step of ``times`` Polyak steps."""
    torch.manual_seed(0)
    model, x, y = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)), torch.randn(64, 4), torch.randn(64, 1)
    loss = F.mse_loss(model(x), y)
    square = sum(float(g.square().sum()) for g in torch.autograd.grad(loss, list(model.parameters())))
    descent = torch.optim.SGD(model.parameters(), lr=times * float(loss.detach()) / square)
    found = preflight(model, x, loss="mse", target=y, optimizer=descent).findings
    assert [one.name for one in found] == ["learning-rate-too-high"] * (times > 100)
    assert all(one.measured == pytest.approx(times, rel=1e-4) for one in found)


class Redrawn(nn.Module):
    """Makes a layer in its forward pass: one that is used, or one whose weights are thrown away."""

    def __init__(self, *, used: bool) -> None:
        super().__init__()
        self.a, self.head, self.used = nn.Linear(4, 8), nn.Linear(8, 2), used

    def forward(self, x: Tensor) -> Tensor:
        fresh = nn.Linear(4, 8)
        return self.head(torch.relu(self.a(x) + fresh(x) if self.used else self.a(x)))


@pytest.mark.parametrize("used", [True, False])
def test_a_layer_that_is_made_on_the_way_is_told_where_it_is_used(used: bool) -> None:
    found = [one.message for one in preflight(Redrawn(used=used), torch.randn(64, 4)).findings]
    assert len(found) == used
    assert all(message.startswith("2 parameters that the forward pass uses are not among") for message in found)
