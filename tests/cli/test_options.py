from pathlib import Path
from typing import Any

import pytest

from limen.cli.options import RunOptions, run_options
from limen.errors import InvalidValue

ASKED: dict[str, Any] = {
    "report": None,
    "json": None,
    "journal": None,
    "budget": "0.01",
    "treat": "off",
    "strict": False,
    "quiet": False,
    "fail_on": None,
}


def options(**asked: object) -> RunOptions:
    return run_options(**{**ASKED, **asked})


@pytest.mark.parametrize(
    ("text", "share"),
    [("0.01", 0.01), ("1", 1.0), ("1e-3", 0.001), ("1%", 0.01), ("0.5 %", 0.005), ("100%", 1.0), ("every", None)],
)
def test_a_budget_is_a_share_or_every_step(text: str, share: float | None) -> None:
    assert options(budget=text).budget == share


@pytest.mark.parametrize(
    "text", ["0", "-0.1", "1.01", "inf", "nan", "0%", "101%", "nan%", "%", "1%%", "1 per cent", "", "Every", "None"]
)
def test_anything_else_is_no_budget(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"--budget: expected a share .*; found '"):
        options(budget=text)


def test_the_first_process_of_a_distributed_run_speaks_and_the_others_only_keep_journals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORLD_SIZE", "4")
    for rank, number, journal in (("0", 0, "a.limen"), ("2", 2, "a.rank2.limen"), ("nonsense", 0, "a.limen")):
        monkeypatch.setenv("RANK", rank)
        asked = options(json=Path("a.json"), report=Path("a.html"), journal=Path("a.limen"))
        assert (asked.rank, asked.quiet, asked.journal) == (number, number > 0, tmp_path / journal)
        assert (asked.json, asked.report) == ((None, None) if number else (tmp_path / "a.json", tmp_path / "a.html"))
