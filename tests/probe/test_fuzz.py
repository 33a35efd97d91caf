"""Networks that nobody wrote: random stacks of layers, watched, against a brute-force count of every activation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.probe.watching import assert_seen, bits, watching

STEPS = 3


@dataclass(frozen=True)
class Function:
    """An activation, how it may be written, and its slope by the book."""

    module: Callable[[], nn.Module]
    functional: Callable[[Tensor], Tensor]
    flat: Callable[[Tensor], tuple[Tensor, Tensor]]  # which entries of a float64 table are flat: left, right


def nowhere(z: Tensor) -> Tensor:
    return torch.zeros_like(z, dtype=torch.bool)


def slow(slope: Callable[[Tensor], Tensor], steepest: float) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    def flat(z: Tensor) -> tuple[Tensor, Tensor]:
        slight = slope(z) < 0.01 * steepest
        return slight & (z < 0), slight & (z > 0)

    return flat


def logistic(z: Tensor) -> Tensor:
    return z.sigmoid() * (1 - z.sigmoid())


FUNCTIONS = {
    "relu": Function(nn.ReLU, torch.relu, lambda z: (z <= 0, nowhere(z))),
    "relu_": Function(lambda: nn.ReLU(inplace=True), torch.relu_, lambda z: (z <= 0, nowhere(z))),
    "relu6": Function(nn.ReLU6, lambda z: z.clamp(0, 6), lambda z: (z <= 0, z >= 6)),
    "leaky": Function(lambda: nn.LeakyReLU(0.2), lambda z: F.leaky_relu(z, 0.2), lambda z: (nowhere(z), nowhere(z))),
    "tanh": Function(nn.Tanh, torch.Tensor.tanh, slow(lambda z: 1 - z.tanh() ** 2, 1.0)),
    "sigmoid": Function(nn.Sigmoid, torch.sigmoid, slow(logistic, 0.25)),
    "softplus": Function(nn.Softplus, F.softplus, slow(torch.sigmoid, 1.0)),
    "elu": Function(nn.ELU, F.elu, lambda z: (z.clamp(max=0).exp() < 0.01, nowhere(z))),
}


@dataclass
class Expected:
    """One application of an activation, as the model itself recorded it."""

    flat: Callable[[Tensor], tuple[Tensor, Tensor]]
    tables: list[Tensor] = field(default_factory=list[Tensor])  # one a step, ``[samples, units]``


class Recorded(nn.Module):
    """Copies the pre-activation, units last, and applies the activation as a module or as a function."""

    def __init__(self, function: Function, as_module: bool, axis: int) -> None:
        super().__init__()
        self.function = function.module() if as_module else function.functional
        self.axis = axis
        self.expected = Expected(function.flat)

    def forward(self, z: Tensor) -> Tensor:
        self.expected.tables.append(z.detach().movedim(self.axis, -1).reshape(-1, z.shape[self.axis]).clone())
        return self.function(z)


@dataclass
class Drawn:
    """A network and the input it takes."""

    layers: list[nn.Module]
    batch: Tensor


@st.composite
def networks(draw: st.DrawFn) -> Drawn:
    """A stack of blocks: a layer that makes units, what may stand behind it, an activation, what may follow."""
    torch.manual_seed(draw(st.integers(0, 2**16)))
    rank = draw(st.sampled_from([0, 0, 1, 2, 2]))  # axes of space: 0 for vectors, 1 for series, 2 for images
    tokens = draw(st.booleans()) and rank == 0  # vectors of a sequence: [batch, time, features]
    batch, width, size = draw(st.integers(2, 9)), draw(st.integers(1, 6)), draw(st.integers(2, 8))
    space = (size,) * rank
    x = torch.randn(batch, 3, width) if tokens else torch.randn(batch, width, *space)
    if rank == 2 and draw(st.booleans()):
        x = x.contiguous(memory_format=torch.channels_last)
    layers: list[nn.Module] = []
    for _ in range(draw(st.integers(1, 3))):
        units = draw(st.integers(1, 7))
        axis = 1 if rank else -1
        layers.append(draw(st.sampled_from(makers(rank, width, units))))
        layers += draw(st.sampled_from(between(rank, units, tokens, space)))
        function = FUNCTIONS[draw(st.sampled_from(sorted(FUNCTIONS)))]
        layers.append(Recorded(function, draw(st.booleans()), axis))
        layers += draw(st.sampled_from(behind(rank)))
        width = units
        if rank and draw(st.integers(0, 3)) == 0:
            layers += [nn.Flatten()]
            width, rank, space = units * size**rank, 0, ()
    return Drawn(layers, x)


def makers(rank: int, width: int, units: int) -> list[nn.Module]:
    if rank == 0:
        return [nn.Linear(width, units), nn.Linear(width, units, bias=False)]
    if rank == 1:
        return [nn.Conv1d(width, units, 3, padding=1), nn.ConvTranspose1d(width, units, 1)]
    return [nn.Conv2d(width, units, 3, padding=1), nn.Conv2d(width, units, 1, bias=False)]


def between(rank: int, units: int, tokens: bool, space: tuple[int, ...]) -> list[list[nn.Module]]:
    norms = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d}
    layer_norm = nn.LayerNorm([units, *space] if rank else units)
    batch_norm = [] if tokens else [[norms[rank](units)], [norms[rank](units), nn.Dropout(0.3)]]
    return [[], [layer_norm], [nn.Dropout(0.2)], [nn.GroupNorm(1, units)] if not tokens else [], *batch_norm]


def behind(rank: int) -> list[list[nn.Module]]:
    pools = {0: [], 1: [[nn.AvgPool1d(3, 1, 1)]], 2: [[nn.MaxPool2d(3, 1, 1)], [nn.AvgPool2d(3, 1, 1)]]}
    return [[], [nn.Dropout(0.1)], *pools[rank]]


def fit(drawn: Drawn, state: dict[str, Any], seed: int) -> tuple[list[bytes], list[Expected]]:
    """Train from a given state; what was made of it, and what the model recorded."""
    model = nn.Sequential(*drawn.layers)
    model.load_state_dict(state)
    recorded = [layer.expected for layer in drawn.layers if isinstance(layer, Recorded)]
    for expected in recorded:
        expected.tables = []
    torch.manual_seed(seed)
    optimiser = torch.optim.SGD(model.parameters(), 0.3)
    for _ in range(STEPS):
        loss = (model(drawn.batch + torch.randn(())) - 1).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    kept = [Expected(expected.flat, expected.tables) for expected in recorded]
    return bits([*model.state_dict().values(), *(p.grad for p in model.parameters() if p.grad is not None)]), kept


@given(drawn=networks(), seed=st.integers(0, 2**16))
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_a_random_network_is_accounted_for_to_the_last_sample(drawn: Drawn, seed: int) -> None:
    state = {name: tensor.clone() for name, tensor in nn.Sequential(*drawn.layers).state_dict().items()}
    bare, recorded = fit(drawn, state, seed)
    with watching() as probe:
        watched, _ = fit(drawn, state, seed)
    assert watched == bare
    vitals = probe.vitals()
    assert (vitals.step, vitals.notes, vitals.samples) == (STEPS, (), STEPS * len(drawn.batch))
    assert len(vitals.sites) == len(recorded)
    for site, expected in zip(vitals.sites, recorded, strict=True):
        every = torch.cat(expected.tables).double()
        assert_seen(site, expected.tables, *expected.flat(every))
