"""Steps that are looked at and noted: how their batches are counted, when they are closed, and what is left alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from ctypes import PYFUNCTYPE, c_int, c_void_p, py_object, pythonapi
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from limen.probe.quick import COMPILED, Follower, Stretch
from tests.probe.quick.steps import FIRST, Steps, raises

pytestmark = pytest.mark.skipif(not COMPILED, reason="was not compiled here")


def seen(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Steps:
    return Steps(monkeypatch, "compiled", looking=True, **options)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return seen(monkeypatch)


def follower_of(steps: Steps) -> Follower:
    assert steps.follower is not None
    return steps.follower


def run(steps: Steps, *given: object) -> bool:
    """Whether the stretch counts a batch, rather than the probe."""
    before = len(steps.roots)
    follower_of(steps).enter(steps.module, given)
    return len(steps.roots) == before


def test_a_step_is_closed_before_it_is_counted(steps: Steps) -> None:
    assert steps.step()
    steps.optimiser.param_groups[0]["lr"] = 0.25
    assert run(steps, torch.ones(4, 2))
    assert steps.step(steps.loss(2.0))
    assert steps.closed == [FIRST, FIRST + 1]
    assert (steps.stretch.losses, steps.stretch.rates) == ([1.0, 2.0], [0.5, 0.25])
    assert steps.stretch.looking
    assert steps.is_free


def test_what_cannot_be_closed_in_the_usual_way_is_left_to_the_probe(steps: Steps) -> None:
    steps.is_usual = False
    assert not steps.step()
    assert steps.closed == [FIRST]
    assert (steps.stretch.losses, steps.stretch.rates, steps.surprise.entered) == ([], [], [])
    assert steps.stretch.in_update
    assert steps.is_free


@pytest.mark.parametrize("rate", [torch.tensor(0.5), 1], ids=["tensor", "integer"])
def test_a_rate_that_is_no_plain_number_is_left_to_the_probe(monkeypatch: pytest.MonkeyPatch, rate: Any) -> None:
    steps = seen(monkeypatch, rate=rate)
    assert not steps.step()
    assert (steps.closed, steps.stretch.losses) == ([], [])
    assert steps.is_free


@pytest.mark.parametrize("groups", [[], (), [1], [{}]], ids=repr)
def test_an_optimiser_without_a_rate_is_left_to_the_probe(steps: Steps, groups: Any) -> None:
    steps.optimiser.param_groups = groups
    assert not steps.step()
    assert (steps.closed, steps.stretch.losses) == ([], [])
    assert steps.is_free


def test_a_loss_that_stands_out_closes_nothing(steps: Steps) -> None:
    assert not steps.step(steps.loss(1e6))
    assert (steps.closed, steps.surprise.entered) == ([], [])


def test_a_backward_pass_without_a_forward_pass_is_left_to_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = seen(monkeypatch, ran=False)
    assert not steps.stretch.begins_backward(steps.loss())
    assert steps.stretch.begins_forward()
    assert steps.stretch.begins_backward(steps.loss())
    assert not steps.stretch.ran


def test_gradients_that_are_still_there_are_left_to_the_probe(steps: Steps) -> None:
    steps.weight.grad = torch.zeros(2)
    assert not steps.stretch.begins_backward(steps.loss())
    steps.weight.grad = None
    assert steps.stretch.begins_backward(steps.loss())
    assert steps.is_free


def test_a_parameter_that_is_gone_has_no_gradient(steps: Steps) -> None:
    loss = torch.ones((), requires_grad=True) * 1
    steps.optimiser.param_groups[0]["params"].clear()
    del steps.weight
    gc.collect()
    assert steps.step(loss)


def test_a_loss_elsewhere_is_left_to_the_probe(steps: Steps) -> None:
    assert not steps.stretch.begins_backward(torch.ones((), device="meta", requires_grad=True) * 2)
    assert steps.is_free


def test_nothing_is_listened_to_during_a_pass_or_an_update(steps: Steps) -> None:
    follower, heard = follower_of(steps), list[bool]()
    stretch = steps.stretch
    assert stretch.begins_backward(steps.loss())
    heard.append(follower.is_listening)
    assert run(steps, torch.ones(4, 2))  # again, for the gradients: that is no batch
    assert stretch.ends_backward()
    heard.append(follower.is_listening)
    assert stretch.begins_update(steps.optimiser)
    heard.append(follower.is_listening)
    assert run(steps, torch.ones(4, 2))
    assert stretch.ends_update(steps.optimiser)
    heard.append(follower.is_listening)
    assert heard == [False, True, False, True]
    assert (steps.state.batch, stretch.ran) == (0, False)


def test_what_did_not_listen_does_not_begin_to(steps: Steps) -> None:
    follower = follower_of(steps)
    follower.is_listening = False
    assert steps.step()
    assert not follower.is_listening


@pytest.mark.parametrize("what", ["close", "expects", "enter"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_lets_go(monkeypatch: pytest.MonkeyPatch, what: str, error: type[BaseException]) -> None:
    monkeypatch.setattr(Steps, "close", raises(error()) if what == "close" else Steps.close)
    steps = seen(monkeypatch)
    if what != "close":
        setattr(steps.surprise, what, raises(error()))
    if error is ValueError:
        assert not steps.step()
    else:
        with pytest.raises(KeyboardInterrupt):
            steps.step()
    assert steps.stretch.losses == []
    assert steps.is_free


# Batches -----------------------------------------------------------------------------------------------------


def test_batches_are_counted_by_their_first_axis(steps: Steps) -> None:
    assert run(steps, torch.ones(4, 2))
    assert run(steps, torch.ones(3, 2, 2), "more")
    assert (steps.state.batch, steps.stretch.ran) == (7, True)
    assert follower_of(steps).cost > 0


class Passes(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        return func(*args, **(kwargs or {}))


def lends_a_mode(steps: Steps) -> bool:
    with Passes():
        return run(steps, torch.ones(4, 2))


def without_gradients(steps: Steps) -> bool:
    with torch.no_grad():
        return run(steps, torch.ones(4, 2))


def in_another_mode(steps: Steps) -> bool:
    steps.module.eval()
    return run(steps, torch.ones(4, 2))


def ended(steps: Steps) -> bool:
    steps.stretch.end(0)
    return run(steps, torch.ones(4, 2))


def alone(steps: Steps) -> bool:
    del follower_of(steps).stretch
    return run(steps, torch.ones(4, 2))


def deaf(steps: Steps) -> bool:
    follower_of(steps).is_listening = False
    return run(steps, torch.ones(4, 2))


LEFT: dict[str, Callable[[Steps], bool]] = {
    "under a mode": lends_a_mode,
    "without gradients": without_gradients,
    "in evaluation": in_another_mode,
    "ended": ended,
    "no stretch": alone,
    "not listening": deaf,
    "no arguments": run,
    "a list": lambda steps: run(steps, [torch.ones(4, 2)]),
    "a scalar": lambda steps: run(steps, torch.ones(())),
    "an empty batch": lambda steps: run(steps, torch.ones(0, 2)),
    "on meta": lambda steps: run(steps, torch.ones(4, 2, device="meta")),
    "a parameter": lambda steps: run(steps, nn.Parameter(torch.ones(4, 2))),
    "negated": lambda steps: run(steps, torch.ones(4, 2, dtype=torch.complex64).conj().imag),
    "transformed": lambda steps: transformed(steps),
    "while others are transformed": lambda steps: while_others_are_transformed(steps),
}


def transformed(steps: Steps) -> bool:
    told = list[bool]()

    def ask(x: Tensor) -> Tensor:
        told.append(run(steps, x))
        return x.sum()

    torch.func.grad(ask)(torch.ones(4, 2))
    return told[0]


def while_others_are_transformed(steps: Steps) -> bool:
    told, x = list[bool](), torch.ones(4, 2)

    def ask(weight: Tensor) -> Tensor:
        told.append(run(steps, x))
        return weight.sum()

    torch.func.grad(ask)(torch.ones(4, 2))
    return told[0]


@pytest.mark.parametrize("way", LEFT)
def test_any_other_batch_is_the_concern_of_the_probe(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    steps = seen(monkeypatch, ran=False)
    assert not LEFT[way](steps)
    assert (steps.state.batch, steps.stretch.ran, len(steps.roots)) == (0, False, 1)


def test_another_module_is_the_concern_of_the_probe(steps: Steps) -> None:
    steps.stretch = again(steps, entry=weakref.ref(nn.Linear(2, 2)))
    follower_of(steps).stretch = steps.stretch
    assert not run(steps, torch.ones(4, 2))
    steps.stretch = again(steps, entry=None)
    follower_of(steps).stretch = steps.stretch
    assert not run(steps, torch.ones(4, 2))


class Wakes(nn.Module):
    """Ends the stretch when it is asked in which mode it is."""

    steps: Steps | None = None

    @property
    def training(self) -> bool:
        if self.steps is not None:
            self.steps.stretch.end(0)
            follower_of(self.steps).stretch = None
            del self.steps.stretch
        return True

    @training.setter
    def training(self, value: bool) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        pass


def test_a_stretch_that_ends_while_it_counts_leaves_the_batch_to_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Wakes()
    steps = seen(monkeypatch, entry=module)
    module.steps = steps
    assert not run(steps, torch.ones(4, 2))
    assert steps.state.batch == 0


# What it is made of ------------------------------------------------------------------------------------------


def again(steps: Steps, **changes: Any) -> Stretch:
    given: dict[str, Any] = {
        "looking": True, "ran": True, "longest": 1.0, "dispatch": 0.0, "clock": lambda: 0.0, "is_scaling": bool,
        "divisors_of": list, "is_of_a_signal": bool, "state": steps.state, "follower": steps.follower, "entry": None,
        "marks": [], "close": bool,
    }  # fmt: skip
    return Stretch(steps.optimiser, 0, 1, 1, cast("Any", steps.surprise), **{**given, **changes})


@pytest.mark.parametrize(
    ("name", "value"),
    [("follower", 1), ("entry", nn.Linear), ("marks", [1]), ("marks", ()), ("state", None), ("longest", "long")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_it_cannot_ask_is_refused_at_once(steps: Steps, name: str, value: object) -> None:
    with pytest.raises(TypeError):
        again(steps, **{name: value})


def test_an_error_of_the_clock_ends_with_that(steps: Steps) -> None:
    with pytest.raises(ValueError, match="no time"):
        again(steps, clock=raises(ValueError("no time")))
    with pytest.raises(TypeError):
        again(steps, clock=lambda: "late")


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf"), 1e300])
def test_nobody_waits_for_ever(steps: Steps, seconds: float) -> None:
    with pytest.raises(ValueError, match="expected seconds from 0 to 1e9"):
        steps.stretch.end(seconds)
    with pytest.raises(TypeError):
        steps.stretch.end("a second")  # type: ignore[arg-type]
    assert steps.is_free


@pytest.mark.parametrize("name", ["close", "clock", "divisors_of", "is_scaling", "is_of_a_signal"])
def test_it_ends_with_all_that_hold_it(steps: Steps, name: str) -> None:
    class Holds:
        stretch: Stretch

        def __call__(self, *_: object) -> float:
            return 0.0

    holds = Holds()
    holds.stretch = again(steps, **{name: holds})
    held = weakref.ref(holds)
    del holds
    gc.collect()
    assert held() is None


def test_it_keeps_no_optimiser(steps: Steps) -> None:
    assert steps.step()
    held = weakref.ref(steps.optimiser)
    del steps.optimiser
    gc.collect()
    assert held() is None
    assert steps.stretch.optimiser() is None
    assert not steps.stretch.begins_update(torch.optim.SGD([steps.weight]))


def test_notes_are_given_back(steps: Steps) -> None:
    for _ in range(3):
        assert run(steps, torch.ones(4, 2))
        assert steps.stretch.begins_backward(steps.loss() / 4)
        held = weakref.ref(steps.stretch.divisors[0])
        assert held() is not None
        assert steps.stretch.ends_backward()
        assert steps.stretch.begins_update(steps.optimiser)
        assert steps.stretch.ends_update(steps.optimiser)
        assert held() is None


def test_what_was_cleared_says_no(steps: Steps) -> None:
    """The collector of garbage clears all of a circle before the first of it goes."""
    slot = pythonapi.PyType_GetSlot
    slot.argtypes, slot.restype = [py_object, c_int], c_void_p
    clear = PYFUNCTYPE(c_int, py_object)(slot(Stretch, 51))  # Py_tp_clear
    stretch = steps.stretch
    assert clear(stretch) == 0
    assert not stretch.begins_forward()
    assert not stretch.begins_backward(steps.loss())
    assert stretch.ends_backward()
    assert not stretch.begins_update(steps.optimiser)
    assert not stretch.ends_update(steps.optimiser)
    assert not run(steps, torch.ones(4, 2))
    assert not stretch.end(0)
    with pytest.raises(AttributeError):
        assert stretch.losses
