"""What waits for a device is entered later, in order, and comes to the same."""

import numpy as np
import pytest
import torch
from torch import nn

from limen.kernels import Fetched
from limen.probe import Budget, Probe
from limen.probe.backlog import Backlog
from limen.probe.meter import Meter
from limen.vitals import Vitals
from tests.probe import styles


class Late(Fetched):
    """Numbers that take their time."""

    arrived = False

    @property
    def has_arrived(self) -> bool:
        return self.arrived


def late() -> Late:
    return Late(torch.zeros(1))


def test_while_nothing_is_on_its_way_everything_is_done_at_once() -> None:
    done: list[int] = []
    Backlog().do(lambda: done.append(1))
    assert done == [1]


def test_what_comes_after_something_on_its_way_waits_for_it() -> None:
    done: list[int] = []
    backlog, first, second = Backlog(), late(), late()
    backlog.do(lambda: done.append(1), first)
    backlog.do(lambda: done.append(2))
    backlog.do(lambda: done.append(3), second)
    second.arrived = True
    backlog.drain()
    assert done == []
    first.arrived = True
    backlog.drain()
    assert (done, len(backlog)) == ([1, 2, 3], 0)


def test_one_can_wait_for_everything() -> None:
    done: list[int] = []
    backlog = Backlog()
    backlog.do(lambda: done.append(1), late())
    backlog.drain(wait=True)
    assert done == [1]


def trained() -> Vitals:
    torch.manual_seed(0)
    x, y = styles.data()
    model = nn.Sequential(nn.Linear(styles.FEATURES, 8), nn.ReLU(), nn.Linear(8, styles.CLASSES))
    probe = Probe(None, Budget(None), lambda step: None, lambda error: None)
    styles.fit(model, torch.optim.SGD(model.parameters(), 0.1), x, y, steps=30)
    probe.close()
    return probe.vitals()


def test_a_training_whose_numbers_come_late_is_seen_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = trained()
    asked: list[int] = []

    def arrives_at_the_fifth_question(fetched: Fetched) -> bool:
        asked.append(id(fetched))
        return len(asked) % 5 == 0

    monkeypatch.setattr(Meter, "_read_here", Meter._read_there)
    monkeypatch.setattr(Fetched, "has_arrived", property(arrives_at_the_fifth_question))
    seen = trained()
    (one,), (other,) = expected.sites, seen.sites
    assert one.history.step.tolist() == other.history.step.tolist()
    np.testing.assert_array_equal(one.total.left, other.total.left)
    np.testing.assert_array_equal(one.last_active, other.last_active)
    np.testing.assert_allclose(one.total.moments.m2, other.total.moments.m2, rtol=1e-5)
    assert one.history.gradient.tolist() == other.history.gradient.tolist()
    assert expected.losses[0].value.tolist() == seen.losses[0].value.tolist()
