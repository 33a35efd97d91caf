"""Trainings that do the same at each step are followed by one hook; whatever is new in them is seen all the same."""

import contextlib
from collections.abc import Callable
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode

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


def hand_over(act: nn.Module) -> None:
    act.register_forward_pre_hook(lambda module, args: (args[0] + 1,))


def wrap(act: nn.Module) -> None:
    act.forward = lambda input: torch.relu(input + 1)  # type: ignore[method-assign]


@pytest.mark.parametrize("late", [1, LATE])
@pytest.mark.parametrize("change", [hand_over, wrap])
def test_what_stands_between_a_module_and_its_call_is_not_passed_over(
    change: Callable[[nn.Module], None], late: int
) -> None:
    net = Net()
    with watching(net) as probe:
        train(net, each=lambda step: change(net.act) if step == late else None)
    history, given = probe.vitals().sites[0].history, dict(enumerate(net.given[0], 1))
    assert len(history.step) >= STEPS - 1  # what is new makes the next look a full one
    assert history.low.tolist() == [float(given[step].min()) + (step >= late) for step in history.step.tolist()]


def test_calls_of_a_forward_pass_that_raises_are_not_taken_for_those_of_the_next() -> None:
    net = Net(times=2)
    net.layers[1].register_forward_pre_hook(fail_at(LATE, LATE + 1, LATE + 2))
    with watching(net) as probe:
        optimiser = torch.optim.SGD(net.parameters(), lr=0.05)
        for _ in range(STEPS):
            optimiser.zero_grad()
            try:
                net(torch.randn(6, 5)).square().mean().backward()
            except ArithmeticError:
                net(torch.randn(6, 5)).square().mean().backward()
            optimiser.step()
    first, second = (site.history.samples.tolist() for site in probe.vitals().sites)
    assert first == [12 if LATE <= step <= LATE + 2 else 6 for step in range(1, STEPS + 1)]
    assert second == [6] * STEPS


def fail_at(*steps: int) -> Callable[..., None]:
    """A hook that raises once at each of these steps."""
    calls, raised = [0], set[int]()

    def hook(*_: object) -> None:
        calls[0] += 1
        step = calls[0] - len(raised)
        if step in steps and step not in raised:
            raised.add(step)
            raise ArithmeticError

    return hook


def test_a_part_that_the_script_calls_itself_is_no_further_call() -> None:
    net, own = Net(), range(LATE, LATE + SHORTEST)

    def call_parts(step: int) -> None:
        if step in own:
            net.last(net.act(torch.randn(6, 5, requires_grad=True))).square().mean().backward()

    with watching(net) as probe:
        train(net, each=call_parts)
    (site,) = probe.vitals().sites
    assert site.history.samples.tolist() == [12 if step in own else 6 for step in range(1, STEPS + 1)]


def test_the_loss_of_parts_that_the_script_calls_itself_is_that_of_the_training() -> None:
    net, losses = Net(), list[float]()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05)
    with watching(net) as probe:
        for step in range(STEPS):
            optimiser.zero_grad()
            x = torch.randn(6, 5)
            z = net.last(net.act(net.layers[0](x))) if step % 3 == 0 and step >= LATE else net(x)
            loss = z.square().mean()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
    assert probe.vitals().losses[0].value.tolist() == losses


def test_layers_that_are_thawed_are_seen_at_once() -> None:
    net = Net()
    net.layers[0].requires_grad_(False)
    net.extra = nn.Sequential(nn.Linear(5, 5), nn.Tanh())

    def thaw(step: int) -> None:
        if step == LATE:
            net.layers[0].requires_grad_()

    with watching(net) as probe:
        train(net, each=thaw)
    tanh, relu = (site.history.step.tolist() for site in probe.vitals().sites)
    assert tanh == [*range(1, STEPS + 1)]
    assert relu == [*range(LATE, STEPS + 1)]


def test_what_is_called_now_and_then_is_seen_each_time() -> None:
    net, tanh = Net(), nn.Tanh()

    def each(step: int) -> None:
        net.extra = tanh if step % 3 == 0 else None

    with watching(net) as probe:
        train(net, each=each)
    relu, other = (site.history.step.tolist() for site in probe.vitals().sites)
    assert relu == [*range(1, STEPS + 1)]
    assert other == [*range(3, STEPS + 1, 3)]


class Heard(TorchFunctionMode):
    """Notes what is asked of tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


def test_a_mode_of_the_script_hears_of_nothing_that_is_asked_of_a_pre_activation() -> None:
    def heard() -> list[str]:
        net, mode = Net(), Heard()
        optimiser = torch.optim.SGD(net.parameters(), lr=0.05)
        for step in range(STEPS):
            optimiser.zero_grad()
            x = torch.randn(6, 5)
            with mode if step in (1, LATE) else contextlib.nullcontext():
                z = net(x)
            z.square().mean().backward()
            optimiser.step()
        return mode.names

    bare = heard()
    with watching():
        assert heard() == bare


class Own(Tensor):
    """A tensor of the script's own, that notes what is asked of it."""

    names: ClassVar[list[str]] = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        cls.names.append(func.__name__)
        return super().__torch_function__(func, types, args, kwargs or {})


def test_tensors_of_the_script_are_asked_nothing() -> None:
    def heard(step: int) -> list[str]:
        Own.names.clear()
        net = Net()
        net.given = [[]]
        train(net, steps=step)
        z = net.act(net.layers[0](torch.randn(6, 5).as_subclass(Own)))
        assert type(z) is Own
        return [*Own.names]

    for step in (1, LATE):
        bare = heard(step)
        with watching():
            assert heard(step) == bare
