"""What is saved is read back, and has a line for each case."""

from __future__ import annotations

import json
from pathlib import Path

from ward.saving import save_results, save_rows

ROWS = [{"case": "a · 0", "step": None}, {"case": "b", "step": 0.5}]


def test_rows(tmp_path: Path) -> None:
    save_rows(tmp_path / "rows.json", ROWS)
    text = (tmp_path / "rows.json").read_text()
    assert json.loads(text) == ROWS
    save_rows(tmp_path / "rows.json", [{"loss": float("nan"), "left": float("inf")}])
    assert json.loads((tmp_path / "rows.json").read_text()) == [{"loss": None, "left": None}]
    assert sum('"case"' in line for line in text.splitlines()) == len(ROWS)


def test_results(tmp_path: Path) -> None:
    save_results(tmp_path / "results.json", {"minutes": 3.5, "warm": False}, ROWS)
    assert json.loads((tmp_path / "results.json").read_text()) == {"minutes": 3.5, "warm": False, "outcomes": ROWS}
