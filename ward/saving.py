"""Results as files that a person can read and ``git diff`` can compare: one case a line."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["save_results", "save_rows"]


def rows_of(rows: Sequence[Mapping[str, Any]]) -> str:
    return "[\n" + ",\n".join(json.dumps(finite(row), ensure_ascii=False, allow_nan=False) for row in rows) + "\n]"


def finite(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same with None for what JSON has no word for: NaN and infinities."""
    return {key: None if isinstance(x, float) and not math.isfinite(x) else x for key, x in row.items()}


def save_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """A list, one entry a line."""
    path.write_text(rows_of(rows) + "\n")


def save_results(path: Path, about: Mapping[str, Any], outcomes: Sequence[Mapping[str, Any]]) -> None:
    """What is known of a run of the ward, and its outcomes, one a line."""
    path.write_text(f'{json.dumps(about)[:-1]}, "outcomes": {rows_of(outcomes)}}}\n')
