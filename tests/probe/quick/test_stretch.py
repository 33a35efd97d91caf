"""Steps that are noted, and all that is not: both classes say the same of steps that are not looked at."""

import math
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from limen.probe.quick import COMPILED, Stretch
from limen.probe.stretch import DISPATCH, LONGEST
from tests.probe.quick.steps import MOST, Steps

KINDS = ["plain", pytest.param("compiled", marks=pytest.mark.skipif(not COMPILED, reason="was not compiled here"))]


@pytest.fixture(params=KINDS)
def steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch, request.param)


def elsewhere(ask: Callable[[], bool]) -> bool:
    """What another thread is told."""
    told = list[bool]()
    thread = threading.Thread(target=lambda: told.append(ask()))
    thread.start()
    thread.join()
    return told[0]


def test_a_step_is_noted_at_each_of_its_turns(steps: Steps) -> None:
    stretch = steps.stretch
    assert stretch.optimiser() is steps.optimiser
    assert (stretch.number, stretch.looking, stretch.ran, stretch.passed) == (7, False, True, False)
    assert (stretch.losses, stretch.rates, stretch.pending, list(stretch.divisors)) == ([], [], None, [])
    began = stretch.last
    assert stretch.begins_forward() is False
    assert stretch.begins_backward(steps.loss(3.0) / 4) is True
    assert (stretch.in_backward, stretch.passed, stretch.ran) == (True, True, False)
    assert stretch.pending == 0.75
    assert [float(divisor) for divisor in stretch.divisors] == [4.0, 2.0]
    assert stretch.ends_backward() is True
    assert stretch.begins_update(steps.optimiser) is True
    assert (stretch.in_backward, stretch.in_update) == (False, True)
    assert stretch.ends_update(steps.optimiser) is True
    assert (stretch.losses, stretch.rates, stretch.pending, list(stretch.divisors)) == ([0.75], [], None, [])
    assert stretch.in_update is False
    assert steps.surprise.entered == [0.75]
    assert stretch.cost > DISPATCH
    assert stretch.last > began
    assert steps.is_free


def test_steps_are_noted_as_many_as_may_be(steps: Steps) -> None:
    assert [steps.step(steps.loss(value)) for value in (1.0, 2.0, 3.0)] == [True] * MOST
    assert steps.stretch.losses == [1.0, 2.0, 3.0]
    assert steps.step() is False
    assert (steps.stretch.losses, steps.stretch.pending, steps.stretch.in_update) == ([1.0, 2.0, 3.0], 1.0, False)


def test_a_step_may_have_no_backward_pass(steps: Steps) -> None:
    assert steps.stretch.begins_update(steps.optimiser)
    assert steps.stretch.ends_update(steps.optimiser)
    assert (steps.stretch.losses, steps.surprise.entered, steps.stretch.passed) == ([None], [], False)


NUMBERS: dict[str, tuple[Callable[[Tensor], object], float]] = {
    "of no axes": (lambda loss: loss, 1.0),
    "of two axes": (lambda loss: loss.reshape(1, 1), 1.0),
    "in double precision": (lambda loss: loss.double() + 1e-12, 1 + 1e-12),
    "in half precision": (lambda loss: loss.half() / 3, float(torch.tensor(1 / 3).half())),
    "in bfloat16": (lambda loss: loss.bfloat16() / 3, float(torch.tensor(1 / 3).bfloat16())),
    "from no node": (lambda loss: loss.detach() * 2, 2.0),
    "not a number": (lambda loss: loss * float("nan"), float("nan")),
    "infinite": (lambda loss: -loss / 0.0, -float("inf")),
    "one of many": (lambda loss: (loss * torch.arange(6.0))[4], 4.0),
}


@pytest.mark.parametrize("form", NUMBERS)
def test_a_loss_is_the_number_that_item_tells(steps: Steps, form: str) -> None:
    root, value = NUMBERS[form]
    assert steps.stretch.begins_backward(root(steps.loss()))
    found = steps.stretch.pending
    assert type(found) is float
    assert found == value or (math.isnan(found) and math.isnan(value))
    assert steps.is_free


def test_a_loss_elsewhere_than_in_memory_is_not_waited_for(steps: Steps) -> None:
    assert steps.step(torch.ones((), device="meta", requires_grad=True) * 2)
    assert steps.stretch.losses == [None]


class Watched(Tensor):
    pass


OTHERS: dict[str, Callable[[Tensor], object]] = {
    "several numbers": lambda loss: loss.expand(2),
    "no number": lambda loss: loss.reshape(1)[:0],
    "an integer": lambda loss: loss.detach().long(),
    "a truth": lambda loss: loss.detach().bool(),
    "complex": lambda loss: loss.to(torch.complex64),
    "a parameter": lambda loss: nn.Parameter(loss.detach()),
    "of another class": lambda loss: loss.as_subclass(Watched),
    "a list": lambda loss: [loss],
    "nothing": lambda loss: None,
}


@pytest.mark.parametrize("form", OTHERS)
def test_what_is_no_plain_number_is_left_to_the_probe(steps: Steps, form: str) -> None:
    root = OTHERS[form](steps.loss())
    assert steps.stretch.begins_backward(root) is False
    assert (steps.stretch.pending, steps.stretch.in_backward, steps.stretch.passed) == (None, False, False)
    assert steps.stretch.ran
    assert steps.is_free


@pytest.mark.skipif(not COMPILED, reason="was not compiled here")
def test_a_loss_that_is_negated_when_read_is_only_left_to_the_probe_where_its_memory_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = torch.tensor(1 + 2j, requires_grad=True).conj().imag
    assert root.is_neg()
    plain, compiled = Steps(monkeypatch, "plain"), Steps(monkeypatch, "compiled")
    assert plain.stretch.begins_backward(root)
    assert plain.stretch.pending == -2.0
    assert not compiled.stretch.begins_backward(root)
    assert compiled.is_free


class Counts(TorchFunctionMode):
    """Sees what is asked of tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.calls += 1
        return func(*args, **(kwargs or {}))


class Dispatches(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        return func(*args, **(kwargs or {}))


def test_a_mode_of_the_script_sees_nothing_of_it(steps: Steps) -> None:
    loss = steps.loss() / 4
    with Counts() as mode:
        steps.stretch.begins_backward(loss)
        assert mode.calls == 0
    assert steps.is_free


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace.* is deprecated")
def test_what_does_not_compute_here_and_now_is_left_to_the_probe(steps: Steps) -> None:
    noted = list[bool]()

    def ask(x: Tensor) -> Tensor:
        noted.append(steps.stretch.begins_backward(x))
        return x * 2

    with Dispatches():
        ask(steps.loss())
    torch.func.grad(ask)(steps.loss().detach())
    torch.func.vmap(ask)(torch.ones(3))
    torch.jit.trace(ask, steps.loss().detach(), check_trace=False)
    assert noted == [False] * 4
    assert steps.stretch.pending is None
    assert steps.is_free


def disturb(steps: Steps) -> None:
    steps.stretch.disturbed = True


def end(steps: Steps) -> None:
    assert steps.stretch.end(0)


@pytest.mark.parametrize("change", [disturb, end])
def test_nothing_is_noted_once_it_is_disturbed_or_over(steps: Steps, change: Callable[[Steps], None]) -> None:
    change(steps)
    assert not steps.stretch.begins_backward(steps.loss())
    assert not steps.stretch.begins_update(steps.optimiser)
    assert (steps.stretch.passed, steps.stretch.in_update, steps.stretch.losses) == (False, False, [])
    assert steps.is_free is (change is disturb)


def test_a_pass_in_which_it_ends_is_told_of(steps: Steps) -> None:
    assert steps.stretch.begins_backward(steps.loss())
    end(steps)
    assert not steps.stretch.ends_backward()
    assert steps.stretch.in_backward  # for whoever ended it


def test_an_update_in_which_it_ends_is_told_of(steps: Steps) -> None:
    assert steps.stretch.begins_update(steps.optimiser)
    end(steps)
    assert not steps.stretch.ends_update(steps.optimiser)
    assert (steps.stretch.in_update, steps.stretch.losses) == (True, [])


def test_another_thread_is_told_that_nothing_was_noted(steps: Steps) -> None:
    stretch, loss = steps.stretch, steps.loss()
    assert not elsewhere(lambda: stretch.begins_backward(loss))
    assert not elsewhere(lambda: stretch.begins_update(steps.optimiser))
    assert stretch.begins_backward(loss)
    assert elsewhere(stretch.ends_backward)  # which the probe hears of at the end of the pass that it was told of
    assert stretch.in_backward
    assert stretch.ends_backward()
    assert stretch.begins_update(steps.optimiser)
    assert not elsewhere(lambda: stretch.ends_update(steps.optimiser))
    assert stretch.ends_update(steps.optimiser)
    assert stretch.losses == [1.0]


def test_the_steps_of_another_optimiser_are_left_to_the_probe(steps: Steps) -> None:
    other = torch.optim.SGD([steps.weight], lr=0.1)
    assert not steps.stretch.begins_update(other)
    assert steps.stretch.begins_update(steps.optimiser)
    assert not steps.stretch.ends_update(other)
    assert steps.stretch.in_update
    assert steps.is_free


def test_neither_passes_nor_updates_overlap(steps: Steps) -> None:
    stretch = steps.stretch
    assert not stretch.ends_update(steps.optimiser)
    assert stretch.begins_backward(steps.loss())
    assert not stretch.begins_backward(steps.loss(2.0))
    assert not stretch.begins_update(steps.optimiser)
    assert stretch.ends_backward()
    assert not stretch.begins_backward(steps.loss(2.0))  # a second one in the step
    assert stretch.begins_update(steps.optimiser)
    assert not stretch.begins_update(steps.optimiser)
    assert not stretch.begins_backward(steps.loss(2.0))
    assert stretch.pending == 1.0
    assert stretch.ends_update(steps.optimiser)
    assert stretch.losses == [1.0]
    assert steps.is_free


def test_a_hook_that_begins_another_pass_finds_that_one_goes_on(steps: Steps) -> None:
    stretch, loss, noted = steps.stretch, steps.loss(), list[bool]()

    def begin(gradient: Tensor) -> None:
        noted.append(stretch.begins_backward(steps.loss(2.0)))

    loss.register_hook(begin)
    assert stretch.begins_backward(loss)
    loss.backward()
    assert stretch.ends_backward()
    assert (noted, stretch.pending) == ([False], 1.0)


@pytest.mark.parametrize("late", [False, True])
def test_a_step_that_comes_late_is_told_of(steps: Steps, late: bool) -> None:
    stretch = steps.stretch
    steps.time = stretch.last + (1.001 if late else 0.999) * LONGEST
    assert steps.step() is not late
    assert (stretch.in_update, stretch.losses) == ((True, []) if late else (False, [1.0]))
    assert steps.is_free


@pytest.mark.parametrize("value", [1e6, float("nan")])
def test_a_loss_that_stands_out_is_told_of(steps: Steps, value: float) -> None:
    assert not steps.step(steps.loss(value))
    assert (steps.stretch.losses, steps.surprise.entered, steps.stretch.in_update) == ([], [], True)
    assert steps.is_free


def test_it_ends_once(steps: Steps) -> None:
    assert steps.step()
    assert steps.stretch.end(0) is True
    assert steps.stretch.over
    assert steps.stretch.end(0) is False
    assert elsewhere(lambda: steps.stretch.end(0)) is False
    assert steps.stretch.losses == [1.0]


def test_who_wants_it_to_end_waits_for_what_is_being_noted(steps: Steps) -> None:
    threads, ended = list[threading.Thread](), list[bool]()

    def begin(value: float) -> bool:
        threads.append(threading.Thread(target=lambda: ended.append(steps.stretch.end(10))))
        threads[0].start()
        threads[0].join(0.05)
        assert ended == []
        return True

    steps.surprise.expects = begin  # type: ignore[method-assign]
    assert steps.step()
    threads[0].join()
    assert (ended, steps.stretch.over, steps.stretch.losses) == ([True], True, [1.0])


def test_what_is_being_noted_does_not_end_itself(steps: Steps) -> None:
    """As a signal handler may want, which waited for itself."""
    told = list[bool]()

    def ask(value: float) -> bool:
        began = time.perf_counter()
        told.append(steps.stretch.end(1.0))
        told.append(steps.stretch.begins_backward(steps.loss()))
        told.append(steps.stretch.end(1.0))
        assert time.perf_counter() - began < 0.5
        return True

    steps.surprise.expects = ask  # type: ignore[method-assign]
    assert steps.step()
    assert told == [False] * 3
    assert steps.stretch.losses == [1.0]
    assert steps.stretch.end(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_ends_nothing(steps: Steps) -> None:
    child = os.fork()
    if child == 0:
        os._exit(int(steps.stretch.end(0)))
    assert os.waitpid(child, 0)[1] == 0
    assert steps.stretch.end(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_in_the_midst_of_a_pass_has_nobody_to_tell_of_its_end_nor_to_wait_for(steps: Steps) -> None:
    assert steps.stretch.begins_backward(steps.loss())
    end(steps)
    child = os.fork()
    if child == 0:
        os._exit(int(not steps.stretch.ends_backward()))
    assert os.waitpid(child, 0)[1] == 0
    assert not steps.stretch.ends_backward()


def fails_of_limen(_: object) -> bool:
    raise ValueError("of limen")


def fails_of_the_script(_: object) -> bool:
    signal.raise_signal(signal.SIGUSR1)
    return True


def is_interrupted(_: object) -> bool:
    raise KeyboardInterrupt


@pytest.fixture
def handled() -> object:
    def handler(*_: object) -> None:
        raise RuntimeError("of the script")

    before = signal.signal(signal.SIGUSR1, handler)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("method", ["expects", "enter"])
@pytest.mark.usefixtures("handled")
def test_only_errors_of_limen_are_kept_from_the_training(steps: Steps, method: str) -> None:
    setattr(steps.surprise, method, fails_of_limen)
    assert not steps.step()
    assert (steps.stretch.losses, steps.stretch.in_update) == ([], True)
    setattr(steps.surprise, method, fails_of_the_script)
    with pytest.raises(RuntimeError, match="of the script"):
        steps.stretch.ends_update(steps.optimiser)
    setattr(steps.surprise, method, is_interrupted)
    with pytest.raises(KeyboardInterrupt):
        steps.stretch.ends_update(steps.optimiser)
    assert steps.stretch.losses == []
    assert steps.is_free


@pytest.mark.skipif(not COMPILED, reason="was not compiled here")
def test_one_that_was_never_begun_notes_nothing() -> None:
    bare = Stretch.__new__(Stretch)
    assert not bare.begins_backward(torch.ones(()))
    assert not bare.begins_update(torch.optim.SGD([torch.ones(1)]))
    assert not bare.ends_update(torch.optim.SGD([torch.ones(1)]))
    assert not bare.begins_forward()
    assert not bare.end(0)
