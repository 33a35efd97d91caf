"""An interrupt that a script goes on after, wherever it comes: limen goes on too, and never holds the training up."""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType
from typing import Any

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
