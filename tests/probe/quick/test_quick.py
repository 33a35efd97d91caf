"""A glance enters what the long way enters, and leaves everything else to that; whoever holds it lives on."""

import gc
import math
import os
import signal
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from limen.activations import get
from limen.kernels import Account, CompiledAccount, Rules, Sums, account, reading_of
from limen.probe.ear import ear_for
from limen.probe.quick import Follower, Glance, Role, State
from limen.probe.site_book import Place
from tests.probe.watching import HAS_QUICK

pytestmark = pytest.mark.skipif(not HAS_QUICK, reason="the quick way, in C, was not compiled here")

UNITS = 21
RULES = Rules(UNITS, 0.0, 6.0, dead_left=True, dead_samples=100, dead_steps=4, saturated=0.95)
Draw = Callable[[], Tensor]
FORMS: dict[str, tuple[Draw, int]] = {
    "rows": (lambda: 3 * torch.randn(40, UNITS), -1),
    "channels": (lambda: 3 * torch.randn(4, UNITS, 3, 5), 1),
    "channels last": (lambda: 3 * torch.randn(4, UNITS, 3, 5).contiguous(memory_format=torch.channels_last), 1),
    "every second row": (lambda: torch.randn(40, UNITS)[::2], -1),
    "half": (lambda: 3 * torch.randn(40, UNITS).bfloat16(), -1),
    "large": (lambda: torch.randn(4_000, UNITS), -1),
}


class Spot:
    """What a glance asks of a place."""

    def __init__(self, owner: nn.Module | None = None) -> None:
        self.owner = None if owner is None else weakref.ref(owner)
        self.trouble = ""


class Scene:
    """A glance at tensors of one form, and what it leaves to others."""

    def __init__(self, z: Tensor, axis: int = -1, owner: nn.Module | None = None) -> None:
        self.state = State(deque())
        self.state.takes_histogram = False
        self.spot = Spot(owner)
        self.account = account(RULES)
        self.left: list[Tensor | None] = []
        self.errors: list[Exception] = []
        self.glance = self.at(z, axis)

    def at(self, z: Tensor, axis: int) -> Glance:
        reading = reading_of(self.account, z.detach(), axis)
        assert reading is not None
        glance = Glance(
            self.state,
            cast("Place", self.spot),
            z,
            is_first=True,
            on_gradient=lambda place, gradient: self.left.append(gradient),
            on_error=lambda place, error: self.errors.append(error),
            **reading._asdict(),
        )
        glance.ear = ear_for(z.output_nr, glance.hear)
        return glance

    @property
    def seen(self) -> int:
        """Samples in the step so far."""
        row = self.account.commit(1)
        return 0 if row is None else row.samples

    @property
    def gradient(self) -> float:
        """The norm of all gradients of the step so far."""
        self.account.add(torch.ones(1, UNITS), -1)
        row = self.account.commit(1)
        assert row is not None
        return row.gradient


def grown(draw: Tensor) -> Tensor:
    """The same numbers in the same places, from a node."""
    return draw.requires_grad_().view_as(draw)


@pytest.mark.parametrize("form", FORMS)
def test_it_enters_what_the_long_way_enters(form: str) -> None:
    torch.manual_seed(0)
    draw, axis = FORMS[form]
    scene, long = Scene(grown(draw()), axis), account(RULES)
    for number in range(1, 9):
        for z in (draw(), draw()):
            assert scene.glance.look(None, grown(z))
            long.add(z, axis)
        assert scene.state.samples == 2 * number * draw().shape[0]
        scene.account.add_gradient(number)
        long.add_gradient(number)  # a row without one would not be equal to itself
        assert scene.account.commit(number) == long.commit(number)
    for name in ("left", "right", "mean", "m2", "low", "high"):
        assert np.array_equal(getattr(scene.account.window, name), getattr(long.window, name))
    assert scene.state.cost > 0
    assert scene.state.busy == 0


@pytest.mark.parametrize("form", FORMS)
def test_the_gradient_that_comes_later_is_entered(form: str) -> None:
    draw, axis = FORMS[form]
    scene = Scene(grown(draw()), axis)
    z = grown(draw())
    assert scene.glance.look(None, z)
    weight = draw()
    (z * weight).sum().backward()
    if form == "every second row":  # it would have to be copied
        assert [gradient is not None for gradient in scene.left] == [True]
        return
    assert scene.left == []
    assert scene.gradient == pytest.approx(float(weight.double().norm()), rel=1e-6)  # the product is rounded once


LEAVES: dict[str, Callable[[], Tensor]] = {
    "fewer samples": lambda: grown(torch.randn(39, UNITS)),
    "other strides": lambda: torch.randn(UNITS, 40, requires_grad=True).T,
    "another type": lambda: grown(torch.randn(40, UNITS).double()),
    "integers": lambda: torch.ones(40, UNITS, dtype=torch.int32),
    "another axis": lambda: grown(torch.randn(1, 40, UNITS)),
    "a parameter": lambda: nn.Parameter(torch.randn(40, UNITS)),
    "no node": lambda: torch.randn(40, UNITS),
    "negated when read": lambda: torch.randn(40, UNITS, dtype=torch.complex64, requires_grad=True).conj().imag,
    "sparse": lambda: torch.randn(40, UNITS, requires_grad=True).to_sparse(),
    "without memory": lambda: torch._efficientzerotensor((40, UNITS)),  # pyright: ignore[reportPrivateUsage]
    "without data": lambda: torch.empty(40, UNITS, device="meta", requires_grad=True).view(40, UNITS),
}


@pytest.mark.parametrize("other", LEAVES)
def test_tensors_of_another_form_are_left_to_others(other: str) -> None:
    scene, z = Scene(grown(torch.randn(40, UNITS))), LEAVES[other]()
    assert not scene.glance.look(None, z)
    if other != "no node":
        scene.glance.hear(z if isinstance(z, nn.Parameter) else z.detach())
        assert len(scene.left) == 1
    scene.glance.hear(None)
    assert scene.left[-1] is None
    assert (scene.seen, scene.state.samples, scene.errors) == (0, 0, [])
    assert math.isnan(scene.gradient)


class Silent(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


class Still(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


def wait(scene: Scene) -> None:
    scene.state.waiting.append(None)


def take_histogram(scene: Scene) -> None:
    scene.state.takes_histogram = True


def drop(scene: Scene) -> None:
    scene.spot.trouble = "since step 1"


def work(scene: Scene) -> None:
    scene.state.busy = 1


def close(scene: Scene) -> None:
    scene.state.closed = True


@pytest.mark.parametrize("change", [wait, take_histogram, drop, work, close])
def test_nothing_is_read_where_something_is_unusual(change: Callable[[Scene], None]) -> None:
    scene, z = Scene(grown(torch.randn(40, UNITS))), torch.randn(40, UNITS)
    change(scene)
    assert not scene.glance.look(None, grown(z))
    scene.glance.hear(z)
    assert [gradient is z for gradient in scene.left] == [True]
    assert (scene.seen, scene.errors) == (0, [])
    assert math.isnan(scene.gradient)


@pytest.mark.parametrize("mode", [Silent, Still])
def test_nothing_is_asked_of_tensors_that_a_mode_of_the_script_would_see(mode: Callable[[], Any]) -> None:
    scene, z = Scene(grown(torch.randn(40, UNITS))), grown(torch.randn(40, UNITS))
    with mode():
        assert not scene.glance.look(None, z)
        scene.glance.hear(z)
    assert (scene.seen, len(scene.left)) == (0, 1)


def test_a_scaled_gradient_is_left_to_those_who_know_the_factor() -> None:
    scene = Scene(grown(torch.randn(40, UNITS)))
    scene.state.is_scaled = True
    scene.glance.hear(torch.ones(40, UNITS))
    assert len(scene.left) == 1


def test_another_owner_is_another_place() -> None:
    here, there = nn.ReLU(), nn.ReLU()
    scene, z = Scene(grown(torch.randn(40, UNITS)), owner=here), grown(torch.randn(40, UNITS))
    assert not scene.glance.look(there, z)
    assert not scene.glance.look(None, z)
    assert scene.glance.look(here, z)
    del here
    assert not scene.glance.look(there, z)
    assert not scene.glance.look(None, z)


def test_another_result_of_a_node_is_another_place() -> None:
    whole = torch.randn(2, 40, UNITS, requires_grad=True)
    first, second = whole.unbind(0)
    scene = Scene(first)
    assert scene.glance.look(None, first)
    assert not scene.glance.look(None, second)


def test_more_samples_than_32_bits_count_are_left_to_the_long_way() -> None:
    scene = Scene(grown(torch.ones(4, UNITS)))
    nothing, none, ones = np.zeros(UNITS), np.zeros(UNITS, np.int64), np.ones(UNITS)
    scene.account.add_sums(Sums(2**31 - 4, none, none, nothing, nothing, nothing, -ones, ones, 0))
    assert not scene.glance.look(None, grown(torch.ones(4, UNITS)))
    assert scene.seen == 2**31 - 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_reads_without_the_threads_of_its_parent() -> None:
    threads, z = torch.get_num_threads(), grown(torch.ones(50_000, UNITS))
    torch.set_num_threads(2)
    try:
        scene = Scene(z)
        assert scene.glance.look(None, z)
        child = os.fork()
        if child == 0:
            signal.alarm(30)  # lest it waits for threads that are not there
            os._exit(0 if scene.glance.look(None, z) and scene.seen == 100_000 else 1)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        torch.set_num_threads(threads)


class Raising(Spot):
    """A place at which something goes wrong."""

    def __init__(self, error: BaseException) -> None:
        self._error = error
        super().__init__()

    @property
    def trouble(self) -> str:
        raise self._error

    @trouble.setter
    def trouble(self, value: str) -> None: ...


def test_an_error_is_given_away() -> None:
    scene, z = Scene(grown(torch.randn(40, UNITS))), grown(torch.randn(40, UNITS))
    scene.spot = Raising(error := RuntimeError("no"))
    glance = scene.at(z, -1)
    assert glance.look(None, z)
    glance.hear(z.detach())
    assert scene.errors == [error, error]
    assert (scene.state.busy, scene.seen, scene.left) == (0, 0, [])


def test_an_interrupt_goes_on() -> None:
    scene, z = Scene(grown(torch.randn(40, UNITS))), grown(torch.randn(40, UNITS))
    scene.spot = Raising(KeyboardInterrupt())
    glance = scene.at(z, -1)
    for call in (lambda: glance.look(None, z), lambda: glance.hear(z.detach())):
        with pytest.raises(KeyboardInterrupt):
            call()
    assert (scene.state.busy, scene.errors) == (0, [])


@pytest.mark.parametrize("z", [torch.ones(1, 1, 1, 1, 1, 1, 1, 40, UNITS), torch.ones(40, UNITS, device="meta")])
def test_a_form_that_cannot_be_remembered_is_refused(z: Tensor) -> None:
    scene = Scene(grown(torch.ones(40, UNITS)))
    reading = reading_of(scene.account, torch.ones(40, UNITS), -1)
    assert reading is not None
    with pytest.raises(ValueError, match="expected a plain tensor in memory, of at most 8 axes"):
        Glance(
            scene.state,
            cast("Place", scene.spot),
            z,
            is_first=False,
            on_gradient=print,
            on_error=print,
            **reading._asdict(),
        )


def test_it_ends_with_all_that_hold_it() -> None:
    scene = Scene(grown(torch.randn(40, UNITS)))
    z = grown(torch.randn(40, UNITS))
    scene.glance.look(None, z)
    held: weakref.ref[Account | CompiledAccount] = weakref.ref(scene.account)
    scene.__dict__["self"] = scene  # a circle
    del scene
    gc.collect()
    assert held() is not None  # the graph will tell of its gradient
    del z
    gc.collect()
    assert held() is None


class Stage:
    """A follower of a root and an activation module below it."""

    def __init__(self) -> None:
        self.root, self.act, self.other = nn.Sequential(nn.ReLU()), nn.ReLU(), nn.Tanh()
        self.roots: list[nn.Module] = []
        self.unusual: list[tuple[str, Tensor, nn.Module, int]] = []
        self.scene = Scene(grown(torch.randn(40, UNITS)), owner=self.act)
        act = Role(self.act, is_root=False)
        act.activation = get("relu")
        act.glances.append(self.scene.glance)
        self.roles = {id(self.root): Role(self.root, is_root=True), id(self.act): act}
        self.follower = Follower(
            self.roles,
            lambda module, args: self.roots.append(module),
            lambda activation, z, module, call: self.unusual.append((activation.name, z, module, call)),
        )
        self.follower.is_open = self.follower.is_listening = True
        self.follower.thread = threading.get_ident()

    def run(self, z: Tensor, times: int = 1) -> None:
        self.follower.enter(self.root, (z,))
        for _ in range(times):
            self.follower.enter(self.act, (z,))


def test_what_modules_do_as_usual_is_read() -> None:
    stage = Stage()
    for _ in range(3):
        stage.run(grown(torch.randn(40, UNITS)))
    assert stage.roots == [stage.root] * 3
    assert (stage.follower.seen, stage.follower.calls, stage.follower.is_broken) == (3, 6, False)
    assert (stage.unusual, stage.scene.seen) == ([], 120)


def test_a_further_call_and_a_new_form_are_told() -> None:
    stage, z = Stage(), grown(torch.randn(40, UNITS))
    stage.run(z, times=2)
    other = grown(torch.randn(39, UNITS))
    stage.run(other)
    assert stage.unusual == [("relu", z, stage.act, 2), ("relu", other, stage.act, 1)]


def flip(stage: Stage) -> None:
    stage.act.eval()


def replace(stage: Stage) -> None:
    stage.roles[id(stage.act)] = Role(stage.other, is_root=False)


def forget(stage: Stage) -> None:
    del stage.roles[id(stage.act)]


def hand_over(stage: Stage) -> None:
    stage.act.register_forward_pre_hook(lambda module, args: (args[0] + 1,))


def scale_gradient(stage: Stage) -> None:
    stage.act.register_full_backward_hook(lambda module, inner, outer: (inner[0] * 2,))


def wrap(stage: Stage) -> None:
    stage.act.forward = lambda input: nn.functional.relu(input + 1)


def become_another(stage: Stage) -> None:
    stage.act.__class__ = nn.SiLU  # type: ignore[assignment]


@pytest.mark.parametrize("change", [flip, replace, forget, hand_over, scale_gradient, wrap, become_another])
def test_a_module_that_leaves_its_role_breaks_the_habit(change: Callable[[Stage], None]) -> None:
    stage = Stage()
    change(stage)
    stage.run(grown(torch.randn(40, UNITS)))
    assert stage.follower.is_broken
    assert (stage.follower.seen, stage.unusual) == (0, [])


def shut(stage: Stage) -> None:
    stage.follower.is_listening = False


def leave(stage: Stage) -> None:
    stage.follower.thread += 1


def end(stage: Stage) -> None:
    stage.follower.is_open = False


@pytest.mark.parametrize("change", [shut, leave, end])
def test_nothing_is_read_while_it_does_not_listen(change: Callable[[Stage], None]) -> None:
    stage = Stage()
    change(stage)
    stage.run(grown(torch.randn(40, UNITS)))
    assert (stage.follower.seen, stage.unusual, stage.scene.seen) == (0, [], 0)
    assert len(stage.roots) == (change is shut)


def test_a_call_that_needs_no_gradient_does_not_count() -> None:
    stage, z = Stage(), grown(torch.randn(39, UNITS))
    stage.follower.enter(stage.root, (z,))
    stage.follower.enter(stage.act, (z.detach(),))
    stage.follower.enter(stage.act, (z,))
    assert stage.unusual == [("relu", z, stage.act, 1)]


def test_nothing_is_read_without_gradients_or_arguments() -> None:
    stage = Stage()
    with torch.no_grad():
        stage.run(grown(torch.randn(40, UNITS)))
    stage.follower.enter(stage.act, ())
    assert (stage.follower.seen, stage.unusual) == (0, [])


def test_what_is_raised_for_a_root_goes_on() -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no")

    stage = Stage()
    follower = Follower(stage.roles, fail, fail)
    follower.is_open, follower.is_listening, follower.thread = True, True, stage.follower.thread
    with pytest.raises(RuntimeError, match="no"):
        follower.enter(stage.root, ())
    with pytest.raises(RuntimeError, match="no"):
        follower.enter(stage.act, (torch.ones(3, requires_grad=True),))


def test_a_role_that_ends_while_its_module_is_asked_for_its_mode_lives_on_until_then() -> None:
    stage = Stage()

    class Odd(nn.ReLU):
        def __getattribute__(self, name: str) -> Any:
            if name == "training" and stage.roles.pop(id(self), None) is not None:
                gc.collect()
            return super().__getattribute__(name)

    for _ in range(50):  # what was freed is soon written over
        odd, z = Odd(), grown(torch.randn(40, UNITS))
        role = Role(odd, is_root=False)
        role.activation = get("relu")
        stage.roles[id(odd)] = role
        del role
        stage.follower.enter(odd, (z,))
        assert id(odd) not in stage.roles
        assert stage.unusual.pop() == ("relu", z, odd, 1)
