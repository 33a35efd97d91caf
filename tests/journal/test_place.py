"""Where a journal may be made, and what is never overwritten."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from limen.errors import UnwritablePath
from limen.journal import Journal, Run, put_aside, read
from limen.journal.schema import VERSION
from tests.journal.runs import Maker, differences


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("missing/run.limen", r"there is no folder '.*missing'\. Create it first, or choose another path\.$"),
        ("file/run.limen", r"there is no folder '.*file'\. Create it first"),
        ("", r"it is a folder\. Add a file name to it\.$"),
        ("x" * 300, r"File name too long\. Choose another path for the journal\.$"),
        ("a\0b", r"null .*\. Choose another path for the journal\.$"),
        ("file", r"a file that is not a limen journal, and it would be lost\. Remove it yourself"),
        ("music.db", r"a file that is not a limen journal, and it would be lost\. Remove it yourself"),
        ("/dev/null", r"it is not a regular file\. Choose another path"),
        ("/proc/run.limen", r"\. Choose another path for the journal\.$"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused_and_nothing_is_lost(tmp_path: Path, place: str, message: str) -> None:
    (tmp_path / "file").write_text("thesis")
    with closing(sqlite3.connect(tmp_path / "music.db")) as connection:
        connection.execute("CREATE TABLE song (name)")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(UnwritablePath, match=r"^The journal '.*' cannot be written: .*" + message):
        Journal(tmp_path / place)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_an_older_journal_is_replaced(tmp_path: Path) -> None:
    path, run = tmp_path / "run.limen", Maker(1).run()
    Journal(path).close(Maker(2).run(sites=6))
    journal = Journal(path)
    assert differences(Run(), read(path)) == []
    journal.close(run)
    assert differences(run, read(path)) == []


@pytest.mark.parametrize("statement", [f"PRAGMA user_version = {VERSION + 1}", "DROP TABLE site"])
def test_a_journal_of_another_version_or_damaged_is_replaced(tmp_path: Path, statement: str) -> None:
    path, run = tmp_path / "run.limen", Maker(1).run()
    Journal(path).close(run)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    Journal(path).close(run)
    assert differences(run, read(path)) == []


def test_an_empty_file_and_what_a_killed_run_left_beside_are_replaced(tmp_path: Path) -> None:
    path, run = tmp_path / "run.limen", Maker(1).run()
    for name in ("run.limen", "run.limen-wal", "run.limen-shm", "run.limen-journal"):
        (tmp_path / name).touch()
    (tmp_path / "run.limen-wal").write_bytes(b"left over" * 1000)
    Journal(path).close(run)
    assert differences(run, read(path)) == []
    assert [file.name for file in tmp_path.iterdir()] == ["run.limen"]


def test_a_journal_that_is_being_written_is_not_replaced(tmp_path: Path) -> None:
    path, run = tmp_path / "run.limen", Maker(1).run()
    first = Journal(path)
    first.save(run)
    while differences(run, read(path)):
        pass
    with pytest.raises(UnwritablePath, match=r"another training is writing it, or it is being read\. Choose another"):
        Journal(path)
    first.close(run)
    assert differences(run, read(path)) == []


def test_a_relative_path_stays_where_it_was_when_the_training_changes_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Maker(1).run()
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path)
    journal = Journal("run.limen")
    monkeypatch.chdir(tmp_path / "else")
    journal.close(run)
    assert differences(run, read(tmp_path / "run.limen")) == []


def test_an_older_run_is_put_aside_under_the_first_free_number(tmp_path: Path) -> None:
    path = tmp_path / "run.limen"
    assert put_aside(path) is None
    for number in (1, 2):
        run = Maker(number).run()
        Journal(path).close(run)
        assert put_aside(path) == tmp_path / f"run.limen.{number}"
        assert not path.exists()
        assert differences(run, read(tmp_path / f"run.limen.{number}")) == []


def test_a_run_without_a_step_is_not_worth_keeping(tmp_path: Path) -> None:
    path = tmp_path / "run.limen"
    Journal(path).close(Run())
    assert put_aside(path) is None
    assert path.exists()


def test_the_run_of_a_killed_training_is_put_aside_whole(tmp_path: Path) -> None:
    path = tmp_path / "run.limen"
    code = (
        "import os, sys, time\nfrom limen.journal import Journal, read\nfrom tests.journal.runs import Maker\n"
        "journal = Journal(sys.argv[1])\njournal.save(Maker(1).run())\n"
        "while not read(sys.argv[1]).vitals.sites: time.sleep(0.01)\n"
        "os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code, str(path)], cwd=root)
    assert Path(f"{path}-wal").exists()
    aside = put_aside(path)
    assert aside is not None
    assert differences(Maker(1).run(), read(aside)) == []
    assert [file.name for file in tmp_path.iterdir()] == ["run.limen.1"]


def test_a_journal_in_use_and_what_is_no_journal_are_not_put_aside(tmp_path: Path) -> None:
    (tmp_path / "thesis").write_text("all of it")
    journal = Journal(tmp_path / "run.limen")
    journal.save(Maker(1).run())
    while not read(tmp_path / "run.limen").vitals.sites:
        pass
    for name, why in (("run.limen", "another training"), ("thesis", "not a limen journal")):
        with pytest.raises(UnwritablePath, match=why):
            put_aside(tmp_path / name)
        assert (tmp_path / name).exists()
    journal.close()
