"""Whatever a training does in steps that are not looked at: what is noted is what the long way enters."""

import random
from typing import Any

import pytest

from limen.probe import Budget, Probe, one_thread, stretches
from limen.probe.quick import COMPILED
from limen.probe.stretch import PlainStretch
from limen.vitals import Vitals
from tests.probe.scripts import ACTIONS, Training
from tests.probe.watching import bits

DENSE = 25  # steps that are looked at


class Sparse(Budget):
    """Looks at the first steps and at every 40th; steps between are noted, or each goes the long way."""

    def __init__(self, *, notes: bool) -> None:
        super().__init__(0.5)
        self.notes = notes
        self.steps = 0
        self.alarms: list[int] = []

    def looks_at(self, step: int, seconds: float) -> bool:
        return step <= DENSE or step % 40 == 0

    def idle_steps(self, step: int) -> int:
        return 40 - step % 40 if self.notes else 1

    def alarm(self, step: int) -> None:
        self.alarms.append(step)

    def account(self, looked: bool, cost: float, duration: float, steps: int = 1) -> None:
        self.steps += steps
        super().account(looked, cost, duration, steps)


def told(seed: int, *, notes: bool, limited: bool) -> tuple[Vitals, Sparse, list[bytes]]:
    def fail(error: Exception) -> None:
        raise error

    training, budget, chosen = Training(seed), Sparse(notes=notes), random.Random(seed)
    few = chosen.sample(ACTIONS, 4)
    probe = Probe(training.models[:1] if limited else None, budget, lambda step: None, fail, strict=True)
    for number in range(200):
        (Training.plain if number < 2 or chosen.random() < 0.7 else chosen.choice(few))(training)
    if training.pool is not None:
        training.pool.shutdown()
    probe.close()
    return probe.vitals(), budget, bits(weight for model in training.models for weight in model.parameters())


@pytest.mark.parametrize("limited", [False, True], ids=["all", "one model"])
@pytest.mark.parametrize("seed", range(16))
def test_what_is_noted_is_what_the_long_way_enters(seed: int, limited: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    compare(seed, limited, monkeypatch)


@pytest.mark.skipif(not COMPILED, reason="then it is so in any case")
@pytest.mark.parametrize("limited", [False, True], ids=["all", "one model"])
@pytest.mark.parametrize("seed", [0, 1, 2, 5, 6, 7])
def test_it_is_the_same_without_a_compiler(seed: int, limited: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made, plain = list[int](), stretches.PlainStretch

    def make(*args: Any, **kwargs: Any) -> PlainStretch:
        made.append(1)
        return plain(*args, **kwargs)

    monkeypatch.setattr(stretches, "COMPILED", False)
    monkeypatch.setattr(stretches, "PlainStretch", make)
    compare(seed, limited, monkeypatch)
    assert made


def compare(seed: int, limited: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold what is noted against what the long way enters of the same training."""

    def always(thread: int) -> bool:
        return True

    monkeypatch.setattr(one_thread, "is_idle", always)  # also where this one has yet to begin to wait
    (short, budget, weights), (long, other, same) = (
        told(seed, notes=notes, limited=limited) for notes in (True, False)
    )
    assert weights == same
    assert (short.step, short.looked, short.samples, short.notes) == (long.step, long.looked, long.samples, long.notes)
    assert budget.steps == other.steps == short.step
    assert budget.alarms == other.alarms
    assert len(short.losses) == len(long.losses)
    for mine, theirs in zip(short.losses, long.losses, strict=True):
        assert (mine.function, mine.optimiser) == (theirs.function, theirs.optimiser)
        assert mine.step.tolist() == theirs.step.tolist()
        assert mine.value.tobytes() == theirs.value.tobytes()
    for mine, theirs in zip(short.sites, long.sites, strict=True):
        assert mine.history.step.tolist() == theirs.history.step.tolist()
        assert mine.history.gradient.tobytes() == theirs.history.gradient.tobytes()
