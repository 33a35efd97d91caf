"""What watching costs, as the page and the README say it: the figures that were measured, and no others."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("mkdocs")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cost", ROOT / "docs" / "cost.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_says_what_was_measured(hook: ModuleType) -> None:
    assert hook.excerpt() in (ROOT / "README.md").read_text()


def test_the_page_has_each_model_and_each_way_of_watching(hook: ModuleType) -> None:
    text = hook.page()
    for row in json.loads((ROOT / "benchmarks" / "results" / "watching.json").read_text())["rows"]:
        assert f"{row['model']}, {row['step_ms'][1]:.0f} ms" in text
        for way, measured in row["cost"].items():
            assert way == "bare" or (way in hook.WAYS and hook.WAYS[way] in text)
            assert hook.cost(measured, own=True) in text


@pytest.mark.parametrize(
    ("ratio", "said"), [(1.0272, "+2.7"), (0.9987, "-0.1"), (1.487, "+49"), (452.04, "+45,104"), (1.0, "+0.0")]
)
def test_a_ratio_is_said_in_per_cent(hook: ModuleType, ratio: float, said: str) -> None:
    assert hook.cost({"ratio": [0.0, ratio, 9.0], "inside": None}, own=True) == said
