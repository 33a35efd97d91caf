"""The page of requirements: every test that it names exists, and no number is told twice."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = re.findall(r"^\| ([\d, ]+) \| (.+) \| `(.+)::(\w+)` \|$", (ROOT / "docs" / "requirements.md").read_text(), re.M)


@pytest.mark.parametrize(("file", "test"), sorted({(file, test) for _, _, file, test in ROWS}))
def test_the_test_that_proves_a_requirement_exists(file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_is_read_and_no_number_stands_in_two() -> None:
    text = (ROOT / "docs" / "requirements.md").read_text()
    assert len(ROWS) == text.count("\n| ") - 2  # but for the head
    told = [number for numbers, *_ in ROWS for number in numbers.split(", ")]
    assert sorted(told, key=int) == sorted(set(told), key=int)
    assert all(1 <= int(number) <= 381 for number in told)
