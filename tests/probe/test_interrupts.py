"""An interrupt that a script goes on after, wherever it comes: limen goes on too, and never holds the training up."""

from __future__ import annotations

import dis
import importlib
import inspect
import sys
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limen.kernels import Ledger
from limen.probe import Budget, Probe, habit, optimiser_book, stretch, stretches
from limen.probe.site_book import SiteBook
from limen.probe.stretch import PlainStretch
from tests.probe.watching import watching

CHECKS = {dis.opmap[name] for name in ("CALL", "CALL_FUNCTION_EX", "RESUME", "JUMP_BACKWARD") if name in dis.opmap}
"""After these CPython looks for signals."""


class Interrupted(KeyboardInterrupt):
    """Comes at the n-th point of some functions at which CPython looks for signals."""

    def __init__(self, codes: set[CodeType], point: int) -> None:
        super().__init__()
        self._codes, self._left = codes, point
        self._last: dict[FrameType, int] = {}

    def hear(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        if frame.f_code not in self._codes:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._hear_each

    def _hear_each(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        if event == "opcode":
            before, now = self._last.get(frame), frame.f_lasti
            self._last[frame] = now
            if before is not None and frame.f_code.co_code[before] in CHECKS and caught(frame.f_code, before, now):
                self._left -= 1
                if not self._left:
                    raise self
        return self._hear_each

    @property
    def came(self) -> bool:
        return self._left <= 0


def caught(code: CodeType, before: int, now: int) -> bool:
    """Whether what is raised at two instructions is caught at the same place: a signal comes with the first of them."""
    parse: Any = vars(dis)["_parse_exception_table"]
    places = [next((entry.target for entry in parse(code) if entry.start <= at < entry.end), None)
              for at in (before, now)]  # fmt: skip
    return places[0] == places[1]


class Rarely(Budget):
    """Looks at every eighth step, after the first."""

    def __init__(self) -> None:
        super().__init__(0.5)

    def looks_at(self, step: int, seconds: float) -> bool:
        return step <= 14 or step % 8 == 0

    def idle_steps(self, step: int) -> int:
        return 8 - step % 8


class Training:
    """Of which steps are noted, be they looked at or not."""

    def __init__(self, budget: Budget) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 1))
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=1e-4)
        self.errors = list[Exception]()
        budget.alarm = lambda step: None  # type: ignore[method-assign]
        self.probe = Probe(None, budget, lambda step: None, self.errors.append)
        self.loss = 0.0

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.optimiser.zero_grad()
            loss = self.model(torch.randn(4, 5)).square().mean()
            loss.backward()
            self.optimiser.step()
            self.loss = float(loss.detach())

    def check(self, *, dense: bool) -> None:
        """Hold what is told of the last steps against what happened."""
        self.run(20)
        step = self.probe.vitals().step
        self.run(20)
        vitals = self.probe.vitals()
        (site,), (losses,) = vitals.sites, vitals.losses
        assert self.errors == []
        assert vitals.step == step + 20
        assert losses.value[-1] == pytest.approx(self.loss, rel=1e-6)
        assert site.history.step[-1] >= (vitals.step if dense else vitals.step - 8)
        assert site.history.samples[-3:].tolist() == [4, 4, 4]
        assert not site.history.gradient[-3:].astype(str).tolist().count("nan")
        assert self.probe.state.busy == 0
        self.run(1)


def codes_of(*places: Any) -> set[CodeType]:
    """The functions of classes, with those inside of them."""
    functions = [value for place in places for value in vars(place).values() if isinstance(value, FunctionType)]
    found = {function.__code__ for function in [*functions, *map(inspect.unwrap, functions)]}
    return found | {inner for code in found for inner in code.co_consts if isinstance(inner, CodeType)}


PLACES: dict[str, set[CodeType]] = {
    "what is noted": codes_of(PlainStretch),
    "the sites": codes_of(SiteBook, Ledger),
    "the probe": codes_of(Probe),  # with what guards its methods
}


@pytest.mark.skipif(not hasattr(dis, "_parse_exception_table"), reason="tells where exceptions are caught")
@pytest.mark.skipif(sys.gettrace() is not None, reason="traces itself")
@pytest.mark.parametrize(
    ("place", "dense"),
    [(place, dense) for place in PLACES for dense in (True, False) if not (dense and place == "what is noted")],
)
def test_the_watch_goes_on_after_an_interrupt(place: str, dense: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(habit, "LEARNT", 12)
    monkeypatch.setattr(stretches, "LONGEST", 1e9)
    if place == "what is noted":  # in C no signal comes in between, and what is looked at is only noted there
        monkeypatch.setattr(stretches, "COMPILED", False)
        monkeypatch.setattr(stretch, "LONGEST", 1e9)
    monkeypatch.setattr(optimiser_book, "GAPS", ((10, 0), (12, 4)))
    training, point, misses = Training(Budget(None) if dense else Rarely()), 1, 0
    training.run(60)
    while misses < 21:  # steps of a habit come in eights and rows are taken at every twentieth
        interrupt = Interrupted(PLACES[place], point)
        sys.settrace(interrupt.hear)
        try:
            training.run(1)
        except Interrupted:
            pass
        finally:
            sys.settrace(None)
        if interrupt.came:
            training.check(dense=dense)
        misses = 0 if interrupt.came else misses + 1
        point += interrupt.came
        if training.probe.step > 900:
            training.probe.close()
            training = Training(Budget(None) if dense else Rarely())
            training.run(60)
    training.probe.close()
    assert point > 5


def stops(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("grad", [True, False], ids=["training", "validation"])
@pytest.mark.parametrize("first", [20, 70], ids=["seen in full", "followed"])
def test_a_forward_pass_that_was_interrupted_is_over(first: int, grad: bool) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 1))
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-4)

    def train(steps: int) -> None:
        for _ in range(steps):
            optimiser.zero_grad()
            model(torch.randn(4, 5)).square().mean().backward()
            optimiser.step()

    with watching(model) as probe:
        train(first)
        handle = model[2].register_forward_pre_hook(stops)
        with torch.set_grad_enabled(grad), pytest.raises(KeyboardInterrupt):
            model(torch.randn(4, 5))
        handle.remove()
        train(100)
        vitals = probe.vitals()
    assert vitals.losses[0].step.tolist() == [*range(1, first + 101)]
    assert vitals.sites[0].history.step.tolist() == [*range(1, first + 101)]
    assert vitals.samples == 4 * (first + 100 + grad)


class Folded(nn.Module):
    """Calls itself."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.act = nn.Linear(5, 5), nn.ReLU()

    def forward(self, x: Tensor, depth: int = 2) -> Tensor:
        z = self.act(self.layer(x))
        return self(z, depth - 1) if depth else z


def test_a_module_that_calls_itself_is_given_one_batch() -> None:
    model = Folded()
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-4)
    with watching(model) as probe:
        for _ in range(20):
            optimiser.zero_grad()
            model(torch.randn(4, 5)).square().mean().backward()
            optimiser.step()
    assert probe.vitals().samples == 80


def functions_of(room: str, *files: str) -> set[CodeType]:
    """All that is written in some files."""
    found, modules = set[CodeType](), [importlib.import_module(f"limen.{room}.{file}") for file in files]
    for one in modules:
        own = [value for value in vars(one).values() if getattr(value, "__module__", "") == one.__name__]
        places = [one, *(value for value in own if isinstance(value, type))]
        values = [value for place in places for value in vars(place).values()]
        bare = [getattr(value, "fget", None) or getattr(value, "__func__", value) for value in values]
        waiting = [inspect.unwrap(value).__code__ for value in bare if isinstance(value, FunctionType)]
        while waiting:
            found.add(code := waiting.pop())
            waiting += [inner for inner in code.co_consts if isinstance(inner, CodeType)]
    return {code for code in found if code.co_filename in {one.__file__ for one in modules}}


ROOMS: dict[str, set[CodeType]] = {
    "the parameters": functions_of(
        "probe", "parameter_record", "optimiser_book", "updates", "clearing", "untrained", "rows"
    )
    | functions_of("kernels", "compiled_samples"),
    "the program": functions_of("probe", "program_book", "norm_record", "batch_record", "gates"),
    "the losses": functions_of("probe", "loss_record", "output_record", "parts", "surprise"),
    "the names": functions_of("probe", "directory", "identity", "leaves"),
    "the sites": functions_of("probe", "site_book", "site_record", "site_reader", "meter", "rows"),
    "the accounts": functions_of("kernels", "account", "compiled_account", "compiled_pass", "ledger", "silence"),
    "the probe": functions_of("probe", "probe", "backlog", "stretches"),
}
LAST = {"the parameters": (1, 4, 6), "the program": (1, 5), "the names": (1,)}
"""Steps in which the interrupt comes: the first, and those at which something is read or looked through."""
EVERY = 19  # of the points of a step, of which there are hundreds


class Stack(Training):
    """Of whose layers, normalisations and dropouts something is to be told."""

    def __init__(self) -> None:
        super().__init__(Budget(None))
        self.probe.close()
        layers = (nn.Linear(5, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.1), nn.Linear(6, 6), nn.Linear(6, 1))
        self.model = nn.Sequential(*layers)
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=1e-4)
        self.probe = Probe(None, Budget(None), lambda step: None, self.errors.append)


def is_true(training: Training) -> bool:
    """Whether all that is told of parameters is what happened: no row twice, no update but those of SGD."""
    vitals, (rate,) = training.probe.vitals(), {group["lr"] for group in training.optimiser.param_groups}
    for parameter in vitals.parameters:
        history = parameter.history
        moved, known = history.update * history.weight, np.isfinite(history.update)
        # An update whose step was not counted, since the interrupt came in between, has the number of the next
        assert (np.diff(history.step) >= 0).all()
        assert (np.diff(history.step) == 0).sum() <= 1
        assert (history.step <= vitals.step + 1).all()
        # A weight may be off by 0.5 %, and the sample of its update by the rounding of float32
        np.testing.assert_allclose(moved[known], rate * history.gradient[known], rtol=2e-2, atol=1e-7)
        assert (~known & (history.weight != 0.0)).sum() <= 1  # of the step that was interrupted
    return True


def interrupted(training: Training, codes: set[CodeType], point: int, steps: int = 1) -> bool:
    """Whether there was such a point."""
    interrupt = Interrupted(codes, point)
    sys.settrace(interrupt.hear)
    try:
        training.run(steps)
    except Interrupted:
        pass
    finally:
        sys.settrace(None)
    return interrupt.came


@pytest.mark.skipif(not hasattr(dis, "_parse_exception_table"), reason="tells where exceptions are caught")
@pytest.mark.skipif(sys.gettrace() is not None, reason="traces itself")
@pytest.mark.parametrize("after", [0, 3], ids=["ends", "goes on"])
@pytest.mark.parametrize(("place", "last"), [(place, last) for place in ROOMS for last in LAST.get(place, (1, 2))])
def test_what_an_interrupted_watch_tells_is_what_happened(
    place: str, last: int, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimiser_book, "GAPS", ((2, 0), (100, 4)))
    point, came = 1 - EVERY, True
    while came:
        point += EVERY
        training = Stack()
        training.run(last - 1)
        came = interrupted(training, ROOMS[place], point)
        training.run(after)
        training.probe.close()
        vitals = training.probe.vitals()
        assert training.errors == []
        assert vitals.notes == ()
        assert vitals.step in (last + after - 1, last + after)
        assert is_true(training)
        assert len(vitals.optimisers) <= 1
        if after:
            names = [name for name, _ in training.model.named_parameters()]
            assert [one.parameter.name for one in vitals.parameters] == names
            assert [one.site.name for one in vitals.sites] == ["2"]
            assert set(vitals.sites[0].history.samples[-2:].tolist()) == {4}
            assert vitals.losses[0].value[-1] == pytest.approx(training.loss, rel=1e-6)
    assert point > 5


class WithinLimen(Interrupted):
    """Comes only in what limen calls."""

    def hear(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        caller = frame.f_back
        while caller is not None and not str(caller.f_globals.get("__name__")).startswith("limen."):
            caller = caller.f_back
        return None if caller is None else super().hear(frame, event, argument)


@pytest.mark.skipif(not hasattr(dis, "_parse_exception_table"), reason="tells where exceptions are caught")
@pytest.mark.skipif(sys.gettrace() is not None, reason="traces itself")
def test_an_interrupt_while_limen_needs_no_gradients_leaves_those_of_the_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(optimiser_book, "GAPS", ((2, 0), (100, 4)))
    context = torch.no_grad()
    codes = {getattr(type(context), name).__code__ for name in ("__init__", "__enter__", "__exit__")}
    codes.add(inspect.unwrap(torch.no_grad()(context.clone), stop=lambda _: True).__code__)  # as a decorator
    point, came = -2, True
    while came:
        point += 3
        training = Stack()
        training.run(2)
        interrupt = WithinLimen(codes, point)
        sys.settrace(interrupt.hear)
        try:
            training.run(4)
        except Interrupted:
            pass
        finally:
            sys.settrace(None)
        is_enabled, came = torch.is_grad_enabled(), interrupt.came
        torch.set_grad_enabled(True)
        training.probe.close()
        assert is_enabled, point
    assert point > 20
