"""The demo as a user meets it."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from limen.demo import main
from limen.demo.show import limen_command
from limen.errors import UnknownName, UnwritablePath


def told(tmp_path: Path, *, terminal: bool = False, width: int = 100) -> str:
    screen = io.StringIO()
    console = Console(file=screen, width=width, force_terminal=terminal, color_system=None)
    code = main(report=tmp_path / "a.html", json=tmp_path / "a.json", console=console, environment={"torch": "2"})
    assert code == 0
    return screen.getvalue()


def test_it_tells_the_story_in_order_and_writes_both_reports(tmp_path: Path) -> None:
    words = told(tmp_path)
    expected = [
        "limen demo   1,347 handwritten digits",
        "1  Left sick   learning rate 0.9",
        "found     dead-units at relu1, fed by layer hidden1, since step",
        "why       learning-rate-too-high",
        "2  Repaired",
        "repaired  after step",
        "learning rate of SGD multiplied by",
        "incoming weights drawn anew",
        "3  Healthy control",
        "found     nothing: 2 sites, 660 steps watched",
        "test accuracy",
        "left sick         0.9",
        "repaired          0.9 → ",
        "healthy control   0.05",
    ]
    places = [words.find(line) for line in expected]
    assert -1 not in places, expected[places.index(-1)]
    assert places == sorted(places)
    assert "<html" in (tmp_path / "a.html").read_text()
    report = json.loads((tmp_path / "a.json").read_text())
    assert report["verdict"] == "healthy"
    assert [treatment["name"] for treatment in report["treatments"]] == ["lower-learning-rate", "revive-units"]


def test_on_80_columns_no_line_is_longer_or_ends_in_blanks_and_no_number_loses_its_percent_sign(tmp_path: Path) -> None:
    *lines, _, own = told(tmp_path, width=80).splitlines()  # the last but one names two files, which may be long
    assert [line for line in lines if len(line) > 80 or line != line.rstrip() or line.lstrip().startswith("%")] == []
    assert own.endswith("run your_script.py")


def test_the_command_for_ones_own_script_is_one_that_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = tmp_path / ".venv" / "bin"
    scripts.mkdir(parents=True)
    assert limen_command(scripts, tmp_path) == "python -m limen"
    (scripts / "limen").touch(mode=0o755)
    monkeypatch.setenv("PATH", "/usr/bin")
    assert limen_command(scripts, tmp_path) == ".venv/bin/limen"
    assert limen_command(scripts, tmp_path / "elsewhere") == str(scripts / "limen")
    monkeypatch.setenv("PATH", f"{scripts}:/usr/bin")
    assert limen_command(scripts, tmp_path) == "limen"


def test_a_terminal_shows_where_the_training_stands(tmp_path: Path) -> None:
    assert "of 660" in told(tmp_path, terminal=True)


def test_unknown_data_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="'digit'"):
        main(data="digit", report=tmp_path / "a.html", json=tmp_path / "a.json")


def test_a_report_that_cannot_be_written_is_found_before_the_training(tmp_path: Path) -> None:
    screen = io.StringIO()
    with pytest.raises(UnwritablePath, match="nowhere"):
        main(report=tmp_path / "nowhere" / "a.html", json=tmp_path / "a.json", console=Console(file=screen))
    assert screen.getvalue() == ""
