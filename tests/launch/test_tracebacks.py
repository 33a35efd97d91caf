"""After an interrupt, wherever it comes, the traceback is one that the training alone may have."""

import signal
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

import pytest
import torch
from torch import nn

from limen.launch.tracebacks import PACKAGE, clean
from limen.probe import Budget, Probe

EVERY = 7  # of the calls, of which there are thousands
STAND_INS = ("tapped", "__torch_function__")  # call functions of the training


class Interrupted(KeyboardInterrupt):
    """Comes with the n-th call of a Python function by one of limen's."""

    def __init__(self, call: int) -> None:
        super().__init__()
        self.left = call

    def hear(self, frame: FrameType, event: str, argument: Any) -> None:
        caller = None if frame.f_back is None else frame.f_back.f_code
        if caller is not None and caller.co_filename.startswith(PACKAGE) and caller.co_name not in STAND_INS:
            self.left -= 1
            if not self.left:
                raise self


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(5, 6), nn.LayerNorm(6), nn.Linear(6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.norm(nn.functional.gelu(self.first(x)))))


def training() -> Callable[[], None]:
    torch.manual_seed(0)
    net = Net()
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad()
        net(torch.randn(4, 5)).square().mean().backward()
        optimiser.step()

    return step


def stacks_of(step: Callable[[], None]) -> set[tuple[CodeType, ...]]:
    """All calls that a step makes, with those that lead there."""
    found = set[tuple[CodeType, ...]]()

    def hear(frame: FrameType | None, event: str, argument: Any) -> None:
        codes: list[CodeType] = []
        while frame is not None:
            codes.append(frame.f_code)
            frame = None if frame.f_code is step.__code__ else frame.f_back
        found.add(tuple(reversed(codes)))

    sys.settrace(hear)
    try:
        step()
    finally:
        sys.settrace(None)
    return found


def left_of(error: BaseException, step: Callable[[], None]) -> tuple[CodeType, ...]:
    """What stands in a traceback from the step on, once it is clean."""
    clean(error)
    codes: list[CodeType] = []
    trace = error.__traceback__
    while trace is not None:
        codes.append(trace.tb_frame.f_code)
        trace = trace.tb_next
    return tuple(codes[codes.index(step.__code__) :])


def without_tracer(error: BaseException) -> None:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and trace.tb_next.tb_next is not None:
        trace = trace.tb_next
    if trace is not None:
        trace.tb_next = None


@pytest.fixture
def probe() -> Iterator[Probe]:
    probe = Probe(None, Budget(None), lambda step: None, lambda error: None)
    yield probe
    probe.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # met by a generator that is let go
@pytest.mark.skipif(sys.gettrace() is not None, reason="traces itself")
def test_nothing_but_the_training_is_left_of_the_traceback_of_an_interrupt(probe: Probe) -> None:
    step = training()
    step()
    probe.close()
    alone = stacks_of(step)
    call, came = 0, True
    while came:
        call += EVERY
        step = training()
        fresh = Probe(None, Budget(None), lambda step: None, lambda error: None)
        interrupt = Interrupted(call)
        sys.settrace(interrupt.hear)
        try:
            step()
        except Interrupted as error:
            sys.settrace(None)
            without_tracer(error)
            left = left_of(error, step)
            assert left in alone, [code.co_qualname for code in left]
        finally:
            sys.settrace(None)
            fresh.close()
        came = interrupt.left <= 0
    assert call > 100


def test_the_handler_of_a_signal_stays_in_the_traceback(probe: Probe) -> None:
    class TimeOut(Exception): ...

    def handler(number: int, frame: FrameType | None) -> None:
        raise TimeOut

    def hear(frame: FrameType, event: str, argument: Any) -> None:
        if frame.f_code.co_name == "read_input":
            sys.settrace(None)
            signal.raise_signal(signal.SIGUSR1)

    step, before = training(), signal.signal(signal.SIGUSR1, handler)
    sys.settrace(hear)
    try:
        with pytest.raises(TimeOut) as caught:
            step()
        left = left_of(caught.value, step)
    finally:
        sys.settrace(None)
        signal.signal(signal.SIGUSR1, before)
    assert left[-1] is handler.__code__
