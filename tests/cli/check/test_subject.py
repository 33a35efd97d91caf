"""``MODULE:FACTORY``: finding it."""

from __future__ import annotations

import calendar
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch import nn

from limen.cli.check.subject import build, find
from limen.errors import InvalidValue

NET = """
from __future__ import annotations
from dataclasses import dataclass
from beside import WIDTH

@dataclass
class Size:
    width: int = WIDTH

def build() -> int:
    return Size().width
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "beside.py").write_text("WIDTH = 7\n")
    yield tmp_path
    for name, module in [*sys.modules.items()]:
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("name", ["my_own_net.py", "json.py", "calendar.py"])
def test_a_file_is_the_one_that_is_named_whatever_else_bears_its_name(folder: Path, name: str) -> None:
    (folder / name).write_text(NET)
    assert find(f"{folder / name}:build")() == 7
    assert (sys.modules["json"], sys.modules["calendar"]) == (json, calendar)


def test_a_file_is_run_once(folder: Path) -> None:
    (folder / "my_own_net.py").write_text(NET)
    subject = f"{folder / 'my_own_net.py'}:build"
    assert find(subject) is find(subject)


def test_what_a_file_raises_is_told_with_its_line(folder: Path) -> None:
    (folder / "my_own_net.py").write_text("\n1 / 0\n")
    with pytest.raises(InvalidValue, match=r"raised ZeroDivisionError: division by zero \(my_own_net\.py, line 2\)"):
        find(f"{folder / 'my_own_net.py'}:build")
    assert "my_own_net" not in sys.modules


def test_a_file_or_a_factory_that_leaves_is_told(folder: Path) -> None:
    (folder / "leaves.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(InvalidValue, match=r"raised SystemExit: 3 \(leaves\.py, line 2\)"):
        find(f"{folder / 'leaves.py'}:build")
    with pytest.raises(InvalidValue, match="the factory raised SystemExit: 3"):
        build(lambda: sys.exit(3), "net.py:build")


ARGUMENTS = """
import argparse, sys
parser = argparse.ArgumentParser()
parser.add_argument("--width", type=int, default=7)
options = parser.parse_args()
seen = sys.argv

def build():
    return options.width, sys.argv, parser.prog
"""


@pytest.mark.parametrize("by_name", [False, True], ids=["file", "module"])
def test_a_file_is_imported_as_if_started_without_arguments(
    folder: Path, monkeypatch: pytest.MonkeyPatch, by_name: bool
) -> None:
    (folder / "parses.py").write_text(ARGUMENTS)
    monkeypatch.chdir(folder)
    own = ["limen", "check", "parses.py:build", "--input", "3"]
    monkeypatch.setattr(sys, "argv", own)
    name = "parses" if by_name else "parses.py"
    assert find(f"{name}:build")() == (7, own, "parses" if by_name else "parses.py")
    assert find(f"{name}:seen") == [name]
    assert sys.argv is own


def test_a_factory_is_called_as_if_started_without_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    own = ["limen", "check", "net.py:build"]
    monkeypatch.setattr(sys, "argv", own)
    seen: list[list[str]] = []

    def parses() -> nn.Module:
        seen.append(sys.argv)
        return nn.ReLU()

    build(parses, "net.py:build")
    assert seen == [["net.py"]]
    assert sys.argv is own


def test_a_file_that_cannot_do_without_arguments_is_told_the_way_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "needy.py").write_text(ARGUMENTS.replace("default=7", "required=True"))
    monkeypatch.setattr(sys, "argv", own := ["limen", "check", "needy.py:build"])
    with pytest.raises(InvalidValue) as raised:
        find(f"{folder / 'needy.py'}:build")
    assert str(raised.value).endswith(
        "raised SystemExit: 2 (needy.py, line 5). Let the script parse its arguments and train under "
        '`if __name__ == "__main__":`, so that it can be imported.'
    )
    assert sys.argv is own
    assert "needy" not in sys.modules


def test_what_a_file_does_not_find_is_told(folder: Path) -> None:
    (folder / "my_own_net.py").write_text("import no_such_package\n")
    with pytest.raises(InvalidValue, match="raised ModuleNotFoundError: No module named 'no_such_package'"):
        find(f"{folder / 'my_own_net.py'}:build")
