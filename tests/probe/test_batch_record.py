"""Running averages tell the statistics of each batch, and these how many independent values they are of."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from limen.probe.batch_record import MOST, BatchRecord, independent_values
from limen.vitals import Normalisation
from tests.probe.watching import bits, watching


def images(samples: int, *, alike: float, steps: int = 5, seed: int = 0) -> list[Tensor]:
    """Batches of images of which a share ``alike`` of the variance is that between images."""
    draw = torch.Generator().manual_seed(seed)
    between = torch.randn(steps, samples, 64, 1, 1, generator=draw) * alike**0.5
    return list(between + torch.randn(steps, samples, 64, 6, 6, generator=draw) * (1.0 - alike) ** 0.5)


class Net(nn.Module):
    """A normalisation of what it is given, and a layer that learns."""

    def __init__(self, norm: nn.Module, *, again: bool = False) -> None:
        super().__init__()
        self.norm, self.fc, self.again = norm, nn.Linear(64, 2), again

    def forward(self, x: Tensor) -> Tensor:
        normed = checkpoint(self.norm, x, use_reentrant=False) if self.again else self.norm(x)
        return self.fc(torch.relu(normed).mean((2, 3)))


def trained(model: nn.Module, batches: Sequence[Tensor]) -> nn.Module:
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    for batch in batches:
        optimiser.zero_grad()
        model(batch).square().mean().backward()
        optimiser.step()
    return model


def seen(norm: nn.Module, batches: Sequence[Tensor], *, again: bool = False) -> Normalisation:
    model = Net(norm, again=again)
    with watching(model) as probe:
        trained(model, batches)
        (found,) = probe.vitals().program.norms
    return found


def expected(batches: Sequence[Tensor]) -> float:
    """The same from the batches themselves, in float64."""
    pixels = np.stack([batch.double().transpose(0, 1).flatten(1).numpy() for batch in batches])
    means = pixels.mean(2)
    scatter = np.mean([(one - other) ** 2 / 2 for one, other in zip(means[1:], means, strict=False)], axis=0)
    return 1.0 / float(np.median(scatter / pixels.var(2, ddof=1).mean(0)))


@pytest.mark.parametrize("momentum", [0.1, 0.9, 1.0, None])
@pytest.mark.parametrize("alike", [0.0, 0.3, 1.0])
def test_what_running_averages_tell_is_what_the_batches_hold(alike: float, momentum: float | None) -> None:
    batches = images(2, alike=alike)
    found = seen(nn.BatchNorm2d(64, momentum=momentum), batches)
    assert (found.samples, found.values) == (2, 72)
    assert found.independent == pytest.approx(expected(batches), rel=1e-3)  # float32, a tenth of it a step


@pytest.mark.parametrize("values", [2, 5, 40])
def test_independent_values_are_counted(values: int) -> None:
    draws = np.random.default_rng(0).normal(3.0, 2.0, (200, 400, values))
    found = independent_values(draws.mean(2), draws.var(2, ddof=1))
    assert found == pytest.approx(values, rel=0.05)  # 200 batches: a tenth for one unit, and the median is of 400


def test_values_of_one_image_are_not_independent() -> None:
    alike = seen(nn.BatchNorm2d(64), images(2, alike=0.95)).independent
    apart = seen(nn.BatchNorm2d(64), images(2, alike=0.02)).independent
    assert alike is not None
    assert apart is not None
    assert alike < 4.0 < 20.0 < apart


def test_units_that_never_vary_do_not_count() -> None:
    means, variances = np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 0.0]]), np.array([[5.0, 0.0]] * 3)
    assert independent_values(means, variances) == pytest.approx(10.0)
    assert independent_values(means[:, 1:], variances[:, 1:]) is None
    assert independent_values(means + np.inf, variances) is None
    assert independent_values(means * 0.0, variances) == np.inf


@pytest.mark.parametrize(
    "norm",
    [
        nn.BatchNorm2d(64, track_running_stats=False),
        nn.BatchNorm2d(64, momentum=0.0),
        nn.BatchNorm2d(64).eval(),
        nn.InstanceNorm2d(64, track_running_stats=True),
        nn.GroupNorm(1, 64),
    ],
    ids=["no averages", "averages that stay", "evaluating", "instance", "group"],
)
def test_what_tells_nothing_is_not_measured(norm: nn.Module) -> None:
    assert seen(norm, images(2, alike=0.9)).independent is None


def test_many_samples_and_few_steps_are_not_measured() -> None:
    assert seen(nn.BatchNorm2d(64), images(16, alike=0.9)).independent is None
    assert seen(nn.BatchNorm2d(64), images(2, alike=0.9, steps=2)).independent is None


def test_a_pass_that_is_run_again_moves_the_averages_twice_and_is_not_measured() -> None:
    assert seen(nn.BatchNorm2d(64), images(2, alike=0.9), again=True).independent is None


def test_what_is_not_finite_is_no_error() -> None:
    batches = images(2, alike=0.9)
    batches[2] = batches[2] * torch.inf
    assert seen(nn.BatchNorm2d(64), batches).independent is None


def test_only_some_readings_are_kept() -> None:
    norm, record = nn.BatchNorm2d(64), BatchRecord()
    for batch in images(2, alike=0.3, steps=3 * MOST):
        record.read(norm)
        norm(batch)
    assert record.independent() == pytest.approx(expected(images(2, alike=0.3, steps=3 * MOST)[: MOST - 1]), rel=1e-3)


def test_the_training_is_the_same_bit_by_bit() -> None:
    def left(*, watched: bool) -> list[bytes]:
        torch.manual_seed(0)
        model = Net(nn.BatchNorm2d(64))
        with watching(model) if watched else nullcontext():
            trained(model, images(2, alike=0.5, steps=9))
        return bits([*model.parameters(), *(one.float() for one in model.buffers())])

    assert left(watched=True) == left(watched=False)
