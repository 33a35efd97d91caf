"""What predict leaves alone, what it refuses and what its result says."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from limen.errors import InvalidValue, SampleRefused
from limen.theory import predict


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2)
    )


def test_the_model_and_all_random_numbers_are_as_before() -> None:
    model, sample = small(), torch.randn(16, 8)
    model(sample).sum().backward()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    kept = sample.clone()
    torch.manual_seed(3)
    random.seed(3)
    expected = torch.rand(3), random.random()
    torch.manual_seed(3)
    random.seed(3)
    predict(model, sample, loss=lambda output: output.square().mean())
    assert (torch.rand(3).tolist(), random.random()) == (expected[0].tolist(), expected[1])
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(p.grad is not None and torch.equal(p.grad, gradients[name]) for name, p in model.named_parameters())
    assert torch.equal(sample, kept)
    assert not sample.requires_grad
    assert all(not module._forward_hooks for module in model.modules())  # pyright: ignore[reportPrivateUsage]


def test_it_works_without_gradients_and_in_half_precision() -> None:
    with torch.no_grad():
        found = predict(small(), torch.randn(16, 8))
    assert found.sites[0].measured is not None
    assert found.sites[0].measured.gradient > 0
    model = small()
    with torch.inference_mode():
        assert predict(model, torch.randn(16, 8)).sites[0].gradient > 0
    model = nn.Sequential(nn.Linear(256, 256), nn.GELU(), nn.Linear(256, 256), nn.Tanh()).bfloat16()
    for site in predict(model, torch.randn(64, 256, dtype=torch.bfloat16)).sites:
        assert site.measured is not None
        assert site.variance == pytest.approx(site.measured.variance, rel=0.05)


def test_sites_and_weights_are_named_with_place_and_size() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.act, self.head = nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Linear(4, 2, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            x = torch.tanh(torch.tanh(self.act(self.conv(x))))
            return self.head(self.act(x.mean((2, 3))))

    found = predict(Twice(), torch.randn(4, 1, 8, 8))
    assert [(site.name, site.function, site.units) for site in found.sites] == [
        ("act", "relu", 4),
        ("tanh", "tanh", 4),
        ("tanh#2", "tanh", 4),
        ("act#2", "relu", 4),
    ]
    assert [(weight.weight, weight.path, weight.fan_in, weight.fan_out) for weight in found.maps] == [
        ("conv.weight", "conv", 9, 36),
        ("head.weight", "head", 4, 2),
    ]
    assert found.maps[1].bias_std == 0
    assert found.maps[0].order < found.sites[0].order < found.maps[1].order
    assert str(found) == found.table()
    assert found.table().splitlines()[0].split() == [
        "site",
        "function",
        "units",
        "mean",
        "variance",
        "active",
        "gradient",
    ]


def test_the_numbers_of_the_whole_follow_from_those_of_the_sites() -> None:
    torch.manual_seed(0)
    layers = [module for _ in range(6) for module in (nn.Linear(512, 512), nn.ReLU())]
    found = predict(nn.Sequential(*layers), torch.randn(64, 512), measure=False)
    assert found.sites[0].measured is None
    assert found.reason == "measure=False"
    assert "not measured: measure=False" in str(found)
    first, last = found.sites[0], found.sites[-1]
    assert found.forward_factor**5 == pytest.approx(last.variance / first.variance)
    assert found.backward_factor**5 == pytest.approx(first.gradient / last.gradient)
    assert found.gradient_ratio == first.gradient / last.gradient
    assert found.backward_factor == pytest.approx(math.sqrt(1 / 6), rel=0.03)  # χ_1 of a ReLU with 1/3


def test_what_is_measured_is_what_autograd_finds() -> None:
    """Also around an operation without a rule, whose own gradient is asked for besides."""
    torch.manual_seed(0)
    first, last = nn.Linear(8, 8), nn.Linear(8, 2)
    held: list[Tensor] = []

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = first, last

        def forward(self, x: Tensor) -> Tensor:
            z = self.first(x)
            y = torch.cumsum(torch.relu_(z + 0.5), 1)
            held[:] = [z, y]
            return self.last(torch.tanh(y))

    sample = torch.randn(16, 8)
    found = predict(Model(), sample, loss=lambda output: output.square().sum())
    loss = Model()(sample).square().sum()
    z, y = held
    above = torch.autograd.grad(loss, [z, y, first.weight])
    assert found.unruled == ("cumsum",)
    relu, tanh = (site.measured for site in found.sites)
    assert relu is not None
    assert tanh is not None
    assert relu.mean == pytest.approx(z.mean().item() + 0.5, rel=1e-5)
    assert relu.variance == pytest.approx(z.var(correction=0).item(), rel=1e-5)
    assert relu.active == float((z + 0.5 > 0).double().mean())
    assert relu.gradient == pytest.approx(float(above[0].norm()), rel=1e-5)
    assert tanh.gradient == pytest.approx(float(above[1].norm()), rel=1e-5)
    assert found.maps[0].measured is not None
    assert found.maps[0].measured.weight_gradient == pytest.approx(float(above[2].norm()), rel=1e-5)


def test_quantised_layers_are_read_from_the_pass() -> None:
    with warnings.catch_warnings(action="ignore"):
        plain = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        quantise: Any = torch.ao.quantization.quantize_dynamic  # pyright: ignore[reportDeprecated]
        model = quantise(plain, {nn.Linear})
    (site,) = predict(model, torch.randn(32, 64)).sites
    assert site.source == "measured"
    assert site.measured is not None
    assert site.variance == pytest.approx(site.measured.variance)


def test_zero_weights_leave_nothing() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    found = predict(model, torch.randn(16, 8))
    assert [(site.variance, site.gradient) for site in found.sites] == [(0, 0), (0, 0)]
    assert [site.active for site in found.sites] == [1, 0]


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (torch.zeros(0, 8), r"empty, of shape \[0, 8\]"),
        ((), "no tensor with a batch axis"),
        ({"input": 3}, "no tensor with a batch axis"),
    ],
    ids=["empty", "nothing", "numbers"],
)
def test_a_sample_without_inputs_is_refused(sample: Any, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        predict(nn.Linear(8, 8), sample)


def test_a_sample_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SampleRefused, match="last axis of 8"):
        predict(nn.Linear(8, 8), torch.zeros(2, 9))
    with pytest.raises(SampleRefused, match="more than 1 value per channel"):
        predict(small(), torch.zeros(1, 8))


Wrap = Callable[[Tensor], Any]


class Returns(nn.Module):
    """A model that returns what it is told to."""

    def __init__(self, wrap: Any) -> None:
        super().__init__()
        self.inner, self.wrap = nn.Linear(8, 8), wrap

    def forward(self, x: Tensor) -> Any:
        return self.wrap(torch.relu(self.inner(x)))


def test_any_structure_of_outputs_will_do_if_there_is_a_tensor_in_it() -> None:
    torch.manual_seed(0)
    plain = predict(Returns(nn.Identity()), torch.ones(4, 8)).sites[0]
    fine: tuple[Wrap, ...] = (lambda y: {"logits": y, "n": 3}, lambda y: (y, None), lambda y: [[y], y.argmax()])
    for wrap in fine:
        torch.manual_seed(0)
        assert predict(Returns(wrap), torch.ones(4, 8)).sites[0].gradient == pytest.approx(plain.gradient)
    nothing: tuple[Wrap, ...] = (lambda y: None, lambda y: y.argmax(1), lambda y: 3.0)
    for wrap in nothing:
        with pytest.raises(InvalidValue, match="without a floating tensor"):
            predict(Returns(wrap), torch.ones(4, 8))


def test_a_loss_must_give_a_scalar() -> None:
    with pytest.raises(InvalidValue, match=r"a tensor of shape \[16, 2\]"):
        predict(small(), torch.randn(16, 8), loss=lambda output: output)
    with pytest.raises(InvalidValue, match="float"):
        predict(small(), torch.randn(16, 8), loss=lambda output: 1.0)  # type: ignore[arg-type, return-value]


class Tokens(nn.Module):
    """Looks rows up, of tokens and of places."""

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.places, self.head = nn.Embedding(50, 256), nn.Embedding(20, 256), nn.Linear(256, 256)

    def forward(self, ids: Tensor) -> Tensor:
        return torch.tanh(self.head(self.rows(ids) + self.places(torch.arange(ids.shape[1], device=ids.device))))


def test_tokens_are_looked_up() -> None:
    torch.manual_seed(0)
    (site,) = predict(Tokens(), torch.randint(0, 50, (32, 12))).sites
    assert site.source == "theory"
    assert site.measured is not None
    assert site.variance == pytest.approx(site.measured.variance, rel=0.05)


def test_on_the_meta_device_layers_say_what_they_would_draw() -> None:
    torch.manual_seed(0)
    real = Tokens()
    with torch.device("meta"):
        model = Tokens()
    found = predict(model, torch.zeros(32, 12, dtype=torch.int64, device="meta"))
    beside = predict(real, torch.randint(0, 50, (512, 12)))
    assert found.reason == "the model is on the meta device"
    assert found.sites[0].measured is None
    assert found.sites[0].source == "theory"
    assert found.sites[0].variance == pytest.approx(beside.sites[0].variance, rel=0.05)
    assert found.maps[-1].weight_std == pytest.approx(beside.maps[-1].weight_std, rel=0.02)
    assert found == predict(model, torch.zeros(32, 12, dtype=torch.int64, device="meta"))


def test_what_nothing_declares_is_unknown() -> None:
    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(8))

        def forward(self, x: Tensor) -> Tensor:
            return torch.tanh(x * self.scale)

    (site,) = predict(Bare().to("meta"), torch.zeros(4, 8, device="meta")).sites
    assert site.source == "unknown"
    assert math.isnan(site.variance)


def test_on_the_meta_device_code_that_asks_for_numbers_is_refused() -> None:
    class Asks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            y = self.inner(x)
            return torch.relu(y) if y.sum() > 0 else torch.tanh(y)

    assert predict(Asks(), torch.ones(4, 8)).sites
    with pytest.raises(SampleRefused, match="asks for a number"):
        predict(Asks().to("meta"), torch.ones(4, 8, device="meta"))
    with pytest.raises(InvalidValue, match="meta device"):
        predict(nn.Linear(8, 8, device="meta"), torch.ones(4, 8, device="meta"), loss=lambda output: output.sum())


def test_a_model_without_activation_functions_gets_a_sentence_in_place_of_an_empty_table() -> None:
    found = predict(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)), torch.randn(8, 4))
    assert str(found).startswith("no activation function")
    assert "measured" not in str(found)


class Neighbours(nn.Module):
    """Reads the rows of a sparse matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 256), nn.Linear(256, 4)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        return self.second(torch.relu(self.first(torch.sparse.mm(edges, x))))


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr], ids=["coo", "csr"])
def test_sparse_samples_are_unknown_and_what_is_made_of_them_is_read(layout: torch.layout) -> None:
    edges = torch.eye(50).to_sparse(layout=layout)
    (site,) = predict(Neighbours(), (torch.randn(50, 64), edges)).sites
    assert site.measured is not None
    assert site.variance == pytest.approx(site.measured.variance, rel=0.3)


@pytest.mark.parametrize("given", [None, "net", nn.Linear, torch.relu], ids=["none", "name", "class", "function"])
def test_what_is_no_module_is_refused(given: Any) -> None:
    with pytest.raises(InvalidValue, match=r"predict\(model=.*expected a torch\.nn\.Module"):
        predict(given, torch.randn(3, 4))
