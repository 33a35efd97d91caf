"""The pages of the functions: one for each, with its curve and what its sheet says."""

from __future__ import annotations

import importlib.util
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

from limen.activations import get, names
from limen.functions import facts, look_up

pytest.importorskip("mkdocs")
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("functions", DOCS / "functions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(hook: ModuleType) -> dict[str, str]:
    return dict(hook.generated())


def test_every_function_has_a_page_and_the_index_leads_to_it(pages: dict[str, str]) -> None:
    assert set(pages) == {"functions/index.md", *(f"functions/{name}.md" for name in names())}
    index = pages["functions/index.md"]
    assert all(f"[`{name}`]({name}.md)" in index for name in names())
    assert re.findall(r'<a href="(\w+)/">', index) == list(names(kind="elementwise"))


@pytest.mark.parametrize("name", names())
def test_a_page_says_what_the_command_says(name: str, pages: dict[str, str], hook: ModuleType) -> None:
    page = pages[f"functions/{name}.md"]
    for label, words in facts(look_up(name)):
        assert label == "rounding" or f"| {label} | {hook.cell(words)} |" in page
    assert get(name, kind=None).source in page
    drawn = re.findall(r"<svg.*?</svg>", page)
    assert len(drawn) == (name in names(kind="elementwise"))
    for picture in drawn:
        ET.fromstring(picture)


def test_no_table_is_broken_by_a_formula(pages: dict[str, str]) -> None:
    for text in pages.values():
        tables = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
        assert tables
        for one in tables:
            assert len({row.count("|") for row in one.splitlines()}) == 1


@pytest.mark.parametrize("name", names())
def test_the_code_on_a_page_makes_that_function(name: str, pages: dict[str, str]) -> None:
    (call,) = re.findall(r"^limen\.activations\.get\((.*)\)$", pages[f"functions/{name}.md"], re.MULTILINE)
    made = eval(f"get({call})", {"get": get})
    assert made == get(name, kind=None)
