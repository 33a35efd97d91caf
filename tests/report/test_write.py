import json
import os
from pathlib import Path

import pytest

from limen.errors import UnwritablePath
from limen.report import check_writable, to_json, write_html, write_json
from tests.report import hard_runs, runs


def test_a_path_that_can_be_written_is_accepted_and_nothing_is_left_behind(tmp_path: Path) -> None:
    check_writable(tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_report_is_untouched_by_the_check(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    check_writable(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_not_a_report(tmp_path: Path) -> None:
    with pytest.raises(UnwritablePath, match=r"it is a folder\. Give the name of a file in it"):
        check_writable(tmp_path)


def test_a_missing_folder_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(UnwritablePath, match=r"there is no folder .*/no\. Create it first: mkdir -p "):
        check_writable(tmp_path / "no" / "report.html")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritablePath, match="there is no folder"):
        check_writable(tmp_path / "file" / "report.html")


def test_a_name_that_the_file_system_refuses_is_found_before_training(tmp_path: Path) -> None:
    with pytest.raises(UnwritablePath, match="Cannot write"):
        check_writable("/proc/report.html")
    with pytest.raises(OSError, match="Cannot write"):  # the built-in that a caller would guess
        check_writable(tmp_path / ("x" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_file_and_folder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    path.chmod(0o400)
    with pytest.raises(UnwritablePath, match="read-only"):
        check_writable(path)
    tmp_path.chmod(0o500)
    with pytest.raises(UnwritablePath, match="Choose a folder"):
        check_writable(tmp_path / "other.html")
    tmp_path.chmod(0o700)


def test_written_json_reads_back_as_the_report(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_json(runs.sick(), path)
    assert json.loads(path.read_text(encoding="utf-8")) == to_json(runs.sick())
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_name_that_is_not_valid_text_is_written_all_the_same(tmp_path: Path) -> None:
    run = hard_runs.hostile()
    assert "\udc80" in run.arguments
    write_json(run, tmp_path / "run.json")
    write_html(run, tmp_path / "run.html")
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["arguments"][-1] == "\udc80"


def test_an_old_report_is_replaced_whole_and_a_link_is_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real.html", tmp_path / "link.html"
    real.write_text("old")
    link.symlink_to(real)
    write_html(runs.nothing(), link)
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8").endswith("</html>")


def test_a_device_stays_a_device() -> None:
    write_json(runs.nothing(), "/dev/null")
    assert Path("/dev/null").is_char_device()


def test_a_full_disk_is_said_plainly() -> None:
    with pytest.raises(UnwritablePath, match="No space left on device"):
        write_json(runs.nothing(), "/dev/full")


def test_a_failed_write_leaves_the_old_report_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(UnwritablePath, match="No space left"):
        write_json(runs.nothing(), path)
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]
    assert path.read_text() == "old"
