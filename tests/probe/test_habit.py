"""Trainings that do the same at each step are followed by one hook; whatever is new in them is seen all the same."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from limen.probe.habit import LEARNT, SHORTEST, Habit
from tests.probe.watching import HAS_QUICK, assert_seen, bits, watching

compiled_only = pytest.mark.skipif(not HAS_QUICK, reason="without the quick way, in C, there are no habits")

LATE = LEARNT + 20
STEPS = LATE + 2 * (SHORTEST + 1)


class Net(nn.Module):
    """Keeps what its activation was given; applies it as often as it is told to."""

    def __init__(self, *, times: int = 1) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleList([nn.Linear(5, 5) for _ in range(times)])
        self.act, self.last = nn.ReLU(), nn.Linear(5, 1)
        self.extra: Callable[[Tensor], Tensor] | None = None
        self.given: list[list[Tensor]] = [[] for _ in range(times)]

    def features(self, x: Tensor) -> Tensor:
        for layer, given in zip(self.layers, self.given, strict=True):
            x = layer(x)
            given.append(x.detach().clone())
            x = self.act(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        return self.last(x if self.extra is None else self.extra(x))


def train(net: Net, *, steps: int = STEPS, each: Callable[[int], None] = lambda step: None) -> list[bytes]:
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05)
    for step in range(1, steps + 1):
        each(step)
        optimiser.zero_grad()
        net(torch.randn(6, 5)).square().mean().backward()
        optimiser.step()
    return bits(net.parameters())


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each step, whether it was followed."""
    begun: list[bool] = []
    open_step, count = Habit.open_step, Habit.count

    def opened(self: Habit, *, learns: bool) -> None:
        begun.append(not learns)
        open_step(self, learns=learns)

    def counted(self: Habit, steps: int) -> None:
        begun.extend([True] * steps)
        count(self, steps)

    monkeypatch.setattr(Habit, "open_step", opened)
    monkeypatch.setattr(Habit, "count", counted)
    return begun


@compiled_only
def test_most_steps_are_followed_by_habit(followed: list[bool]) -> None:
    net = Net()
    with watching(net):
        train(net)
    assert followed.count(True) >= 3 * (STEPS - LEARNT) // 4  # histograms are taken in between


@pytest.mark.parametrize("times", [1, 3])
def test_the_account_is_what_float64_says(times: int) -> None:
    net = Net(times=times)
    with watching(net) as probe:
        train(net)
    for site, given in zip(probe.vitals().sites, net.given, strict=True):
        assert_seen(site, given, left=torch.cat(given) <= 0, right=torch.zeros(6 * STEPS, 5))


def test_the_training_ends_in_the_same_bits() -> None:
    bare = train(Net())
    net = Net()
    with watching(net):
        assert train(net) == bare


def begin_function(net: Net) -> None:
    net.extra = torch.tanh


def begin_module(net: Net) -> None:
    net.extra = nn.Tanh()


def exchange(net: Net) -> None:
    net.act = nn.Tanh()


@pytest.mark.parametrize("change", [begin_function, begin_module, exchange])
@pytest.mark.parametrize("late", range(LATE, LATE + SHORTEST + 1))
def test_a_site_that_begins_late_is_seen(change: Callable[[Net], None], late: int) -> None:
    net = Net()
    with watching(net) as probe:
        train(net, each=lambda step: change(net) if step == late else None)
    (tanh,) = [site for site in probe.vitals().sites if site.site.function == "tanh"]
    assert STEPS - late - SHORTEST <= tanh.total.steps <= STEPS - late + 1


@pytest.mark.parametrize("call", [lambda net, x: net(x), lambda net, x: net.features(x)], ids=["model", "part"])
def test_passes_in_evaluation_mode_are_not_counted(call: Callable[[Net, Tensor], Tensor]) -> None:
    net = Net()

    def evaluate(step: int) -> None:
        net.eval()
        call(net, torch.randn(9, 5))
        with torch.no_grad():
            call(net, torch.randn(9, 5))
        net.train()

    with watching(net) as probe:
        train(net, each=evaluate)
    assert probe.vitals().sites[0].history.samples.tolist() == [6] * STEPS


def test_what_a_hook_of_the_script_hands_over_is_what_is_read() -> None:
    net = Net()
    net.act.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    with watching(net) as probe:
        train(net)
    given = [z + 1 for z in net.given[0]]
    assert_seen(probe.vitals().sites[0], given, left=torch.cat(given) <= 0, right=torch.zeros(6 * STEPS, 5))


def test_a_pass_that_raises_does_not_end_the_watch() -> None:
    net = Net()

    def fail(x: Tensor) -> Tensor:
        raise ArithmeticError

    def each(step: int) -> None:
        if step % 5 == 0:
            net.extra = fail
            with pytest.raises(ArithmeticError):
                net(torch.randn(6, 5))
            net.extra = None

    with watching(net) as probe:
        train(net, each=each)
    samples = probe.vitals().sites[0].history.samples.tolist()
    assert samples == [12 if step % 5 == 0 else 6 for step in range(1, STEPS + 1)]


def test_nothing_is_left_behind() -> None:
    before = [dict(held) for held in (hooks._global_forward_pre_hooks, hooks._global_forward_hooks)]
    net = Net()
    with watching(net):
        train(net)
    assert [dict(held) for held in (hooks._global_forward_pre_hooks, hooks._global_forward_hooks)] == before


class Halves(nn.ReLU):
    """Changes what it is given before it applies its function."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.mul_(0.5))


def halve(module: nn.Module, args: tuple[Tensor]) -> None:
    args[0].mul_(0.5)


@pytest.mark.parametrize("way", ["in its hook", "in itself"])
def test_what_a_module_changes_before_it_applies_its_function_is_seen_as_changed(way: str) -> None:
    net = Net()
    if way == "in itself":
        net.act = Halves()
    else:
        net.act.register_forward_pre_hook(halve)
    with watching(net) as probe:
        train(net)
    (site,), tables = probe.vitals().sites, [z / 2 for z in net.given[0]]
    every = torch.cat(tables)
    assert_seen(site, tables, left=every <= 0, right=torch.zeros_like(every))
