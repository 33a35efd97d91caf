"""Wide sites and long histories in a journal: read as they were saved, and not kept in memory or beside the file."""

import sqlite3
import time
import weakref
from contextlib import closing
from pathlib import Path

import pytest
import torch

from limen.errors import UnreadableJournal
from limen.journal import Journal, Run, read
from limen.journal.delta import Ledger, changes, enter
from limen.journal.packing import pack
from limen.journal.place import make
from limen.journal.storage import Storage
from limen.probe.site_record import SiteRecord
from limen.sites import Site
from limen.vitals import Vitals
from tests.journal.runs import Maker, differences, first_rows


def test_a_wide_site_is_read_as_it_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "run.limen"
    record = SiteRecord(
        Site("1", "1", "relu6", 1, 700, -1, None, None, 0, False, flat_left=0.0, flat_right=6.0, dead_left=True)
    )
    for step in range(1, 45):
        record.add(torch.randn(50, 700, generator=torch.Generator().manual_seed(step)) - torch.linspace(-8, 5, 700))
        record.commit(step)
    run = Run(vitals=Vitals(step=44, sites=(record.vitals(),)))
    Journal(path).close(run)
    assert differences(run, read(path)) == []
    assert run.vitals.sites[0].total.beyond is not None


def test_windows_that_are_the_same_are_written_once_and_apart_once_they_differ(tmp_path: Path) -> None:
    path = tmp_path / "run.limen"
    make(path)
    storage, held = Storage(path), Ledger()
    record = SiteRecord(Site("1", "1", "relu", 1, 700, -1, None, None, 0, False, flat_left=0.0, dead_left=True))
    for step in range(1, 60):
        record.add(torch.randn(50, 700, generator=torch.Generator().manual_seed(step)))
        record.commit(step)
        if step % 7 == 0:
            run = Run(vitals=Vitals(step=step, sites=(record.vitals(),)))
            wanted = enter(held, pack(run))
            assert storage.write(changes(held, wanted))
            held, found = wanted.written(), read(path)
            assert differences(run, found) == []
            seen, again = run.vitals.sites[0], found.vitals.sites[0]
            assert (seen.recent is seen.birth) == (again.recent is again.birth) == (step < 20)
    storage.put_away()


@pytest.mark.parametrize("same", [-1, 1, 2, 2**40])
def test_a_window_that_is_to_be_one_that_does_not_exist_is_refused(same: int, tmp_path: Path) -> None:
    path = tmp_path / "run.limen"
    record = SiteRecord(Site("1", "1", "relu", 1, 3, -1, None, None, 0, False, flat_left=0.0, dead_left=True))
    record.add(torch.ones(5, 3))
    record.commit(1)
    Journal(path).close(Run(vitals=Vitals(step=1, sites=(record.vitals(),))))
    with closing(sqlite3.connect(path)) as connection:
        data = same.to_bytes(8, "little", signed=True)
        connection.execute("UPDATE site_array SET data = ? WHERE part = 'recent.as'", (data,))
        connection.commit()
    with pytest.raises(UnreadableJournal, match=f"recent is to be window {same}"):
        read(path)


def test_the_run_saved_last_is_known_while_it_waits_and_once_it_is_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.limen")
    assert journal.last() is None
    run = Maker(3).run()
    journal.save(run)
    assert differences(run, journal.last()) == []
    journal.close()
    assert differences(run, journal.last()) == []
    journal.path.unlink()
    assert journal.last() is None


def test_a_journal_keeps_nothing_of_a_run_that_is_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.limen")
    run = Maker(4).run()
    left = weakref.ref(run.vitals.sites[0].birth)
    journal.save(run)
    del run
    until = time.monotonic() + 20
    while left() is not None and time.monotonic() < until:
        time.sleep(0.01)
    assert left() is None
    journal.close()


def test_large_arrays_and_the_thinning_of_many_histories_leave_a_small_wal(tmp_path: Path) -> None:
    path = tmp_path / "run.limen"
    make(path)
    storage, held = Storage(path), Ledger()
    many = Maker(5).run(sites=7, units=40_000, rows=4)
    histories = Maker(6).run(sites=7, units=1, rows=4_000)
    for run in (many, histories, first_rows(histories, slice(None, None, 2))):
        wanted = enter(held, pack(run))
        assert storage.write(changes(held, wanted))
        held = wanted.written()
        wal = Path(f"{path}-wal").stat().st_size
        assert differences(run, read(path)) == []
        assert wal < 12e6
    assert path.stat().st_size > 20e6
    storage.put_away()
    assert differences(first_rows(histories, slice(None, None, 2)), read(path)) == []
