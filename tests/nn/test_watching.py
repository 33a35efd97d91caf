"""What the other parts of limen make of a model with the modules: they are sites, and nothing changes."""

import contextlib
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import limen
from limen import nn as twins
from limen.activations import composite, of_module
from limen.anatomy.heads import reading_of
from limen.nn import functional
from tests.probe.watching import bits, watching


class Network(nn.Module):
    """Modules, one of them in place, one twice, and calls."""

    def __init__(self, room: object = twins) -> None:
        super().__init__()
        torch.manual_seed(0)
        made: Callable[..., nn.Module] = lambda name, *given: getattr(room, name)(*given)  # noqa: E731
        self.image = nn.Sequential(nn.Conv2d(1, 3, 3), made("ReLU", True), nn.Flatten())
        self.first = nn.Sequential(nn.Linear(48, 8), made("GELU", "tanh"), nn.Linear(8, 8), made("PReLU", 8))
        self.act = made("SiLU")
        self.last = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.image(x))
        x = self.act(x) + self.act(0.5 * x)
        return self.last(F.softplus(x, 2.0) if isinstance(self.act, nn.SiLU) else functional.softplus(x, 2.0))


SITES = [
    ("image.1", "relu", 3),
    ("first.1", "gelu_tanh", 8),
    ("first.3", "prelu", 8),
    ("act#1", "silu", 8),
    ("act#2", "silu", 8),
    ("softplus#1", "softplus", 8),
]


def train(network: Callable[[Tensor], Tensor], weights: nn.Module, steps: int = 60) -> list[bytes]:
    generator = torch.Generator().manual_seed(1)
    optimiser = torch.optim.AdamW(weights.parameters())
    losses = []
    for _ in range(steps):
        x = torch.randn(16, 1, 6, 6, generator=generator)
        optimiser.zero_grad()
        loss = F.cross_entropy(network(x), (x.sum((1, 2, 3)) > 0).long())
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return bits([*losses, *weights.parameters()])


def test_modules_and_calls_are_sites_and_a_training_keeps_its_bits() -> None:
    alone = Network()
    wanted = train(alone, alone)
    watched = Network()
    with watching(watched) as probe:
        assert train(watched, watched) == wanted
        found = [(vitals.site.name, vitals.site.function, vitals.site.units) for vitals in probe.vitals().sites]
    assert found == SITES


def test_a_watch_counts_what_it_counts_at_those_of_torch() -> None:
    counted = []
    for room in (twins, nn):
        network = Network(room)
        with watching(network) as probe:
            train(network, network, steps=1)
            counted.append(probe.vitals().sites)
    for ours, torchs in zip(*counted, strict=True):
        assert (ours.site.name, ours.site.function, ours.site.layer) == (
            torchs.site.name,
            torchs.site.function,
            torchs.site.layer,
        )
        assert ours.total.samples == torchs.total.samples
        torch.testing.assert_close(torch.tensor(ours.total.left), torch.tensor(torchs.total.left))


@pytest.mark.filterwarnings("ignore")  # the compiler warns of its own ways
def test_they_are_seen_in_compiled_code() -> None:
    bare = []
    for watched in (False, True):
        torch.compiler.reset()
        network = Network()
        if not watched:
            bare = train(torch.compile(network, backend="aot_eager"), network, steps=4)
            continue
        with limen.watch(network, budget=None, strict=True) as watch:
            assert train(torch.compile(network, backend="aot_eager"), network, steps=4) == bare
        assert {vitals.site.function for vitals in watch.vitals.sites} == {function for _, function, _ in SITES}


def test_one_that_is_changed_is_no_longer_known() -> None:
    class Named(twins.GELU):
        pass

    class Changed(twins.GELU):
        def forward(self, input: Tensor) -> Tensor:
            return -input

    assert of_module(Named()) == composite(Named()) == limen.activations.GELU()
    assert of_module(Changed()) is None
    broken = twins.ELU()
    broken.alpha = float("nan")
    assert of_module(broken) is None


@pytest.mark.parametrize("name", ["GELU", "ReLU", "SELU", "Tanh", "Snake"])
def test_initialisation_and_theory_take_them_as_their_entries(name: str) -> None:
    twin = getattr(twins, name)()
    assert limen.theory.forward_gain(twin) == limen.theory.forward_gain(twin.entry)
    deviations = []
    for activation in (twin, getattr(nn, name)() if hasattr(nn, name) else twin):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(64, 64), activation, nn.Linear(64, 64), activation, nn.Linear(64, 2))
        limen.init_(model, generator=torch.Generator().manual_seed(1))
        deviations.append([float(layer.weight.detach().std()) for layer in model if isinstance(layer, nn.Linear)])
    assert deviations[0] == pytest.approx(deviations[1], rel=1e-6)


def test_a_prediction_is_that_of_the_model_with_torchs() -> None:
    found = []
    for room in (twins, nn):
        network = Network(room)
        sample = torch.randn(16, 1, 6, 6, generator=torch.Generator().manual_seed(1))
        found.append(
            [
                (site.name, site.function, site.mean, site.variance)
                for site in limen.theory.predict(network, sample).sites
            ]
        )
    for ours, torchs in zip(*found, strict=True):
        assert ours[:2] == torchs[:2]
        assert ours[2:] == pytest.approx(torchs[2:], rel=1e-6)


def test_a_head_that_does_not_fit_its_loss_is_found() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 1), twins.Sigmoid())
    x, y = torch.randn(8, 4), torch.ones(8, 1)
    loss = F.mse_loss(model(x), y)
    assert reading_of(loss).head == "sigmoid"
    found = limen.preflight(
        nn.Sequential(nn.Linear(4, 3), twins.Tanh()), torch.randn(16, 4), loss=nn.CrossEntropyLoss()
    )
    assert "output-loss-mismatch" in {finding.name for finding in found.findings}


def first_lesson(relu: nn.Module, *, watched: bool) -> tuple[list[bytes], list[str]]:
    """The script of the first lesson: 10-50-1, MSE, SGD of 0.01, five times a random batch of 32."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 50), relu, nn.Linear(50, 1))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    with limen.watch(model, optimiser, budget=None) if watched else contextlib.nullcontext() as w:
        losses = []
        for _ in range(5):
            loss = F.mse_loss(model(torch.randn(32, 10)), torch.randn(32, 1))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.detach())
    sites = [vitals.site.function for vitals in w.vitals.sites] if w else []
    return bits([*losses, *model.parameters()]), sites


def test_the_first_lesson_is_the_same_with_our_relu_and_under_a_watch() -> None:
    torchs, _ = first_lesson(nn.ReLU(), watched=False)
    ours, sites = first_lesson(twins.ReLU(), watched=True)
    assert ours == torchs
    assert sites == ["relu"]
