"""Imports point down the table of rooms, at the top of the file, and by their full name."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2] / "src" / "limen"
FILES = sorted(ROOT.glob("**/*.py"))

BOTTOM = {"errors", "sites"}
"""What anyone may import: the exceptions, and the addresses that all rooms speak of."""

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "sites": set(),
    "environment": {"kernels", "probe"},
    "lasting": set(),
    "ranks": set(),
    "activations": BOTTOM,
    "theory": BOTTOM | {"activations", "anatomy"},
    "init": BOTTOM | {"theory", "anatomy", "activations"},
    "preflight": BOTTOM | {"anatomy", "theory", "findings", "init", "activations"},
    "kernels": BOTTOM | {"lasting"},
    "nn": BOTTOM | {"activations", "kernels"},
    "vitals": BOTTOM | {"activations", "lasting"},
    "anatomy": BOTTOM | {"activations"},
    "findings": BOTTOM | {"vitals", "activations"},
    "journal": BOTTOM | {"lasting", "ranks", "vitals", "findings"},
    "treatments": BOTTOM | {"vitals", "findings", "journal", "anatomy", "activations"},
    "probe": BOTTOM | {"vitals", "anatomy", "kernels", "lasting", "activations"},
    "report": BOTTOM | {"vitals", "findings", "journal", "activations"},
    "functions": BOTTOM | {"activations", "theory", "report"},
    "manual": BOTTOM | {"findings", "activations", "preflight", "functions"},
    "progress": BOTTOM | {"findings", "journal", "probe"},
    "terms": BOTTOM,
    "voice": set(),
    "active": BOTTOM | {"probe"},
    "watch": BOTTOM
    | {"active", "progress", "ranks", "terms", "vitals", "findings", "journal", "treatments", "probe", "report"}
    | {"voice"},
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


@functools.cache
def imports_of(file: Path) -> list[Import]:
    return list(imports(ast.parse(file.read_text())))


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def rooms_imported(file: Path) -> set[str]:
    found = set[str]().union(*(names_of(node) for node, _ in imports_of(file)))
    return {name.split(".")[1] for name in found if name.startswith("limen.")} - {"__version__"}


def test_imports_point_downwards() -> None:
    upwards = {name_of(file): rooms_imported(file) - MAY_IMPORT[room_of(file)] - {room_of(file)} for file in FILES}
    assert {file: rooms for file, rooms in upwards.items() if rooms} == {}


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


def test_imports_are_absolute() -> None:
    relative = [
        f"{name_of(file)}, line {node.lineno}"
        for file in FILES
        for node, _ in imports_of(file)
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert relative == []


def test_imports_stand_at_the_top() -> None:
    within = [
        f"{name_of(file)}, line {node.lineno}"
        for file in FILES
        for node, inside in imports_of(file)
        if inside and room_of(file) not in LAZY
    ]
    assert within == []


def test_findings_and_reports_never_touch_torch() -> None:
    """They are made from values, so that they work from a journal on a machine without a model."""
    touching = [
        f"{name_of(file)}, line {node.lineno}"
        for file in FILES
        for node, _ in imports_of(file)
        if room_of(file) in {"findings", "report", "journal", "vitals", "sites", "errors"}
        and any(name.split(".")[0] == "torch" for name in names_of(node))
    ]
    assert touching == []


def test_a_file_holds_one_thing() -> None:
    files = [*FILES, *ROOT.glob("**/*.pyi"), *ROOT.glob("**/*.[ch]")]
    lengths = {name_of(file): len(file.read_text().splitlines()) for file in files}
    assert {file: lines for file, lines in lengths.items() if lines > 350} == {}
