"""What is held of a training, counted byte by byte: some 40 a unit, whatever the number of steps."""

import gc
import mmap
from array import array
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from limen.journal import Run
from limen.journal.delta import Ledger, enter
from limen.journal.packing import pack
from limen.kernels.compiled_pass import CompiledPass
from limen.lasting import LastingArray
from limen.probe.rows import FEWEST, Room
from limen.probe.site_record import SiteRecord
from limen.sites import Site
from limen.vitals import Vitals
from limen.vitals.narrow import NOTHING

UNITS = 4_096
SITES = 2
DYING = 150  # units that die, one at each step
MOST = 48  # bytes a unit, for 200 MB of a thousand sites of 4,096 units


def nbytes(*roots: object) -> int:
    """Bytes of all arrays that are reachable, each counted once, through its base where it is a view."""
    found: dict[int, int] = {}
    waiting, seen = list[Any](roots), set[int]()
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, type) or callable(value):
            continue
        seen.add(id(value))
        if isinstance(value, CompiledPass):
            continue  # the plans of all shapes that the process has met, whoever met them
        if isinstance(value, LastingArray):
            found[id(value)] = value.nbytes
        elif isinstance(value, np.ndarray):
            while isinstance(value.base, np.ndarray):
                value = value.base
            found[id(value)] = value.nbytes
        elif isinstance(value, array):
            found[id(value)] = len(value) * value.itemsize
        elif isinstance(value, bytes):
            found[id(value)] = len(value)
        elif isinstance(value, dict | list | tuple) or type(value).__module__.startswith("limen."):
            waiting.extend(gc.get_referents(value))
    return sum(found.values())


def site(number: int, function: str = "relu") -> Site:
    name = f"layers.{number}"
    right = 6.0 if function == "relu6" else None
    address = Site(name, name, function, 1, UNITS, -1, None, None, number, False)
    return replace(address, flat_left=0.0, flat_right=right, dead_left=True)


def train(records: list[SiteRecord], steps: int, samples: int = 64, begin: int = 0) -> None:
    """Units of every kind: some die for good at a step of their own, some are rare, some are busy."""
    random = torch.Generator().manual_seed(begin)
    shift = torch.linspace(-6.0, 3.0, UNITS)
    for step in range(begin + 1, begin + steps + 1):
        for record in records:
            z = torch.randn(samples, UNITS, generator=random) + shift
            z[:, : min(step, DYING)] -= 100.0
            record.add(z)
            record.commit(step)


@pytest.mark.parametrize("function", ["relu", "relu6"])
def test_a_unit_takes_no_more_than_its_share_of_200_megabytes(function: str) -> None:
    room = Room()
    for _ in range(1_000 - SITES):
        room.enter()  # as if a thousand sites shared the rows of histories
    records = [SiteRecord(site(number, function), room) for number in range(SITES)]
    train(records, 150)
    held = nbytes(records)
    run = Run(vitals=Vitals(sites=tuple(record.vitals() for record in records)))
    written = enter(Ledger(), pack(run)).written()
    del run
    assert held + nbytes(written) <= MOST * SITES * UNITS


@pytest.mark.parametrize(
    ("function", "steps", "most"),
    [
        ("relu", 12, 22),  # before the first full window, of 1,008 samples
        ("relu", 70, 33),  # after it
        ("relu", 200, 42),  # after the third
        ("relu6", 12, 31),
        ("relu6", 70, 44),
        ("relu6", 200, 55),
    ],
)
def test_so_many_bytes_are_kept_of_a_unit_with_a_snapshot(function: str, steps: int, most: int) -> None:
    room = Room()
    for _ in range(999):
        room.enter()
    record = SiteRecord(site(0, function), room)
    train([record], steps, samples=16)
    seen = record.vitals()
    assert seen.samples == seen.total.samples == 16 * steps
    assert nbytes(record) <= most * UNITS


def pieces(*roots: object) -> tuple[int, int]:
    """Bytes of the lasting arrays that are reachable, and of all the memory that they hold on to."""
    arrays, seen, waiting = dict[int, LastingArray](), set[int](), list[Any](roots)
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, type) or callable(value):
            continue
        seen.add(id(value))
        if isinstance(value, LastingArray):
            arrays[id(value)] = value
        elif isinstance(value, dict | list | tuple) or type(value).__module__.startswith("limen."):
            waiting.extend(gc.get_referents(value))
    slabs = {id(one): one for a in arrays.values() for one in gc.get_referents(a) if isinstance(one, mmap.mmap)}
    return sum(array.nbytes for array in arrays.values()), sum(len(slab) for slab in slabs.values())


def test_what_a_snapshot_holds_on_to_is_its_own() -> None:
    records = [SiteRecord(site(number)) for number in range(12)]
    train(records, 150, samples=16)
    own, held = pieces([record.vitals() for record in records])
    assert own > 10 * UNITS * len(records)
    assert held <= 1.25 * own  # the rest: ends of pieces that the next array did not fit in, and beginnings of others


def test_what_was_seen_in_all_takes_nothing_beside_its_parts() -> None:
    record = SiteRecord(site(0))
    train([record], 200, samples=16)
    seen = record.vitals()
    before = nbytes(record)
    assert seen.total.samples == 16 * 200
    assert seen.total.steps == 200
    assert nbytes(record) == before


def test_a_snapshot_takes_less_than_half_of_that_and_equal_windows_nothing_twice() -> None:
    record = SiteRecord(site(0))
    train([record], 150)
    without = nbytes(record)
    seen = record.vitals()
    assert nbytes(record) - without <= MOST / 2 * UNITS
    assert record.vitals() is seen
    fresh = SiteRecord(site(0))
    train([fresh], 3)
    early = fresh.vitals()
    assert early.birth is early.recent is early.total
    train([fresh], 30, begin=3)
    assert fresh.vitals().birth is not fresh.vitals().recent is fresh.vitals().total


def test_what_is_held_does_not_grow_with_the_steps() -> None:
    record = SiteRecord(site(0), Room(FEWEST))
    train([record], 400, samples=8)
    early = nbytes(record)
    train([record], 800, samples=8, begin=400)
    assert nbytes(record) <= 1.25 * early  # of counts, some grow from one byte to two


def test_the_ledger_keeps_nothing_but_histories_that_the_records_have_too() -> None:
    record = SiteRecord(site(0))
    train([record], 30)
    ledger = enter(Ledger(), pack(Run(vitals=Vitals(sites=(record.vitals(),)))))
    assert nbytes(ledger) > UNITS
    assert nbytes(ledger.written()) == record.rows.nbytes  # no history is copied, either
    assert nbytes(record, ledger.written()) == nbytes(record)


def arrays_in(*roots: object) -> int:
    """Arrays that are reachable, but for the one without numbers that all values share."""
    found, seen, waiting = 0, set[int](), list[Any](roots)
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, type) or callable(value):
            continue
        seen.add(id(value))
        found += isinstance(value, np.ndarray) and value is not NOTHING
        if isinstance(value, dict | list | tuple) or type(value).__module__.startswith("limen."):
            waiting.extend(gc.get_referents(value))
    return found


@pytest.mark.parametrize("steps", [3, 50], ids=["in the first window", "later"])
def test_a_snapshot_allocates_no_array_for_the_training_to_trip_over(steps: int) -> None:
    record = SiteRecord(site(0, "relu6"))
    train([record], steps)
    without = arrays_in(record)
    seen = record.vitals()
    assert arrays_in(record) == without
    assert arrays_in(seen) == 0  # nor is the table of the record one
