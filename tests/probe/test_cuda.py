"""On a CUDA device: the same bits, the same statistics, and nothing that waits for the device."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limen.probe import Budget, Probe
from limen.vitals import Vitals

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device and a CUDA build of torch"),
]


def train(device: str, *, watched: bool, alone: bool = False) -> tuple[list[torch.Tensor], Vitals | None]:
    """A small convolutional training; ``alone`` makes every synchronisation after the first steps an error."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 36, 16),
        nn.GELU(),
        nn.Linear(16, 4),
    ).to(device)
    x, y = torch.randn(32, 3, 8, 8).to(device), torch.randint(4, (32,)).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    probe = Probe(None, Budget(None), lambda step: None, _raise) if watched else None
    for step in range(40):
        if alone and step == 5:
            torch.cuda.set_sync_debug_mode("error")
        optimiser.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimiser.step()
    torch.cuda.set_sync_debug_mode("default")
    if probe is not None:
        probe.close()
    return [tensor.cpu() for tensor in model.parameters()], probe.vitals() if probe is not None else None


def _raise(error: Exception) -> None:
    raise error


def test_a_watched_training_ends_in_the_same_bits() -> None:
    bare, _ = train("cuda", watched=False)
    watched, _ = train("cuda", watched=True)
    assert all(map(torch.equal, bare, watched))


def test_nothing_waits_for_the_device_after_the_first_steps() -> None:
    _, vitals = train("cuda", watched=True, alone=True)
    assert vitals is not None
    assert [len(site.history.step) for site in vitals.sites] == [40, 40]


def test_the_first_step_is_seen_as_on_the_host() -> None:
    _, there = train("cuda", watched=True)
    _, here = train("cpu", watched=True)
    assert there is not None
    assert here is not None
    for one, other in zip(there.sites, here.sites, strict=True):
        assert one.site == other.site
        assert one.history.mean[0] == pytest.approx(other.history.mean[0], rel=1e-3, abs=1e-4)
        assert one.history.gradient[0] == pytest.approx(other.history.gradient[0], rel=1e-2)
