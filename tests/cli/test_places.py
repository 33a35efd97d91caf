import tempfile
from pathlib import Path

import pytest

from limen.cli.places import check_journal, check_report, check_writable, default_report, temporary_journal
from limen.errors import UnwritablePath
from limen.ranks import Ranks
from limen.report import write_html, write_json
from tests.report.runs import one_step


def test_checking_leaves_nothing_behind_and_an_existing_file_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "old.html").write_text("old")
    assert check_writable(tmp_path / "old.html", "--report") == tmp_path / "old.html"
    assert check_writable(tmp_path / "new.html", "--report") == tmp_path / "new.html"
    assert [path.name for path in tmp_path.iterdir()] == ["old.html"]
    assert (tmp_path / "old.html").read_text() == "old"


def test_a_path_is_made_absolute_because_the_script_may_change_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert check_writable(Path("a.html"), "--report") == tmp_path / "a.html"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", r"--json: asked to write .*, which is a folder\. Name a file in it\."),
        ("gone/a.json", r"--json: asked to write .*, but there is no folder .*/gone\. Create it first\."),
    ],
)
def test_a_path_that_cannot_be_written_says_why(path: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UnwritablePath, match=words):
        check_writable(tmp_path / path, "--json")


def test_a_place_the_system_refuses_says_so() -> None:
    with pytest.raises(UnwritablePath, match=r"which is not possible \(.+\)\. Name another place\."):
        check_writable(Path("/proc/a.json"), "--json")


def test_a_device_may_be_written_to() -> None:
    assert check_writable(Path("/dev/null"), "--json") == Path("/dev/null")


def test_the_usual_place_gives_way_to_a_temporary_folder(tmp_path: Path) -> None:
    assert default_report(tmp_path) == tmp_path / "limen-report.html"
    assert default_report(Path("/proc")).parent.is_dir()
    assert default_report(Path("/proc")).parent != Path("/proc")


def test_a_temporary_journal_is_named_after_the_script() -> None:
    assert temporary_journal("dir/my train.py").name == "my-train.limen"
    assert temporary_journal("package.module").name == "package.limen"


def test_the_ranks_of_one_run_share_a_temporary_folder_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first, second = (temporary_journal("train.py", Ranks("node:1", 2, (rank,))) for rank in (0, 1))
    assert (first.name, second.name, first.parent) == ("train.limen", "train.rank1.limen", second.parent)
    assert first.parent.stat().st_mode & 0o777 == 0o700
    others = [Ranks("node:2", 2, (0,)), Ranks("node:1", 3, (0,))]
    assert len({first.parent, *(temporary_journal("train.py", ranks).parent for ranks in others)}) == 3


def test_a_link_in_the_place_of_that_folder_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ranks = Ranks("node:1", 2, (1,))
    shared = temporary_journal("train.py", ranks).parent
    shared.rmdir()
    (tmp_path / "elsewhere").mkdir()
    shared.symlink_to(tmp_path / "elsewhere")
    assert temporary_journal("train.py", ranks).resolve().parent not in (shared, tmp_path / "elsewhere")


def test_a_journal_takes_the_place_of_an_older_one_and_of_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "old.limen").write_bytes(b"SQLite format 3\0...")
    (tmp_path / "thesis.txt").write_text("all of it")
    assert check_journal(tmp_path / "old.limen", "--journal").exists()
    assert not check_journal(tmp_path / "new.limen", "--journal").exists()
    with pytest.raises(
        UnwritablePath, match=r"thesis\.txt, which is something else than a journal\. Remove it first\."
    ):
        check_journal(tmp_path / "thesis.txt", "--journal")
    with pytest.raises(UnwritablePath, match=r"which is not a regular file\."):
        check_journal(Path("/dev/null"), "--journal")


@pytest.mark.parametrize("name", ["train.py", "config.json", "notes.html"])
def test_a_report_takes_the_place_of_nothing_else(name: str, tmp_path: Path) -> None:
    held = {"train.py": "import limen\n", "config.json": '{"lr": 0.1}', "notes.html": "<!doctype html><p>Mine"}[name]
    (tmp_path / name).write_text(held)
    with pytest.raises(UnwritablePath, match=rf"--report: asked to write .*{name}, which is something else than a rep"):
        check_report(tmp_path / name, "--report")
    assert (tmp_path / name).read_text() == held


def test_a_report_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    run = one_step()
    write_html(run, tmp_path / "a.html")
    write_json(run, tmp_path / "a.json")
    (tmp_path / "empty.html").touch()
    for name in ("a.html", "a.json", "empty.html", "new.html"):
        assert check_report(tmp_path / name, "--report") == tmp_path / name
