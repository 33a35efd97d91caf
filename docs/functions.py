"""A mkdocs hook that writes a page for each function of the catalogue, and one that shows them all."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import limen.nn
from limen.activations import get, names
from limen.functions import PROPERTIES, Subject, about, facts, formula, look_up, panels, properties
from limen.functions.table import HEAD, row
from limen.report.plot import STYLE, Panel, svg, thumbnail

ROOT = Path(__file__).parents[1]
KINDS = {"elementwise": "Elementwise", "gated": "Gated units", "head": "Heads"}
GALLERY = """
.limen-gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(148px, 1fr)); gap: 12px;
  margin: 1.5em 0; }
.limen-gallery a { display: block; padding: 10px 10px 6px; border: 1px solid var(--md-default-fg-color--lightest);
  border-radius: 8px; color: var(--md-default-fg-color); text-align: center; font-size: .68rem; line-height: 1.4; }
.limen-gallery a:hover { border-color: var(--md-accent-fg-color); color: var(--md-accent-fg-color); }
.limen-gallery svg { display: block; width: 100%; height: auto; margin-bottom: 4px; }
.limen-figure { margin: 1.2em 0 1.6em; overflow-x: auto; }
.limen-figure svg { min-width: 560px; }
.limen-table td, .limen-table th { padding: .4em .8em !important; min-width: 0 !important; }
.limen-table td:nth-child(1), .limen-table td:nth-child(3) { white-space: nowrap; }
.limen-table td:nth-child(2) { min-width: 14em !important; }
.limen-sheet thead { display: none; }
.limen-sheet td { padding: .5em 1em !important; }
.limen-sheet td:first-child { white-space: nowrap; color: var(--md-default-fg-color--light); }
"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put a page for each function into the navigation, under its kind."""
    chapters: list[Any] = ["functions/index.md"]
    chapters += [{title: [f"functions/{name}.md" for name in names(kind=kind)]} for kind, title in KINDS.items()]
    assert config.nav is not None
    config.nav = [{"Functions": chapters} if entry == {"Functions": "functions"} else entry for entry in config.nav]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for path, text in generated():
        files.append(File.generated(config, path, content=text))
    return files


def generated() -> Iterator[tuple[str, str]]:
    """Every generated page: its path below ``docs`` and its text."""
    measured = numerics()
    yield "functions/index.md", overview()
    for name in names():
        yield f"functions/{name}.md", function_page(look_up(name), measured.get(name, []))


def overview() -> str:
    """All functions: those with a curve as pictures, then a table of each kind."""
    lines = [
        "---\nhide:\n  - toc\n---",
        "",
        "# Functions",
        "",
        f"The {len(names())} functions that limen knows by name. `limen functions` prints this table, "
        "`limen functions NAME` a sheet with its curves, `limen.activations.get(NAME)` is the function itself. "
        "Each property on a sheet is checked by a test; `limen.activations.describe` finds the same of any function "
        "of your own. In the tables *slope* is the steepest there is, the Lipschitz constant, and *bytes* the least "
        "that a backward pass must keep of each element in float32; `s` is the logistic function.",
        "",
        f"<style>{STYLE}{GALLERY}</style>",
    ]
    for kind, title in KINDS.items():
        lines += ["", f"## {title}", ""]
        if kind == "elementwise":
            lines += [
                "*Flat* means that the slope is below 1 % of the steepest one; a unit is *dead* where its function is "
                "flat and its output about zero. In the pictures the blue line is the function, the orange one its "
                "slope.",
                "",
                gallery(),
                "",
            ]
        rows = table([look_up(name) for name in names(kind=kind)])  # type: ignore[arg-type]
        lines += ['<div class="limen-table" markdown>', "", *rows, "", "</div>", ""]
    lines += ["## Words for `--where`", "", "| word | what it means |", "| --- | --- |"]
    lines += [f"| `{word}` | {cell(meaning)} |" for word, (meaning, _) in PROPERTIES.items()]
    return "\n".join(lines) + "\n"


def gallery() -> str:
    cards = []
    for name in names(kind="elementwise"):
        value, slope, _ = panels([look_up(name)])
        both = Panel("f", (*value.lines, *slope.lines), value.x)
        cards.append(f'<a href="{name}/">{thumbnail(both, title=f"{name} and its slope")}{name}</a>')
    return f'<div class="limen-gallery">{"".join(cards)}</div>'


def table(subjects: list[Subject]) -> list[str]:
    lines = [f"| {' | '.join(HEAD)} |", f"|{' --- |' * len(HEAD)}"]
    for subject in subjects:
        name, short, *rest = map(cell, row(subject))
        lines.append(f"| [`{name}`]({name}.md) | {short} | {' | '.join(rest)} |")
    return lines


def function_page(subject: Subject, measured: list[str]) -> str:
    """The sheet of a function with its curves, what to know of it, and how true it is."""
    lines = [f"# {subject.name}", "", f"*{subject.kind} function* · {cell(formula(subject.text))}", ""]
    lines += [f"<style>{STYLE}{GALLERY}</style>", ""]
    if subject.curves is not None:
        picture = svg(panels([subject]), title=f"{subject.name}: value, slope and curvature", style=False, wide=230.0)
        lines += [f'<div class="limen-figure">{picture}</div>', ""]
    lines += [marked(part) for part in about(subject.text)]
    lines += ["## Sheet", "", '<div class="limen-sheet" markdown>', "", "| property | |", "| --- | --- |"]
    lines += [f"| {name} | {cell(words)} |" for name, words in facts(subject)]
    lines += [f"| words | {', '.join(f'`{word}`' for word in properties(subject))} |", "", "</div>", ""]
    lines += [marked(f"Source: {subject.source}.")]
    if measured:
        lines += ["## How true", "", *measured, ""]
    lines += ["## In code", "", "```python", f"limen.activations.get({call(subject)})", *module(subject), "```", ""]
    return "\n".join(lines)


def marked(paragraph: str) -> str:
    """A paragraph of a docstring with its heading in bold and its code as code."""
    heading, colon, rest = paragraph.partition(": ")
    text = f"**{heading}:** {rest}" if colon and re.fullmatch(r"[A-Z][a-z]+", heading) else paragraph
    return text.replace("``", "`") + "\n"


def call(subject: Subject) -> str:
    """The arguments that ``get`` may be given."""
    return ", ".join([f'"{subject.name}"', *(f"{name}={value!r}" for name, value in subject.parameters.items())])


def module(subject: Subject) -> list[str]:
    """How its module is called, where ``limen.nn`` has a class for it."""
    name = type(get(subject.name)).__name__
    return [f"limen.nn.{name}  # the module"] if name in limen.nn.__all__ else []


def cell(text: str) -> str:
    """Text for a table, where an upright stroke would end the cell."""
    return text.replace("|", "&#124;").replace("*", "\\*").replace("<", "&lt;")


def numerics() -> dict[str, list[str]]:
    """What the benchmark of numerics measured last, a table for each function."""
    result = json.loads((ROOT / "benchmarks" / "results" / "numerics.json").read_text())
    rows = {(row["function"], row["type"], row["what"]): row for row in result["rows"] if "input" not in row}
    head = [
        "The largest error in units in the last place and the input where it is, measured by "
        "`python -m benchmarks.numerics`: [how](../numerics.md). A dash where torch has no such operator.",
        "",
        "| type | value, limen | value, torch | slope, limen | slope, torch |",
        "| --- | --- | --- | --- | --- |",
    ]
    found: dict[str, list[str]] = {}
    for function, kind, _ in dict.fromkeys((function, kind, "") for function, kind, _ in rows):
        cells = [
            error(rows[function, kind, what], who) if (function, kind, what) in rows else "–"
            for what in ("value", "slope")
            for who in ("limen", "torch")
        ]
        found.setdefault(function, [*head]).append(f"| {kind} | {' | '.join(cells)} |")
    return found


def error(measured: dict[str, Any], who: str) -> str:
    size = measured[who]
    if size is None:
        return "–"
    where = f" at {measured[f'{who}_at']:.4g}" if measured[f"{who}_wrong"] else ""
    return f"{'∞' if math.isinf(size) else f'{size:.2g}'}{where}"
