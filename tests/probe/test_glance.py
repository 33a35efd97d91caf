"""The usual look at a site: the same account as the long way, and the long way wherever something is unusual."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from limen.errors import LimenError
from limen.kernels import IN_USE, Reading
from limen.probe import Budget, Probe
from limen.probe.glance import Glance
from tests.probe.watching import assert_seen, watching

compiled_only = pytest.mark.skipif(IN_USE.startswith("torch"), reason="only the compiled kernels have a shorter way")


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
def glances(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each glance was enough."""
    made: list[bool] = []
    look = Glance.look

    def counted(self: Glance, owner: nn.Module | None, z: Tensor) -> bool:
        made.append(look(self, owner, z))
        return made[-1]

    monkeypatch.setattr(Glance, "look", counted)
    return made


@compiled_only
def test_most_steps_need_no_more_than_a_glance(glances: list[bool]) -> None:
    net = Net()
    with watching(net) as probe:
        train(net, [6] * 30)
        check(probe, net)
    assert glances.count(True) >= 20


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


@compiled_only
@pytest.mark.parametrize("method", ["add", "add_gradient"])
def test_a_place_that_cannot_be_read_is_left_alone_and_the_training_goes_on(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise LimenError("broken")

    net, failures = Net(), list[Exception]()
    probe = Probe([net], Budget(None), lambda step: None, failures.append)
    train(net, [6] * 9)
    monkeypatch.setattr(Reading, method, fail)
    train(net, [6] * 9)
    probe.close()
    assert failures == []
    assert probe.step == 18
    (trouble,) = probe.vitals().notes
    assert "act is no longer watched since step 11 (LimenError: broken)" in trouble


@compiled_only
def test_a_strict_watch_raises_what_a_glance_meets(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise LimenError("broken")

    net = Net()
    with watching(net):
        train(net, [6] * 9)
        monkeypatch.setattr(Reading, "add", fail)
        with pytest.raises(LimenError, match="broken"):
            train(net, [6] * 9)


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
