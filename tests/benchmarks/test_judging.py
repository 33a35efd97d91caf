"""The schedule of the benchmark is that of the watch, and its shares are what they say."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from benchmarks.judging import FREE, SHARE, examined, share
from limen.probe import Probe
from limen.watch import Watch


def test_it_counts_the_examinations_that_a_watch_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    monkeypatch.setattr(sys.modules[Watch.__module__], "diagnose", lambda vitals: steps.append(vitals.step) or ())
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    with Watch(budget=None, allowance=1000.0):
        for _ in range(200):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.zeros(8, dtype=torch.long)).backward()
            optimiser.step()
        assert steps == list(examined(200))


@pytest.mark.parametrize(("seconds", "pace", "steps"), [(1e-4, 0.001, 1_000), (0.004, 0.1, 10_000)])  # all of it free
def test_the_share_is_all_examinations_over_all_steps(seconds: float, pace: float, steps: int) -> None:
    assert share(seconds, pace, steps) == pytest.approx(len(list(examined(steps))) * seconds / (steps * pace))


def test_examining_stops_where_its_share_is_used_up() -> None:
    assert share(1.0, 0.001, 10_000) * 10_000 * 0.001 <= max(FREE, SHARE * 10) + 1.0


@pytest.mark.parametrize("seconds", [10.0, 1e4])  # where more is free than the share, and where it is less
def test_its_share_and_what_is_free_are_those_of_the_watch(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Probe, "seconds", seconds)
    model, limit = nn.Sequential(nn.Linear(4, 8), nn.ReLU()), max(FREE, SHARE * seconds)
    with Watch(strict=True) as watch:
        model(torch.randn(8, 4)).sum().backward()
        torch.optim.SGD(model.parameters(), 0.1).step()
        for spent, may_go_on in ((0.999 * limit, True), (1.001 * limit, False)):
            watch._examined = spent
            assert watch._may_examine() is may_go_on
