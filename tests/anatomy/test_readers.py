"""What reads a site: each consumer reported is the only way the units go on, by what autograd says."""

from collections.abc import Callable, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.anatomy import Reader, parents_of, readers_of

UNITS = 6
SILENT = (1, 4)

Net = Callable[[Tensor], Tensor]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def readers(after: Net, hidden: Tensor, axis: int | None = None) -> tuple[Reader, ...]:
    """The readers of an activation's result ``hidden`` in the rest of the network."""
    loss = after(hidden).square().sum()
    return readers_of(parents_of(loss.grad_fn), hidden.grad_fn, axis)


def vectors(count: int = 8) -> Tensor:
    return torch.relu(nn.Linear(5, UNITS)(torch.randn(count, 5)))


def sequences(length: int = 7) -> Tensor:
    return torch.relu(nn.Linear(5, UNITS)(torch.randn(8, length, 5)))


def images(side: int = 8) -> Tensor:
    return torch.relu(nn.Conv2d(5, UNITS, 3, padding=1)(torch.randn(2, 5, side, side)))


def series(length: int = 8) -> Tensor:
    return torch.relu(nn.Conv1d(5, UNITS, 3, padding=1)(torch.randn(2, 5, length)))


class Case:
    """A rest of a network, its weights in the order of use, and how the activation before it is made."""

    def __init__(self, hidden: Callable[[], Tensor], net: Callable[..., Tensor], *layers: nn.Module, axis: int) -> None:
        self.hidden = hidden
        self.layers = layers
        self.net: Net = lambda x: net(x, *layers)
        self.axis = axis


def linear(inputs: int = UNITS) -> nn.Module:
    return nn.Linear(inputs, 3)


def conv(inputs: int = UNITS) -> nn.Module:
    return nn.Conv2d(inputs, 3, 3)


class Scale(nn.Module):
    """Squeeze and excitation: a gate for each channel, made from the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(UNITS, UNITS)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.gate(x.mean((2, 3))))[:, :, None, None]


FOLLOWED: dict[str, Callable[[], Case]] = {
    "linear": lambda: Case(vectors, lambda x, f: f(x), linear(), axis=-1),
    "linear over time": lambda: Case(sequences, lambda x, f: f(x), linear(), axis=-1),
    "two layers": lambda: Case(vectors, lambda x, f, g: f(x) + g(x), linear(), linear(), axis=-1),
    "the same layer twice": lambda: Case(vectors, lambda x, f: f(x) * f(2 * x), linear(), axis=-1),
    "dropout": lambda: Case(vectors, lambda x, f: f(F.dropout(x, 0.3)), linear(), axis=-1),
    "channel dropout": lambda: Case(images, lambda x, f: f(F.dropout2d(x, 0.3)), conv(), axis=1),
    "a gate": lambda: Case(vectors, lambda x, f: f(x * torch.rand(UNITS)), linear(), axis=-1),
    "convolution": lambda: Case(images, lambda x, f: f(x), conv(), axis=1),
    "padding": lambda: Case(images, lambda x, f: f(F.pad(x, (1, 1, 1, 1))), conv(), axis=1),
    "reflection": lambda: Case(images, lambda x, f: f(F.pad(x, (1, 1, 1, 1), mode="reflect")), conv(), axis=1),
    "upsampling": lambda: Case(images, lambda x, f: f(F.interpolate(x, scale_factor=2)), conv(), axis=1),
    "maximum pooling": lambda: Case(images, lambda x, f: f(F.max_pool2d(x, 2)), conv(), axis=1),
    "average pooling": lambda: Case(images, lambda x, f: f(F.avg_pool2d(x, 2)), conv(), axis=1),
    "pooling over time": lambda: Case(series, lambda x, f: f(F.max_pool1d(x, 2).flatten(1)), linear(UNITS * 4), axis=1),
    "flattened": lambda: Case(images, lambda x, f: f(x.flatten(1)), linear(UNITS * 64), axis=1),
    "pooled and flattened": lambda: Case(
        images, lambda x, f: f(F.max_pool2d(x, 2).flatten(1)), linear(UNITS * 16), axis=1
    ),
    "pooled to a grid": lambda: Case(
        images, lambda x, f: f(F.adaptive_avg_pool2d(x, 2).view(2, -1)), linear(UNITS * 4), axis=1
    ),
    "pooled to one pixel": lambda: Case(
        images, lambda x, f: f(F.adaptive_avg_pool2d(x, 1).flatten(1)), linear(), axis=1
    ),
    "global mean": lambda: Case(images, lambda x, f: f(x.mean((2, 3))), linear(), axis=1),
    "global sum": lambda: Case(images, lambda x, f: f(x.sum((-2, -1))), linear(), axis=1),
    "global maximum": lambda: Case(images, lambda x, f: f(x.amax((2, 3))), linear(), axis=1),
    "maximum over time": lambda: Case(sequences, lambda x, f: f(x.max(1).values), linear(), axis=-1),
    "mean over time": lambda: Case(sequences, lambda x, f: f(x.mean(1)), linear(), axis=-1),
    "mean over the batch": lambda: Case(sequences, lambda x, f: f(x.mean(0)), linear(), axis=-1),
    "the last time": lambda: Case(sequences, lambda x, f: f(x[:, -1]), linear(), axis=-1),
    "the later times": lambda: Case(sequences, lambda x, f: f(x[:, 3:]), linear(), axis=-1),
    "channels moved last": lambda: Case(images, lambda x, f: f(x.permute(0, 2, 3, 1)), linear(), axis=1),
    "as a sequence": lambda: Case(images, lambda x, f: f(x.flatten(2).transpose(1, 2)), linear(), axis=1),
    "time and batch together": lambda: Case(sequences, lambda x, f: f(x.reshape(-1, UNITS)), linear(), axis=-1),
    "time to channels": lambda: Case(sequences, lambda x, f: f(x.transpose(1, 2)), nn.Conv1d(UNITS, 3, 3), axis=-1),
    "times flattened": lambda: Case(
        sequences, lambda x, f: f(x.transpose(1, 2).flatten(1)), linear(UNITS * 7), axis=-1
    ),
    "transposed convolution": lambda: Case(images, lambda x, f: f(x), nn.ConvTranspose2d(UNITS, 3, 3), axis=1),
    "squeeze and excitation": lambda: Case(images, lambda x, s, f: f(s(x)), Scale(), conv(), axis=1),
}


def weights_of(case: Case) -> list[Tensor]:
    return [parameter for layer in case.layers for name, parameter in layer.named_parameters() if "weight" in name]


@pytest.mark.parametrize("told", [True, False], ids=["axis told", "axis from the origin"])
@pytest.mark.parametrize("name", FOLLOWED)
def test_all_readers_are_found(name: str, told: bool) -> None:
    case = FOLLOWED[name]()
    found = readers(case.net, case.hidden(), case.axis if told else None)
    assert {id(reader.weight) for reader in found} == {id(weight) for weight in weights_of(case)}


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_silent_unit_gives_its_entries_of_the_readers_no_gradient_and_all_others_one(name: str) -> None:
    """So the entries that ``input_axis`` and the width point at are those that meet the unit."""
    case = FOLLOWED[name]()
    hidden = case.hidden()
    found = readers(case.net, hidden, case.axis)
    quiet = hidden.detach().abs() + 0.1
    quiet.movedim(case.axis, 0)[list(SILENT)] = 0.0
    loss = case.net(quiet.requires_grad_()).square().sum()
    for reader, gradient in zip(found, torch.autograd.grad(loss, [one.weight for one in found]), strict=True):
        entries = by_unit(gradient, reader)
        assert [unit for unit in range(UNITS) if entries[unit].abs().sum() == 0] == list(SILENT)


@pytest.mark.parametrize("name", FOLLOWED)
def test_without_its_entries_of_the_readers_a_unit_reaches_nothing(name: str) -> None:
    """The promise that reviving a unit without changing the network's function rests on."""
    case = FOLLOWED[name]()
    hidden = case.hidden()
    found = readers(case.net, hidden, case.axis)
    with torch.no_grad():
        for reader in found:
            by_unit(reader.weight, reader)[list(SILENT)] = 0.0
    loose = hidden.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(case.net(loose).square().sum(), loose)
    by_axis = gradient.movedim(case.axis, 0)
    assert [unit for unit in range(UNITS) if by_axis[unit].abs().sum() == 0] == list(SILENT)


def by_unit(weight: Tensor, reader: Reader) -> Tensor:
    """``[units, width, …]``, a view of the entries that meet each unit."""
    return weight.movedim(reader.input_axis, 0).unflatten(0, (UNITS, -1))


# What cannot be silenced through weights alone -----------------------------------------------------------------------


def attention(x: Tensor) -> Tensor:
    return F.softmax(x @ x.transpose(1, 2), -1) @ x


NOT_FOLLOWED: dict[str, Callable[[], Case]] = {
    "nothing reads it": lambda: Case(vectors, lambda x: x, axis=-1),
    "a loss": lambda: Case(vectors, lambda x: F.mse_loss(x, torch.zeros_like(x)), axis=-1),
    "a residual addition": lambda: Case(
        vectors, lambda x, f, g: g(x + f(x)), nn.Linear(UNITS, UNITS), linear(), axis=-1
    ),
    "an addition of positions": lambda: Case(
        sequences, lambda x, f: f(x + torch.randn(7, UNITS, requires_grad=True)), linear(), axis=-1
    ),
    "a layer and the output": lambda: Case(vectors, lambda x, f: f(x).sum() + x.sum(), linear(), axis=-1),
    "batch normalisation": lambda: Case(vectors, lambda x, n, f: f(n(x)), nn.BatchNorm1d(UNITS), linear(), axis=-1),
    "layer normalisation": lambda: Case(vectors, lambda x, n, f: f(n(x)), nn.LayerNorm(UNITS), linear(), axis=-1),
    "another activation": lambda: Case(vectors, lambda x, f: f(torch.sigmoid(x)), linear(), axis=-1),
    "a joint with something else": lambda: Case(
        vectors, lambda x, f: f(torch.cat([x, torch.ones(8, 2)], 1)), linear(UNITS + 2), axis=-1
    ),
    "its mean over the units": lambda: Case(lambda: vectors(UNITS), lambda x, f: f(x.mean(1)), linear(), axis=-1),
    "its mean over the channels": lambda: Case(lambda: images(UNITS), lambda x, f: f(x.mean(1)), linear(), axis=1),
    "its mean over everything": lambda: Case(vectors, lambda x, f: f(x.mean().expand(UNITS)), linear(), axis=-1),
    "the maximum of its units": lambda: Case(lambda: vectors(UNITS), lambda x, f: f(x.amax(1)), linear(), axis=-1),
    "one of its units": lambda: Case(lambda: vectors(UNITS), lambda x, f: f(x[:, 0]), linear(), axis=-1),
    "some of its units": lambda: Case(vectors, lambda x, f: f(x[:, :3]), linear(3), axis=-1),
    "half of its units": lambda: Case(vectors, lambda x, f: f(x.chunk(2, 1)[0]), linear(3), axis=-1),
    "its units in another order": lambda: Case(vectors, lambda x, f: f(x.flip(1)), linear(), axis=-1),
    "its units chosen": lambda: Case(vectors, lambda x, f: f(x[:, torch.arange(UNITS)]), linear(), axis=-1),
    "its samples instead of its units": lambda: Case(lambda: vectors(UNITS), lambda x, f: f(x.t()), linear(), axis=-1),
    "its times instead of its units": lambda: Case(
        lambda: sequences(UNITS), lambda x, f: f(x.transpose(1, 2)), linear(), axis=-1
    ),
    "its columns instead of its channels": lambda: Case(lambda: images(UNITS), lambda x, f: f(x), linear(), axis=1),
    "times flattened before units": lambda: Case(sequences, lambda x, f: f(x.flatten(1)), linear(UNITS * 7), axis=-1),
    "a shape that mixes units": lambda: Case(
        lambda: sequences(UNITS), lambda x, f: f(x.reshape(-1, 4, 9)), linear(9), axis=-1
    ),
    "pixels shuffled": lambda: Case(
        lambda: torch.relu(nn.Conv2d(5, 24, 3)(torch.randn(2, 5, 8, 8))),
        lambda x, f: f(F.pixel_shuffle(x, 2)),
        conv(),
        axis=1,
    ),
    "pooling over the units": lambda: Case(
        lambda: torch.relu(nn.Linear(5, 12)(torch.randn(8, 7, 5))),
        lambda x, f: f(F.max_pool1d(x, 2)),
        linear(),
        axis=-1,
    ),
    "a grouped convolution": lambda: Case(images, lambda x, f: f(x), nn.Conv2d(UNITS, UNITS, 3, groups=2), axis=1),
    "a depthwise convolution": lambda: Case(images, lambda x, f: f(x), nn.Conv2d(UNITS, UNITS, 3, groups=6), axis=1),
    "attention": lambda: Case(sequences, attention, axis=-1),
    "a recurrent layer": lambda: Case(sequences, lambda x, f: f(x)[0], nn.LSTM(UNITS, 3, batch_first=True), axis=-1),
    "a weight that is computed": lambda: Case(
        vectors, lambda x, f: f(x), nn.utils.parametrizations.weight_norm(nn.Linear(UNITS, 3)), axis=-1
    ),
    "a weight that it makes": lambda: Case(
        images, lambda x: F.conv2d(torch.randn(2, UNITS, 9, 9, requires_grad=True), x), axis=1
    ),
    "an offset of a product": lambda: Case(
        vectors, lambda x: torch.addmm(x, torch.randn(8, 5), torch.randn(5, UNITS, requires_grad=True)), axis=-1
    ),
    "a gate of another width": lambda: Case(
        lambda: torch.relu(nn.Linear(5, 1)(torch.randn(8, 5))), lambda x, f: f(x * torch.rand(UNITS)), linear(), axis=-1
    ),
    "a bilinear layer": lambda: Case(vectors, lambda x, f: f(x, torch.randn(8, 4)), nn.Bilinear(UNITS, 4, 3), axis=-1),
}


@pytest.mark.parametrize("told", [True, False], ids=["axis told", "axis from the origin"])
@pytest.mark.parametrize("name", NOT_FOLLOWED)
def test_no_reader_is_reported_where_the_units_go_elsewhere_too(name: str, told: bool) -> None:
    case = NOT_FOLLOWED[name]()
    assert readers(case.net, case.hidden(), case.axis if told else None) == ()


def test_samples_in_columns_are_read_by_the_weight_on_their_left() -> None:
    first, second = torch.randn(UNITS, 5, requires_grad=True), torch.randn(3, UNITS, requires_grad=True)
    hidden = torch.relu(first @ torch.randn(5, 8))
    (found,) = readers(lambda x: second @ x, hidden)
    assert (found.weight, found.input_axis) == (second, 1)


@pytest.mark.parametrize(("how", "axis"), [(lambda x, w: x @ w, 0), (lambda x, w: x @ w.t(), 1)])
def test_the_axis_that_is_read_follows_how_the_weight_is_written(
    how: Callable[[Tensor, Tensor], Tensor], axis: int
) -> None:
    weight = torch.randn((UNITS, 3) if axis == 0 else (3, UNITS), requires_grad=True)
    (found,) = readers(lambda x: how(x, weight), vectors())
    assert (found.weight, found.input_axis) == (weight, axis)


def test_the_readers_of_a_shared_activation_are_those_of_each_place() -> None:
    layers: Sequence[nn.Linear] = [nn.Linear(5, UNITS), nn.Linear(UNITS, UNITS), nn.Linear(UNITS, 3)]
    first = torch.relu(layers[0](torch.randn(8, 5)))
    second = torch.relu(layers[1](first))
    parents = parents_of(layers[2](second).sum().grad_fn)
    assert [reader.weight for reader in readers_of(parents, first.grad_fn)] == [layers[1].weight]
    assert [reader.weight for reader in readers_of(parents, second.grad_fn)] == [layers[2].weight]


@pytest.mark.parametrize("name", ["linear", "convolution", "flattened", "dropout"])
def test_autocast_hides_no_reader(name: str) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        case = FOLLOWED[name]()
        found = readers(case.net, case.hidden())
    assert {id(reader.weight) for reader in found} == {id(weight) for weight in weights_of(case)}
