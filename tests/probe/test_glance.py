"""The usual look at a site: the same account as the long way, and the long way wherever something is unusual."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from limen.errors import LimenError
from limen.probe import Budget, Probe
from limen.probe.meter import Meter, OnGradient
from limen.probe.site_book import Place
from tests.probe.watching import HAS_QUICK, assert_seen, watching

compiled_only = pytest.mark.skipif(not HAS_QUICK, reason="only the quick way, in C, is shorter")


class Net(nn.Module):
    """Keeps what its activation was given, and the gradients there."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.act, self.last = nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 1)
        self.given: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        z = self.first(x)
        z.retain_grad()
        self.given.append(z)
        return self.last(self.act(z))


Change = Callable[[Net, torch.optim.Optimizer], None]


def train(net: Net, sizes: list[int], *, change: Change = lambda net, optimiser: None) -> None:
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    for number, size in enumerate(sizes, 1):
        if number == 12:
            change(net, optimiser)
        optimiser.zero_grad()
        net(torch.randn(size, 5, dtype=net.first.weight.dtype)).square().mean().backward()
        optimiser.step()


def check(probe: Probe, net: Net) -> None:
    (site,) = probe.vitals().sites
    tables = [z.detach() for z in net.given]
    every = torch.cat([table.double() for table in tables])
    assert_seen(site, tables, left=every <= 0, right=torch.zeros_like(every))
    expected = [float(torch.linalg.vector_norm(z.grad.double())) for z in net.given if z.grad is not None]
    assert len(expected) == len(tables)
    assert site.history.gradient.tolist() == pytest.approx(expected, rel=1e-5)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """What a glance was not enough for."""
    met: list[Tensor] = []
    read = Meter.read

    def noted(self: Meter, place: Place, z: Tensor, on_gradient: OnGradient) -> None:
        met.append(z)
        read(self, place, z, on_gradient)

    monkeypatch.setattr(Meter, "read", noted)
    return met


@compiled_only
def test_most_steps_need_no_more_than_a_glance(read: list[Tensor]) -> None:
    net = Net()
    with watching(net) as probe:
        train(net, [6] * 30)
        check(probe, net)
    assert len(read) <= 10


@pytest.mark.parametrize(
    "sizes", [[6, 6, 3] * 10, list(range(1, 31)), [6] * 29 + [1]], ids=["epochs", "growing", "end"]
)
def test_batches_of_other_sizes_are_read_too(sizes: list[int]) -> None:
    net = Net()
    with watching(net) as probe:
        train(net, sizes)
        check(probe, net)


def test_a_model_that_changes_its_precision_is_read_in_both() -> None:
    net = Net()
    with watching(net) as probe:
        train(net, [6] * 30, change=lambda net, optimiser: net.double() and None)
        check(probe, net)


def test_a_second_model_in_the_same_memory_has_its_own_account() -> None:
    with watching() as probe:
        for _ in range(3):
            net = Net()
            train(net, [6] * 8)
            net.given.clear()
            del net
        assert [site.total.steps for site in probe.vitals().sites] == [8, 8, 8]


class Twice(torch.autograd.Function):
    """A function whose nodes can be told to fail when limen asks them for the gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return 2 * gradients[0]


class Failing(nn.Module):
    """Its activation is given the result of a node that fails from a certain call on."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.first, self.act, self.last, self.calls = nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 1), calls

    def forward(self, x: Tensor) -> Tensor:
        z = Twice.apply(self.first(x))
        self.calls -= 1
        type(z.grad_fn)._register_hook_dict = register if self.calls > 0 else fail
        return self.last(self.act(z)).square().mean()


register = torch.autograd.function.BackwardCFunction._register_hook_dict


def fail(*_: object) -> None:
    raise LimenError("broken")


def run(net: Failing, steps: int) -> None:
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(steps):
        optimiser.zero_grad()
        net(torch.randn(6, 5)).backward()
        optimiser.step()


@pytest.mark.parametrize("last", [11, 61], ids=["seen in full", "followed"])
def test_a_place_that_cannot_be_read_is_left_alone_and_the_training_goes_on(last: int) -> None:
    net, failures = Failing(last), list[Exception]()
    probe = Probe([net], Budget(None), lambda step: None, failures.append)
    run(net, 70)
    probe.close()
    assert failures == []
    assert probe.step == 70
    (trouble,) = probe.vitals().notes
    assert f"act is no longer watched since step {last} (LimenError: broken)" in trouble


@pytest.mark.parametrize("last", [11, 61], ids=["seen in full", "followed"])
def test_a_strict_watch_raises_what_a_glance_meets(last: int) -> None:
    net = Failing(last)
    with watching(net):
        run(net, last - 1)
        with pytest.raises(LimenError, match="broken"):
            run(net, 9)


def test_a_call_without_the_axis_of_the_units_is_left_out_and_the_others_are_read_on() -> None:
    class Either(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.act, self.last = nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Linear(4, 1)

        def forward(self, x: Tensor, mean: bool) -> Tensor:
            z = self.act(self.conv(x).mean((0, 2, 3)) if mean else self.conv(x))
            return self.last(z if mean else z.mean((2, 3))).square().mean()

    net = Either()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    with watching(net) as probe:
        for number in range(1, 31):
            optimiser.zero_grad()
            net(torch.randn(2, 1, 5, 5), mean=number % 6 == 0).backward()
            optimiser.step()
        (site,), (note,) = probe.vitals().sites, probe.vitals().notes
    assert site.total.samples == 25 * 2 * 3 * 3
    assert "a call with (4,) instead of 4 units was left out" in note
