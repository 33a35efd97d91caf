"""The journal of a running training: saves, the end, trouble, forks and sudden death."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.journal import run_after
from benchmarks.journal import write as write_simulated
from limen.journal import Journal, Run, read
from limen.journal.delta import Drop, Put
from limen.journal.storage import Storage
from tests.journal.runs import Maker, differences, first_rows, runs

LIMITS = settings(deadline=None, max_examples=40)


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while not (done := holds()) and time.monotonic() < until:
        time.sleep(0.01)
    return done


def settled(journal: Journal, run: Run) -> Run:
    """What the file holds once the thread has written a run of this step."""
    assert eventually(lambda: read(journal.path).vitals.step == run.vitals.step)
    return read(journal.path)


def beside(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


@given(run=runs())
@LIMITS
def test_what_was_saved_is_read(run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("journal") / "run.limen"
    Journal(path).close(run)
    assert differences(run, read(path)) == []


@given(first=runs(), second=runs(), third=runs())
@LIMITS
def test_the_last_of_several_saves_is_read_whatever_came_before(
    first: Run, second: Run, third: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("journal") / "run.limen"
    journal = Journal(path)
    for number, run in enumerate((first, second, third), start=1000):
        marked = replace(run, vitals=replace(run.vitals, step=number))
        journal.save(marked)
        assert differences(marked, settled(journal, marked)) == []
    journal.close(third)
    assert differences(third, read(path)) == []


@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(1, 5), min_size=1, max_size=5))
@LIMITS
def test_a_history_that_grows_and_is_thinned_is_read_as_it_was_saved_last(
    seed: int, cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("journal") / "run.limen"
    journal, whole = Journal(path), Maker(seed).run(rows=60)
    for number, cut in enumerate(cuts, start=1000):
        part = first_rows(whole, np.arange(cut % 2, 12 * cut, cut))
        part = replace(part, vitals=replace(part.vitals, step=number))
        journal.save(part)
        assert differences(part, settled(journal, part)) == []
    journal.close(whole)
    assert differences(whole, read(path)) == []


def test_a_journal_into_which_nothing_was_saved_reads_as_an_empty_run(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.limen")
    assert differences(Run(), read(journal.path)) == []
    journal.close()
    assert differences(Run(), read(journal.path)) == []


def test_closing_leaves_one_file_and_may_be_repeated(tmp_path: Path) -> None:
    path = tmp_path / "run.limen"
    journal, run = Journal(path), Maker(1).run()
    journal.save(run)
    journal.close()
    assert beside(path) == ["run.limen"]
    journal.close(Maker(2).run())
    journal.save(Maker(3).run())
    assert differences(run, read(path)) == []
    assert beside(path) == ["run.limen"]
    assert journal.trouble is None
    assert journal.spent > 0.0


def test_a_save_takes_well_under_a_millisecond(tmp_path: Path) -> None:
    journal, run = Journal(tmp_path / "run.limen"), Maker(1).run(sites=7, units=200, rows=500)
    taken: list[float] = []
    for number in range(50):
        run = replace(run, seconds=float(number))
        begin = time.perf_counter()
        journal.save(run)
        taken.append(time.perf_counter() - begin)
        time.sleep(0.005)
    journal.close()
    assert statistics.median(taken) < 1e-3


def test_a_slow_disk_loses_only_runs_that_a_newer_one_replaces(tmp_path: Path) -> None:
    journal, run = Journal(tmp_path / "run.limen"), Maker(1).run(rows=100)
    for number in range(200):
        journal.save(replace(run, seconds=float(number)))
    assert eventually(lambda: read(journal.path).seconds == 199.0)
    journal.close()


def test_saves_that_a_slow_disk_leaves_out_are_counted_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Storage.write

    def slowly(self: Storage, changes: Iterable[Put | Drop]) -> bool:
        time.sleep(0.2)
        return write(self, changes)

    monkeypatch.setattr(Storage, "write", slowly)
    journal, run = Journal(tmp_path / "run.limen"), Maker(1).run()
    assert (journal.skipped, journal.remarks) == (0, ())
    for number in range(50):
        journal.save(replace(run, seconds=float(number)))
        assert journal._bell.qsize() <= 1
        time.sleep(0.01)
    assert 30 < journal.skipped < 50
    (remark,) = journal.remarks
    assert re.match(r"The disk was slower than the journal: \d+ of 50 saves were left out for newer ones\.", remark)
    journal.close()
    assert read(journal.path).seconds == 49.0


@pytest.mark.parametrize("error", [sqlite3.OperationalError("attempt to write a readonly database"),
                                   sqlite3.OperationalError("database or disk is full"), OSError("Stale file handle")],
                         ids=str)  # fmt: skip
def test_a_disk_that_fails_is_one_sentence_and_the_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    journal, run = Journal(tmp_path / "run.limen"), Maker(1).run()
    journal.save(run)
    settled(journal, run)

    def fails(self: Storage, statement: str, values: object = ()) -> None:
        raise error

    monkeypatch.setattr(Storage, "_execute", fails)
    for number in range(20):
        journal.save(replace(run, seconds=float(number)))
    journal.close(run)
    assert journal.trouble == (
        f"The journal '{tmp_path}/run.limen' is no longer written ({error}). "
        "The training goes on; what was saved before can still be read."
    )
    assert differences(run, read(journal.path)) == []


def test_a_journal_grows_with_the_network_and_not_with_the_steps(tmp_path: Path) -> None:
    lengths = 10**6 // 64, 10**6  # of both, histories keep 977 rows
    sizes = [write_simulated(tmp_path / f"{steps}.limen", steps, sites=4, units=32, saves=30) for steps in lengths]
    assert sizes[1]["mb"] <= 1.1 * sizes[0]["mb"]  # longer numbers of steps
    assert sizes[1]["mb"] < 0.5 * 4  # 50 MB for 100 sites
    assert sizes[1]["mb_while_written_largest"] < 2 * sizes[1]["mb"] + 5  # SQLite merges the -wal from 4 MB on
    run = read(tmp_path / "1000000.limen")
    assert differences(replace(run_after(10**6, sites=4, units=32), finished=True), run) == []


def test_every_moment_of_a_running_journal_is_one_of_the_saved_runs(tmp_path: Path) -> None:
    journal, whole = Journal(tmp_path / "run.limen"), Maker(1).run(sites=4, units=600, rows=300)
    saved = {n: first_rows(replace(whole, seconds=float(n)), slice(None, n)) for n in range(0, 300, 3)}
    seen: set[int] = set()

    def save_all() -> None:
        for run in saved.values():
            journal.save(run)
            time.sleep(0.01)
        journal.close()

    thread = threading.Thread(target=save_all)
    thread.start()
    while thread.is_alive():
        run = read(journal.path)
        if run.vitals.sites:
            assert differences(saved[int(run.seconds)], run) == []
            seen.add(int(run.seconds))
    thread.join()
    assert len(seen) > 3
    assert beside(journal.path) == ["run.limen"]


def test_a_file_that_vanishes_stops_the_writing_and_nothing_else(tmp_path: Path) -> None:
    journal, run = Journal(tmp_path / "run.limen"), Maker(1).run()
    journal.save(run)
    settled(journal, run)
    journal.path.unlink()
    journal.save(replace(run, seconds=2.0))
    assert eventually(lambda: journal.trouble is not None)
    journal.save(run)
    journal.close(run)
    assert journal.trouble is not None
    assert re.search(r"run\.limen' is no longer written .*The training goes on", journal.trouble)
    assert not journal.path.exists()


def test_a_file_that_is_replaced_is_left_alone(tmp_path: Path) -> None:
    journal, run = Journal(tmp_path / "run.limen"), Maker(1).run()
    journal.save(run)
    settled(journal, run)
    journal.path.unlink()
    journal.path.write_text("mine")
    journal.close(replace(run, seconds=2.0))
    assert "another file has taken its place" in (journal.trouble or "")
    assert journal.path.read_text() == "mine"


FULL_DISK = """
import resource, signal, sys
from dataclasses import replace
from limen.journal import Journal, read
from tests.journal.runs import Maker, differences
journal, small = Journal(sys.argv[1]), Maker(1).run()
journal.save(small)
while read(sys.argv[1]).vitals.step != small.vitals.step:
    pass
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
for number in range(3):
    journal.save(replace(Maker(2).run(sites=7, units=50_000), seconds=float(number)))
journal.close(Maker(3).run(sites=7, units=50_000))
assert journal.trouble and "no longer written" in journal.trouble, journal.trouble
assert differences(small, read(sys.argv[1])) == []
print("went on")
"""


def test_a_full_disk_stops_the_writing_and_keeps_what_was_saved(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "run.limen")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "went on\n", "")


def test_a_run_that_cannot_be_written_is_trouble_and_not_an_exception(tmp_path: Path) -> None:
    journal, run = Journal(tmp_path / "run.limen"), Maker(1).run(rows=5)
    journal.close(first_rows(run, np.array([3, 2, 1])))
    assert "the steps of site 'gan fc1' do not rise" in (journal.trouble or "")


FOREVER = """
import sys, time
from dataclasses import replace
from limen.journal import Journal
from tests.journal.runs import Maker
journal, run = Journal(sys.argv[1]), Maker(1).run(sites=5, units=300, rows=300)
number = 0
while True:
    number += 1
    journal.save(replace(run, seconds=time.time(), vitals=replace(run.vitals, step=number)))
    print(number, flush=True)
    for _ in range(10_000 * 20):  # a training that holds the interpreter most of the time
        pass
"""


@pytest.mark.parametrize("after", [1.0, 1.37])
def test_a_killed_process_loses_at_most_the_last_two_seconds(tmp_path: Path, after: float) -> None:
    path = tmp_path / "run.limen"
    with subprocess.Popen([sys.executable, "-c", FOREVER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        time.sleep(after)
        killed = time.time()
        process.send_signal(signal.SIGKILL)
        process.stdout.read()
    run = read(path)
    assert process.returncode == -signal.SIGKILL
    assert run.vitals.step > 1
    assert killed - run.seconds < 2.0
    kept = Maker(1).run(sites=5, units=300, rows=300)
    expected = replace(kept, seconds=run.seconds, vitals=replace(kept.vitals, step=run.vitals.step))
    assert differences(expected, run) == []


def test_a_process_that_forgets_to_close_ends_and_keeps_what_was_saved(tmp_path: Path) -> None:
    program = FOREVER.replace("while True:", "while read(sys.argv[1]).vitals.step < 2:").replace(
        "Journal\n", "Journal, read\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "run.limen")], check=True, capture_output=True)
    assert read(tmp_path / "run.limen").vitals.step > 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_writes_nothing_and_can_use_sqlite_itself(tmp_path: Path) -> None:
    journal, run = Journal(tmp_path / "run.limen"), Maker(1).run()
    for number in range(20):
        journal.save(replace(run, seconds=float(number)))
        child = os.fork()
        if child == 0:
            try:
                journal.save(replace(run, script="child"))
                journal.close(replace(run, script="child"))
                Journal(tmp_path / f"child-{number}.limen").close(run)
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert differences(run, read(tmp_path / f"child-{number}.limen")) == []
    journal.close(run)
    assert journal.trouble is None
    assert differences(run, read(journal.path)) == []
