"""The pages of the documentation that are made from the code: one for each name, with the limits of its check."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import torch

from limen.findings import CAUSES, REMEDIES, SYMPTOMS, Thresholds, page
from limen.findings.causes import EXPLANATIONS, FACTS
from limen.findings.rules import RULES

pytest.importorskip("mkdocs")
DOCS = Path(__file__).parents[2] / "docs"
NAMES = [*RULES, *dict.fromkeys((*EXPLANATIONS, *FACTS)), *REMEDIES]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_every_name_has_a_page_that_says_what_limen_explain_says(name: str, generate: ModuleType) -> None:
    assert name in generate.pages()
    told = re.sub(r"[`*\[\]]|\(\S+\.md\)", "", generate.manual_page(name)).lower()
    plain = page(name).partition("\n\n")[2]
    first = " ".join(plain.split("\n\n")[0].split()).replace("`", "")
    assert first.lower() in " ".join(told.split())


@pytest.mark.parametrize("name", [*RULES, *EXPLANATIONS, *FACTS])
def test_the_limits_on_a_page_are_those_in_force(name: str, generate: ModuleType) -> None:
    told = re.findall(r"^\| \[`(\w+)`\]\(limits\.md\) \| (\S+) \| .+ \| (.+) \|$", generate.limits_read(name), re.M)
    assert all(float(value) == pytest.approx(getattr(Thresholds(), field)) for field, value, _ in told)
    assert all(source for _, _, source in told)


def test_the_page_of_dead_units_has_the_evidence_that_they_need(generate: ModuleType) -> None:
    told = generate.limits_read("dead-units")
    for wanted in ("| [`samples`](limits.md) | 1000 |", "| [`surprise`](limits.md) | 5 |", "| `FIRST_STEPS` | 5 |"):
        assert wanted in told


def test_every_limit_is_read_by_a_check_and_listed(generate: ModuleType) -> None:
    listed = set(re.findall(r"^\| `(\w+)` \|", generate.limits_page(), re.M))
    assert set(vars(Thresholds())) <= listed


def test_the_overview_names_every_page(generate: ModuleType) -> None:
    text = generate.overview()
    assert all(f"({name}.md)" in text for name in NAMES)
    assert "not looked for yet" not in text


def test_the_whole_vocabulary_is_looked_for_and_nothing_else() -> None:
    assert set(RULES) == set(SYMPTOMS)
    assert {*EXPLANATIONS, *FACTS} == set(CAUSES)


def test_the_page_of_modules_tells_what_may_overwrite_its_input(generate: ModuleType) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w*) \| (\w+) \| (\w*) \| \w* \| \w* \|$", generate.modules_table(), re.M)
    assert ("ReLU", "yes", "output", "yes") in rows
    assert ("Snake", "", "input", "") in rows
    for name, torchs, kept, inplace in rows:
        assert bool(torchs) == hasattr(torch.nn, name)
        assert (kept == "output") == (inplace == "yes")
