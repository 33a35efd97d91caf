"""The page on preflight says what the code does."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from limen.preflight.rules import CHECKS
from tests.preflight.healthy import HEALTHY
from tests.preflight.mutants import MUTANTS
from tests.preflight.test_transformers import FAMILIES

PAGE = Path(__file__).parents[2] / "docs" / "preflight.in"


def test_every_line_of_the_page_is_what_the_code_prints() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert found.failed == 0
    assert found.attempted > 8


def test_the_page_names_every_check() -> None:
    named = set(re.findall(r"findings/([a-z-]+)\.md", PAGE.read_text())) - {"limits"}
    assert named == {"bad-bias"} | {cause for cause, _ in CHECKS.values()}  # a check of silent units names it


def test_the_page_counts_the_models() -> None:
    words = " ".join(PAGE.read_text().split())
    assert f"{len(HEALTHY)} correct models" in words
    assert f"{len(MUTANTS)} of them with one fault each" in words
    assert ("fourteen families" in words) == (len(FAMILIES) == 14)
