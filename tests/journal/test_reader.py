"""Reading what may be anything: a run, or one sentence that says what was found and what to do."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.errors import UnreadableJournal
from limen.journal import Journal, Run, read
from limen.journal.schema import VERSION
from tests.journal.runs import Maker, differences

RUN = Maker(5).run(sites=3, units=40, rows=60)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a sound journal."""
    path = tmp_path_factory.mktemp("sound") / "run.limen"
    Journal(path).close(RUN)
    return path.read_bytes()


@pytest.fixture
def path(sound: bytes, tmp_path: Path) -> Path:
    """A sound journal to be spoilt."""
    path = tmp_path / "run.limen"
    path.write_bytes(sound)
    return path


def alter(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"it is empty\. Check the path"),
        (b"import torch\n" * 300, r"it is not a limen journal\. Check the path"),
        (b"x", r"it is not a limen journal\. Check the path"),
        (bytes(10_000), r"it is not a limen journal\. Check the path"),
        (b"\x80\x04\x95" + b"cos\nsystem\n(S'touch owned'\ntR." * 200, r"it is not a limen journal"),
    ],
)
def test_a_file_that_is_not_a_journal_is_called_so(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "run.limen"
    path.write_bytes(content)
    with pytest.raises(UnreadableJournal, match=rf"^The journal '.*run\.limen' cannot be read: {message}"):
        read(path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.limen"]


def test_a_path_without_a_file_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableJournal, match=r"there is no such file\. Check the path"):
        read(tmp_path / "run.limen")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UnreadableJournal, match="it is a folder"):
        read(tmp_path)
    with pytest.raises(UnreadableJournal, match="it is not a regular file"):
        read("/dev/zero")
    with pytest.raises(UnreadableJournal, match="null"):
        read("a\0b")


def test_another_sqlite_file_is_not_a_journal(tmp_path: Path) -> None:
    alter(tmp_path / "music.db", "CREATE TABLE song (name)")
    with pytest.raises(UnreadableJournal, match="it is an SQLite file, but not a limen journal"):
        read(tmp_path / "music.db")


@pytest.mark.parametrize(("version", "age"), [(VERSION + 1, "newer"), (VERSION - 1, "older")])
def test_another_version_is_refused_with_advice(path: Path, version: int, age: str) -> None:
    alter(path, f"PRAGMA user_version = {version}")
    with pytest.raises(
        UnreadableJournal, match=rf"version {version} .* reads version {VERSION}.*{age} limen that wrote"
    ):
        read(path)


def outcome(path: Path) -> Run | None:
    """The run, or None where the file was refused; any other exception fails the test."""
    try:
        return read(path)
    except UnreadableJournal as error:
        assert str(error).startswith(f"The journal {str(path)!r} cannot be read: ")  # noqa: PT017
        return None


def test_a_truncated_journal_is_refused_wherever_it_was_cut(path: Path, sound: bytes) -> None:
    rng = np.random.default_rng(0)
    ends = {1, 15, 16, 99, 100, 512, 4095, 4096, len(sound) - 1, *map(int, rng.integers(1, len(sound), 80))}
    for end in sorted(ends):
        path.write_bytes(sound[:end])
        assert outcome(path) is None


@given(place=st.integers(0, 2**32), width=st.integers(1, 64), fill=st.binary(min_size=1, max_size=1))
@settings(deadline=None, max_examples=300)
def test_overwritten_bytes_never_give_anything_but_a_run_or_a_refusal(
    sound: bytes, place: int, width: int, fill: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp())) / "run.limen"
    begin = place % len(sound)
    path.write_bytes((sound[:begin] + fill * width + sound[begin + width :])[: len(sound)])
    outcome(path)


@pytest.mark.parametrize("end", [0, 1, 31, 32, 56, 4000, 4152, 20_000])
def test_a_truncated_log_loses_saves_and_is_never_half_read(tmp_path: Path, end: int) -> None:
    journal = Journal(tmp_path / "run.limen")
    journal.save(RUN)
    while differences(RUN, read(journal.path)):
        pass
    copy = tmp_path / "copy.limen"
    shutil.copyfile(journal.path, copy)
    Path(f"{copy}-wal").write_bytes(Path(f"{journal.path}-wal").read_bytes()[:end])
    found = outcome(copy)
    assert found is None or differences(found, Run()) == [] or differences(found, RUN) == []
    journal.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE run SET about = '['",
        "UPDATE run SET about = '[]'",
        "UPDATE run SET about = x'00ff'",
        "UPDATE run SET about = CAST(x'80ff' AS TEXT)",
        "UPDATE run SET about = '" + "[" * 100_000 + "'",
        'UPDATE run SET about = \'{"run": {"seconds": ' + "9" * 5000 + '}, "vitals": {}}\'',
        'UPDATE run SET about = \'{"run": {"seconds": ' + "9" * 400 + '}, "vitals": {}}\'',
        'UPDATE run SET about = \'{"run": {"seconds": true}, "vitals": {}}\'',
        'UPDATE run SET about = \'{"run": {"arguments": "abc"}, "vitals": {}}\'',
        'UPDATE run SET about = \'{"run": {"environment": {"a": 1}}, "vitals": {}}\'',
        'UPDATE run SET about = \'{"run": {"verdict": "healthy"}, "vitals": {}}\'',
        'UPDATE run SET about = \'{"run": {}, "vitals": {"sites": []}}\'',
        "INSERT INTO run VALUES (9, 9, '{}')",
        """UPDATE site SET about = '{"first_nonfinite": null}'""",
        "UPDATE site SET about = replace(about, '\"units\":40', '\"units\":1000000000000')",
        "UPDATE site SET about = replace(about, '\"units\":40', '\"units\":-40')",
        'UPDATE site SET about = replace(about, \'"units":40\', \'"units":"40"\')',
        "UPDATE site_array SET data = zeroblob(10) WHERE part = 'total.left'",
        "UPDATE site_array SET data = zeroblob(328) WHERE part = 'total.left'",
        "UPDATE site_array SET data = 'text' WHERE part = 'total.mean'",
        "UPDATE site_array SET dtype = '|O' WHERE part = 'total.mean'",
        "UPDATE site_array SET dtype = '>f8' WHERE part = 'total.mean'",
        "UPDATE site_array SET dtype = x'3c6638' WHERE part = 'total.mean'",
        "DELETE FROM site_array WHERE part = 'recent.counts'",
        "UPDATE site_array SET site = 99 WHERE site = 1",
        "UPDATE site_step SET mean = 'high'",
        "UPDATE site_step SET samples = 1.5",
        "UPDATE site_step SET samples = NULL",
        "UPDATE site_step SET step = 'one' WHERE step = (SELECT max(step) FROM site_step)",
        "UPDATE site_step SET site = 77 WHERE site = 1",
        "DELETE FROM parameter",
        "UPDATE parameter SET about = replace(about, '\"optimiser\":0', '\"optimiser\":5')",
        "UPDATE parameter SET about = replace(about, '\"optimiser\":0', '\"optimiser\":-1')",
        "UPDATE finding SET about = replace(about, '\"error\"', '\"fatal\"')",
        'UPDATE finding SET about = replace(about, \'"units":[\', \'"units":["a",\')',
        "UPDATE histogram_array SET data = zeroblob(8)",
        "UPDATE histogram_array SET part = 'x' WHERE rowid = 1",
        "UPDATE histogram SET about = '{\"site\": 3}'",
        "UPDATE histogram SET about = '3'",
        "CREATE TABLE more (x)",
        "CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM site; END",
        "CREATE INDEX i ON site (position)",
        "DROP TABLE loss",
        "ALTER TABLE site_step ADD COLUMN more REAL",
    ],
    ids=lambda statement: statement[:70],
)
def test_a_crafted_value_is_refused(path: Path, statement: str) -> None:
    before = path.read_bytes()
    alter(path, statement)
    assert path.read_bytes() != before
    with pytest.raises(UnreadableJournal, match=r"it is damaged \(.*\)\. Part of it is missing or overwritten"):
        read(path)


def test_a_view_in_place_of_a_table_is_refused_before_it_is_evaluated(path: Path) -> None:
    numbers = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)"
    alter(path, "DROP TABLE finding", f"CREATE VIEW finding AS {numbers} SELECT id, 1 AS position, 'x' AS about FROM n")
    with pytest.raises(UnreadableJournal, match="its tables are not those of a journal"):
        read(path)


def test_two_tables_on_the_same_pages_are_refused(path: Path) -> None:
    alter(
        path,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'site')"
        " WHERE name = 'finding'",
    )
    with pytest.raises(UnreadableJournal, match="it is damaged"):
        read(path)


def test_reading_changes_nothing(path: Path, sound: bytes) -> None:
    path.chmod(stat.S_IRUSR)
    assert differences(RUN, read(path)) == []
    assert path.read_bytes() == sound
    assert [file.name for file in path.parent.iterdir()] == ["run.limen"]


def test_a_path_with_awkward_characters_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "run #1?mode=memory %41 ü.limen"
    Journal(path).close(RUN)
    assert differences(RUN, read(path)) == []
    assert differences(RUN, read(str(path))) == []
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_journal_that_another_program_has_locked_is_called_so(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UnreadableJournal, match=r"another program has locked it\. Try again"):
            read(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("log", [True, False])
def test_a_journal_of_a_killed_run_is_read_in_a_folder_that_is_read_only(log: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "live.limen")
        journal.save(RUN)
        while differences(RUN, read(journal.path)):
            pass
        copy = Path(folder) / "readonly" / "copy.limen"
        copy.parent.mkdir()
        shutil.copyfile(journal.path, copy)
        if log:
            shutil.copyfile(f"{journal.path}-wal", f"{copy}-wal")
        os.chmod(folder, 0o755)
        os.chmod(copy.parent, 0o555)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.setuid(65534)
                status = 0 if differences(RUN if log else Run(), read(copy)) == [] else 2
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        journal.close()


def test_many_readers_at_once_all_read_the_run(path: Path) -> None:
    found: list[Run] = []
    threads = [threading.Thread(target=lambda: found.append(read(path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [differences(RUN, run) for run in found] == [[]] * 4
