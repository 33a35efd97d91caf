"""Imports point down the table of rooms, at the top of the file, and by their full name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "src" / "limen"
FILES = sorted(ROOT.glob("**/*.py"))

BOTTOM = {"errors", "sites"}
"""What anyone may import: the exceptions, and the addresses that all rooms speak of."""

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "sites": set(),
    "environment": {"kernels"},
    "ranks": set(),
    "activations": BOTTOM,
    "theory": BOTTOM | {"activations", "anatomy"},
    "init": BOTTOM | {"theory", "anatomy", "activations"},
    "preflight": BOTTOM | {"anatomy", "theory", "findings", "init", "activations"},
    "kernels": BOTTOM,
    "nn": BOTTOM | {"activations", "kernels"},
    "vitals": BOTTOM | {"activations"},
    "anatomy": BOTTOM | {"activations"},
    "findings": BOTTOM | {"vitals", "activations"},
    "journal": BOTTOM | {"ranks", "vitals", "findings"},
    "treatments": BOTTOM | {"vitals", "findings", "journal", "anatomy", "activations"},
    "probe": BOTTOM | {"vitals", "anatomy", "kernels", "activations"},
    "report": BOTTOM | {"vitals", "findings", "journal", "activations"},
    "functions": BOTTOM | {"activations", "theory", "report"},
    "manual": BOTTOM | {"findings", "activations", "preflight", "functions"},
    "progress": BOTTOM | {"findings", "journal", "probe"},
    "terms": BOTTOM,
    "watch": BOTTOM | {"progress", "ranks", "terms", "vitals", "findings", "journal", "treatments", "probe", "report"},
    "launch": BOTTOM,
    "demo": BOTTOM | {"progress", "watch", "journal", "report", "findings", "vitals"},
    "cli": {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in FILES} - {"cli", "__main__", "__init__"},
    "__main__": {"cli"},
    "__init__": {"activations", "errors", "findings", "init", "journal", "manual", "nn"}
    | {"preflight", "theory", "vitals", "watch"},
}
"""The table of rooms. An edge that is not here needs a reason, and then a line here and in the documentation."""

PAGE = Path(__file__).parents[2] / "docs" / "how-it-works.md"

LAZY = {"report", "cli", "integrations", "demo"}
"""Rooms that may import inside a function, and only what is optional or slow."""

Import = tuple[ast.Import | ast.ImportFrom, bool]  # the statement and whether it stands inside a function


def room_of(file: Path) -> str:
    return file.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(tree: ast.AST, inside: bool = False) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, inside
        yield from imports(node, inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))


def names_of(node: ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {f"{node.module}.{alias.name}" for alias in node.names}


def rooms_imported(file: Path) -> set[str]:
    found = set[str]().union(*(names_of(node) for node, _ in imports(ast.parse(file.read_text()))))
    return {name.split(".")[1] for name in found if name.startswith("limen.")} - {"__version__"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_point_downwards(file: Path) -> None:
    assert rooms_imported(file) <= MAY_IMPORT[room_of(file)] | {room_of(file)}


def test_the_table_of_rooms_has_no_way_back_up() -> None:
    """Each room can be put above all it may import: otherwise two rooms could come to need each other."""
    left = dict(MAY_IMPORT)
    while left:
        lowest = {room for room, below in left.items() if not below & set(left)}
        assert lowest, f"these rooms may import each other in a circle: {sorted(left)}"
        left = {room: below for room, below in left.items() if room not in lowest}


def test_the_documentation_shows_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)/?` \| .+ \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    shown = {room: set() if below == "–" else set(below.split(", ")) for room, below in rows}
    rooms = {room: below - BOTTOM for room, below in MAY_IMPORT.items() if not room.startswith("__")}
    rooms["cli"] = {"everything"}
    assert shown == rooms


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_are_absolute_and_at_the_top(file: Path) -> None:
    for node, inside in imports(ast.parse(file.read_text())):
        assert isinstance(node, ast.Import) or node.level == 0, f"line {node.lineno}: relative"
        assert not inside or room_of(file) in LAZY, f"line {node.lineno}: inside a function"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_findings_and_reports_never_touch_torch(file: Path) -> None:
    """They are made from values, so that they work from a journal on a machine without a model."""
    if room_of(file) not in {"findings", "report", "journal", "vitals", "sites", "errors"}:
        return
    for node, _ in imports(ast.parse(file.read_text())):
        assert not any(name.split(".")[0] == "torch" for name in names_of(node)), f"line {node.lineno}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_holds_one_thing(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 350
