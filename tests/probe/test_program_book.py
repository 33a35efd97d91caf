"""What the modules and the graph of real models tell: dropouts, normalisations, layers with nothing between."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from limen.probe.program_book import STEPS
from limen.vitals import Dropout, Interposed, Normalisation, Program
from tests.probe.watching import watching


def program_of(model: nn.Module, *batches: Tensor, loss: Callable[[Tensor], Tensor] | None = None) -> Program:
    """What is known after a step on each of the batches."""
    optimiser = torch.optim.SGD([one for one in model.parameters() if one.requires_grad], lr=1e-3)
    with watching(model) as probe:
        for batch in batches:
            optimiser.zero_grad()
            (loss or squared)(model(batch)).backward()
            optimiser.step()
        return probe.vitals().program


def squared(result: Tensor) -> Tensor:
    return result.square().mean()


class Called(nn.Module):
    """A function as a module of the script's own."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def rows(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_dropouts_are_those_that_train_with_what_they_could_drop() -> None:
    resting = nn.Dropout(0.4).eval()
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Dropout2d(0.25), nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), resting,
        nn.AlphaDropout(0.1), nn.Linear(8, 2),
    )  # fmt: skip
    with watching(model) as probe:
        squared(model(rows(5, 1, 4, 4))).backward()
        found = probe.vitals().program
    assert found.dropouts == (Dropout("2", 0.25, "Dropout2d", 16), Dropout("7", 0.1, "AlphaDropout", 8))


@pytest.mark.parametrize(
    ("norm", "shape", "values"),
    [
        (nn.BatchNorm1d(6), (5, 6), 5),
        (nn.BatchNorm1d(6), (5, 6, 7), 35),
        (nn.BatchNorm2d(6), (2, 6, 4, 4), 32),
        (nn.InstanceNorm2d(6), (2, 6, 4, 4), 16),
        (nn.InstanceNorm1d(6), (2, 6, 9), 9),
        (nn.GroupNorm(3, 6), (2, 6, 4, 4), 32),
        (nn.GroupNorm(6, 6), (2, 6), 1),
        (nn.LayerNorm(6), (5, 6), 6),
        (nn.LayerNorm([2, 6]), (5, 2, 6), 12),
        (nn.RMSNorm(6), (5, 6), 6),
    ],
)
def test_values_are_those_of_one_mean_and_variance(norm: nn.Module, shape: tuple[int, ...], values: int) -> None:
    model = nn.Sequential(norm, nn.Flatten(), nn.Linear(torch.Size(shape[1:]).numel(), 2))
    (found,) = program_of(model, rows(*shape)).norms
    samples = shape[0] if "Batch" in type(norm).__name__ else 0
    assert found == Normalisation("0", type(norm).__name__, values, trains=True, samples=samples)


def test_a_small_last_batch_is_not_what_a_normalisation_is_judged_by() -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2))
    (found,) = program_of(model, rows(16, 4), rows(2, 4), rows(16, 4)).norms
    assert (found.values, found.samples, found.independent) == (16, 16, None)


def test_running_statistics_that_nothing_has_moved_are_told_from_trained_ones() -> None:
    def with_norms_resting(touched: bool) -> nn.Module:
        norm = nn.BatchNorm1d(6)
        if touched:
            norm(rows(8, 6))
        return nn.Sequential(nn.Linear(4, 6), norm.eval(), nn.ReLU(), nn.Linear(6, 2))

    (fresh,) = program_of(with_norms_resting(False), rows(5, 4)).norms
    (trained,) = program_of(with_norms_resting(True), rows(5, 4)).norms
    assert (fresh.trains, fresh.untouched, trained.trains, trained.untouched) == (False, True, False, False)


def test_a_dropout_directly_before_a_normalisation_is_told() -> None:
    def net(*between: nn.Module) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 64), *between, nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 2))

    found = [program_of(net(*parts), rows(9, 4)).norms[0].dropped for parts in ((nn.Dropout(0.4),), ())]
    assert found == [pytest.approx(0.4), 0.0]


def test_the_eyes_hear_of_modules_over_the_first_steps_only() -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    with watching(model) as probe:
        for step in range(1, STEPS + 2):
            assert (probe._eyes.on_part is not None) == (step <= STEPS)  # pyright: ignore[reportPrivateUsage]
            optimiser = torch.optim.SGD(model.parameters(), lr=1e-3)
            squared(model(rows(5, 4))).backward()
            optimiser.step()


L = nn.Linear
CHAINS: dict[str, tuple[nn.Module, tuple[int, ...], tuple[tuple[str, ...], ...]]] = {
    "two": (nn.Sequential(L(8, 16), L(16, 4)), (5, 8), (("0", "1"),)),
    "three": (nn.Sequential(L(8, 16), L(16, 16), L(16, 16), nn.ReLU(), L(16, 4)), (5, 8), (("0", "1", "2"),)),
    "dropout": (nn.Sequential(L(8, 64), nn.Dropout(0.5), L(64, 64), nn.ReLU(), L(64, 2)), (5, 8), (("0", "2"),)),
    "scaled": (nn.Sequential(L(8, 16), Called(lambda x: 0.5 * x), L(16, 4)), (5, 8), (("0", "2"),)),
    "flattened": (
        nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.Flatten(), L(32, 4)),
        (5, 1, 6, 6),
        (("2", "4"),),
    ),
    "over time": (nn.Sequential(L(8, 16), L(16, 16), nn.ReLU(), L(16, 4)), (5, 3, 8), (("0", "1"),)),
}


@pytest.mark.parametrize("name", CHAINS)
def test_layers_in_a_row_are_a_chain(name: str) -> None:
    model, shape, chains = CHAINS[name]
    assert program_of(model, rows(*shape)).unseparated == chains


BARELY: dict[str, tuple[nn.Module, tuple[int, ...], tuple[tuple[str, ...], ...]]] = {
    "batch norm": (nn.Sequential(L(8, 16), nn.BatchNorm1d(16), L(16, 16), L(16, 4)), (5, 8), (("0", "2", "3"),)),
    "pooled": (nn.Sequential(nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), nn.Flatten(), L(16, 4)), (5, 1, 6, 6), (("0", "3"),)),
    "a mean": (nn.Sequential(L(8, 16), Called(lambda x: x.mean(1)), L(16, 4)), (5, 3, 8), (("0", "2"),)),
}


@pytest.mark.parametrize("name", BARELY)
def test_pooling_and_batch_normalisation_separate_barely(name: str) -> None:
    model, shape, barely = BARELY[name]
    found = program_of(model, rows(*shape))
    assert found.barely == barely
    assert all(len(chain) < len(barely[0]) for chain in found.unseparated)


class Branches(nn.Module):
    """One layer whose result another reads, and the loss too."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = L(8, 16), L(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        z = self.first(x)
        return z + self.second(z)


class Attention(nn.Module):
    """Projections of an embedding that is linear itself."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.project, self.out = L(8, 16), L(16, 48), L(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.project(self.embed(x)).chunk(3, -1)
        return self.out(F.scaled_dot_product_attention(q, k, v))


class Experts(nn.Module):
    """A mixture, whose gate is a softmax of a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.experts, self.out = L(8, 3), nn.ModuleList(L(8, 8) for _ in range(3)), L(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        shares = self.gate(x).softmax(-1)
        parts = torch.stack([F.relu(expert(x)) for expert in self.experts], -1)
        return self.out((parts * shares[:, None]).sum(-1))


class Squeeze(nn.Module):
    """Squeeze and excitation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.down, self.up, self.fc = nn.Conv2d(1, 8, 3), L(8, 2), L(2, 8), L(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        z = F.relu(self.conv(x))
        gate = torch.sigmoid(self.up(F.relu(self.down(z.mean((2, 3))))))
        return self.fc((z * gate[:, :, None, None]).mean((2, 3)))


class VAE(nn.Module):
    """Two heads, a sample, a decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.mean, self.log_variance, self.decoder = L(8, 16), L(16, 4), L(16, 4), L(4, 8)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.encoder(x))
        mean, log_variance = self.mean(h), self.log_variance(h)
        return self.decoder(mean + torch.randn_like(mean) * (0.5 * log_variance).exp())


class Adapted(nn.Module):
    """A frozen layer with an adapter of low rank."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen, self.down, self.up, self.head = L(16, 16).requires_grad_(False), L(16, 2), L(2, 16), L(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.gelu(self.frozen(x) + self.up(self.down(x))))


class OwnReLU(nn.Module):
    """A mask made without gradient is a nonlinearity, and no dropout."""

    def forward(self, x: Tensor) -> Tensor:
        return x * (x.detach() > 0).to(x.dtype)


SOUND: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "relu": (nn.Sequential(L(8, 16), nn.ReLU(), L(16, 4)), (5, 8)),
    "own relu": (nn.Sequential(L(8, 64), OwnReLU(), L(64, 4)), (5, 8)),
    "layer norm": (nn.Sequential(L(8, 16), nn.LayerNorm(16), L(16, 4)), (5, 8)),
    "pooling": (nn.Sequential(nn.Conv2d(1, 8, 3), nn.MaxPool2d(2), nn.Flatten(), L(32, 4)), (5, 1, 6, 6)),
    "low rank": (nn.Sequential(L(64, 4), L(4, 64)), (5, 64)),
    "separable": (nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 8, 1), nn.ReLU()), (5, 4, 4, 4)),
    "residual": (Branches(), (5, 8)),
    "attention": (Attention(), (5, 3, 8)),
    "experts": (Experts(), (5, 8)),
    "squeeze": (Squeeze(), (5, 1, 6, 6)),
    "vae": (VAE(), (5, 8)),
    "low-rank adapter": (Adapted(), (5, 16)),
    "transformer": (nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), (5, 3, 16)),
    "one layer": (L(8, 2), (5, 8)),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_said_of_what_is_meant(name: str) -> None:
    model, shape = SOUND[name]
    found = program_of(model, rows(*shape))
    assert (found.unseparated, found.interposed) == ((), ())


def test_recurrent_layers_are_no_linear_ones() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.lstm, self.fc = L(8, 16), nn.LSTM(16, 16, batch_first=True), L(16, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.lstm(self.embed(x))[0][:, -1])

    assert program_of(Net(), rows(5, 3, 8)) == Program()


def test_functions_that_no_catalogue_has_are_named_with_the_layers_around_them() -> None:
    model = nn.Sequential(
        L(8, 16), Called(torch.exp), L(16, 16), nn.LayerNorm(16), Called(lambda x: x**3), L(16, 16), nn.Softmax(1),
        nn.Dropout(0.5), L(16, 4),
    )  # fmt: skip
    assert program_of(model, rows(40, 8)).interposed == (
        Interposed("exp", "0", "2", norm=False),
        Interposed("pow", "2", "5", norm=True),
        Interposed("softmax", "5", "8", norm=False),
    )


def test_a_softmax_over_something_else_than_the_units_is_none_of_them() -> None:
    model = nn.Sequential(L(8, 16), nn.Softmax(0), L(16, 4))
    assert program_of(model, rows(5, 8)).interposed == ()


def test_a_softmax_of_the_output_is_not_hidden() -> None:
    model = nn.Sequential(L(8, 16), nn.ReLU(), L(16, 4), nn.Softmax(1))
    assert program_of(model, rows(5, 8), loss=lambda p: -p[:, 0].log().mean()).interposed == ()
