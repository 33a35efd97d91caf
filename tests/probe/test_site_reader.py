"""What is done at a site by itself: read and heard, and an error there is told of that site alone."""

import contextlib
import math
import threading
from collections import deque

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from limen.activations import get
from limen.kernels import Row
from limen.probe.backlog import Backlog
from limen.probe.directory import Directory
from limen.probe.meter import Meter
from limen.probe.quick import COMPILED, Glance, State
from limen.probe.seen import Seen
from limen.probe.site_book import Place, SiteBook
from limen.probe.site_reader import SiteReader
from limen.probe.troubles import Troubles


class Looker:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.state, self.lock = State(deque()), threading.RLock()
        self.stumbled: list[tuple[Place, Exception]] = []

    def fail(self, error: Exception) -> None:
        raise error

    def gradient(self, place: Place, gradient: Tensor | None) -> None:
        raise AssertionError("no backward pass is run here")

    def stumble(self, place: Place, error: Exception) -> None:
        self.stumbled.append((place, error))


class Reading:
    """A reader of sites, and what it needs; its module applies a ReLU of four units."""

    def __init__(self, *, strict: bool = False) -> None:
        backlog = Backlog()
        self.looker, self.troubles = Looker(), Troubles(strict=strict)
        self.sites = SiteBook(Directory())
        self.meter = Meter(self.sites, backlog, self.looker.state, self.troubles.note)
        self.glances: dict[tuple[int, str, int], Glance] = {}
        self.reader = SiteReader(self.sites, self.meter, self.troubles, self.glances, self.looker)
        self.layer, self.owner = nn.Linear(3, 4), nn.ReLU()

    def seen(self) -> Seen:
        return Seen(get("relu"), self.layer(torch.randn(5, 3)), self.owner, self.owner, 1)

    def read(self) -> Place | None:
        return self.reader.read(self.seen())


def closed(place: Place) -> Row:
    """The row of the step so far."""
    row = place.record.account.commit(1)
    assert row is not None
    return row


def fails(*_: object) -> None:
    raise RuntimeError("of limen")


def test_a_site_is_read_each_time_and_its_result_asked_for_until_it_is_named() -> None:
    reading = Reading()
    place = reading.read()
    assert place is not None
    assert reading.read() is place
    assert reading.sites.places == [place]
    assert closed(place).samples == 10
    reading.sites.settle()
    assert reading.read() is None
    assert closed(place).samples == 5
    assert bool(reading.glances) is COMPILED


def test_an_error_before_there_is_a_site_is_noted_or_raised_where_the_watch_is_strict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SiteBook, "find", fails)
    reading, strict = Reading(), Reading(strict=True)
    assert reading.read() is None
    assert list(reading.troubles.notes.values()) == ["A relu is not watched (RuntimeError: of limen)."]
    assert reading.looker.stumbled == []
    with pytest.raises(RuntimeError, match="of limen"):
        strict.read()


def test_an_error_at_a_site_is_told_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading()
    monkeypatch.setattr(Meter, "read", fails)
    reading.read()
    monkeypatch.setattr(Meter, "read_gradient", fails)
    (place,) = reading.sites.places
    reading.reader.hear(place, torch.ones(5, 4))
    assert [(where, str(error)) for where, error in reading.looker.stumbled] == [(place, "of limen")] * 2


def test_nothing_is_done_at_a_site_in_trouble() -> None:
    reading = Reading()
    place = reading.read()
    assert place is not None
    place.trouble = "since step 3"
    assert reading.read() is None
    reading.reader.hear(place, torch.ones(5, 4))
    row = closed(place)
    assert row.samples == 5
    assert math.isnan(row.gradient)


class Dispatches(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("mode", "norm"), [(contextlib.nullcontext, 4.0), (Dispatches, math.nan)])
def test_a_gradient_is_entered_unless_a_mode_of_the_script_dispatches(mode: type, norm: float) -> None:
    reading = Reading()
    place = reading.read()
    assert place is not None
    with mode():
        reading.reader.hear(place, torch.ones(4, 4))
    assert closed(place).gradient == pytest.approx(norm, nan_ok=True)
