"""A mkdocs hook that writes the pages which say what the code says: findings, commands, JSON."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from limen import activations, theory
from limen.findings import SYMPTOMS, Thresholds
from limen.findings.causes import EXPLANATIONS, FACTS
from limen.findings.rules import RULES
from limen.kernels import functions as kernels
from limen.manual import explain as page
from limen.manual import names as named
from limen.nn.conversion import CLASSES
from limen.nn.entries import call_of, keeps_output
from limen.nn.native import OPERATORS
from limen.preflight import Limits
from limen.vitals import EVIDENCE

ROOT = Path(__file__).parents[1]
KINDS = {"symptom": "Symptoms", "cause": "Causes", "remedy": "Remedies", "word": "Words"}
HEADINGS = "Why it matters|How it is measured|Known to misfire|Answered by|Source"
COMMANDS = ("run", "check", "explain", "functions", "report", "env", "demo")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put a page for each finding into the navigation, under its kind."""
    chapters: list[Any] = ["findings/index.md"]
    chapters += [{title: [f"findings/{name}.md" for name in of_kind(kind)]} for kind, title in KINDS.items()]
    chapters.append({"Limits": "findings/limits.md"})
    assert config.nav is not None
    config.nav = [{"Findings": chapters} if entry == {"Findings": "findings"} else entry for entry in config.nav]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for path, text in generated():
        files.append(File.generated(config, path, content=text))
    return files


def generated() -> Iterator[tuple[str, str]]:
    """Every generated page: its path below ``docs`` and its text."""
    yield "findings/index.md", overview()
    for name in pages():
        yield f"findings/{name}.md", manual_page(name)
    yield "findings/limits.md", limits_page()
    yield "numerics.md", (ROOT / "docs" / "numerics.in").read_text() + numerics_tables()
    yield "modules.md", (ROOT / "docs" / "modules.in").read_text() + modules_table()
    yield "theory.md", (ROOT / "docs" / "theory.in").read_text() + gains_table()
    yield "initialisation.md", (ROOT / "docs" / "initialisation.in").read_text() + initialisation_tables()
    yield "command-line.md", (ROOT / "docs" / "command-line.in").read_text() + "".join(map(command_help, COMMANDS))
    yield "preflight.md", (ROOT / "docs" / "preflight.in").read_text()
    yield "json.md", json_page()
    yield "changelog.md", (ROOT / "CHANGELOG.md").read_text()
    yield "contributing.md", (ROOT / "CONTRIBUTING.md").read_text()


def pages() -> tuple[str, ...]:
    """Names that have a page below findings."""
    return tuple(name for kind, names in named().items() if kind != "activation" for name in names)


def kind_of(name: str) -> str:
    return page(name).splitlines()[0].rpartition("(")[2].rstrip(")")


def of_kind(kind: str) -> list[str]:
    return [name for name in pages() if kind_of(name) == kind]


def summary(name: str) -> str:
    """The first sentence of a page, on one line."""
    text = " ".join(page(name).split("\n\n")[1].split())
    return re.split(r"(?<=[a-z)])\. ", text)[0].rstrip(".") + "."


def overview() -> str:
    lines = [
        "# Findings",
        "",
        "A **symptom** is what is seen, a **cause** why it happens, a **remedy** what to do about it. "
        "`limen explain NAME` prints the same pages in the terminal.",
    ]
    for kind, title in KINDS.items():
        lines += ["", f"## {title}", "", "| name | what it is |", "| --- | --- |"]
        lines += [f"| [`{name}`]({name}.md) | {summary(name)} |" for name in of_kind(kind)]
    unseen = [f"`{name}`" for name in SYMPTOMS if name not in pages()]
    if unseen:
        lines += ["", f"Named in the vocabulary, but not looked for yet: {', '.join(unseen)}."]
    return "\n".join(lines) + "\n"


def manual_page(name: str) -> str:
    """The page of ``limen explain`` with its headings in bold and the names in it linked."""
    paragraphs = page(name).split("\n\n")[1:]
    text = "\n\n".join(map(headed, paragraphs))
    known = sorted(set(pages()) - {name, *of_kind("word")}, key=len, reverse=True)  # words are everywhere
    names = "|".join(map(re.escape, known))
    text = re.sub(rf"(?<![\w/.-])({names})(?![\w-])", r"[`\1`](\1.md)", text)
    return f"# {name}\n\n*{kind_of(name)}*\n\n{text}\n" + limits_read(name)


def limits_read(name: str) -> str:
    """What the check of a symptom or cause compares with.

    Fields of ``Thresholds`` that its file reads or those that it imports do, then numbers of its own file.
    """
    checks = [RULES.get(name), EXPLANATIONS.get(name), FACTS[name].sight if name in FACTS else None]
    files = dict.fromkeys(inspect.getsourcefile(inspect.unwrap(one)) or "" for one in checks if one is not None)
    source = "\n".join(Path(file).read_text() for file in files)
    asked = re.findall(r"^from limen\.findings\.([a-z_]+) import", source, flags=re.M)
    read = set(re.findall(r"\blimits\.(\w+)", "".join([source, *map(findings_file, asked)])))
    read |= {one.name for one in dataclasses.fields(EVIDENCE)} if "evidence" in read else set()
    known = {row[0]: row for row in limit_rows(Thresholds())}
    rows = [
        f"| [`{one}`](limits.md) | {known[one][1]} | {known[one][2]} | {known[one][3]} |"
        for one in known
        if one in read
    ]
    own = re.findall(r"^([A-Z][A-Z_]+) = (-?[\d.e_/* -]+?)  # (.+)$", source, flags=re.M)
    rows += [f"| `{one}` | {value} | {said} | |" for one, value, said in own]
    if not rows:
        return ""
    head = [
        "",
        "## Limits",
        "",
        "| limit | value | what it limits | where it comes from |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows, ""])


def findings_file(name: str) -> str:
    return (ROOT / "src" / "limen" / "findings" / f"{name}.py").read_text()


def headed(paragraph: str) -> str:
    """A paragraph with its heading, where it has one, in bold: ``Why it matters: a unit …``."""
    found = re.match(rf"({HEADINGS}): (?=.)", paragraph)
    if found is None:
        return paragraph
    rest = paragraph[found.end() :]
    names = found[1] == "Answered by"
    return f"**{found[1]}.** {rest if names else rest[0].upper() + rest[1:]}"


def limits_page() -> str:
    """Every limit with its default and where that comes from, out of the docstrings of their classes."""
    return "\n".join(
        [
            "# Limits",
            "",
            "Every limit of every rule; in code they are the fields of `limen.findings.Thresholds`.",
            *limits_of(Thresholds()),
            "",
            "## Before training",
            "",
            "Those of `limen.preflight`; in code the fields of `limen.preflight.Limits`, for `preflight(limits=…)`.",
            *limits_of(Limits()),
            "",
        ]
    )


def limits_of(limits: Thresholds | Limits) -> list[str]:
    """A table of the fields of a class of limits."""
    lines = [
        "",
        "| limit | default | what it limits | where the default comes from |",
        "| --- | --- | --- | --- |",
    ]
    return lines + [f"| `{name}` | {value} | {what} | {source} |" for name, value, what, source in limit_rows(limits)]


def limit_rows(limits: Thresholds | Limits) -> list[tuple[str, str, str, str]]:
    """Name, default, what it limits and where from, of each field."""
    described = inspect.getdoc(type(limits)) or ""
    entries = re.findall(r"^    (\w+): (.+?)(?=^    \w+: |\Z)", described, flags=re.M | re.S)
    halves = [(name, " ".join(text.split()).partition(" From: ")) for name, text in entries]
    return [(name, f"{getattr(limits, name):g}", what, source) for name, (what, _, source) in halves]


def numerics_tables() -> str:
    """What the benchmark of numerics measured last: where torch loses most, then the worst of each function."""
    result = json.loads((ROOT / "benchmarks" / "results" / "numerics.json").read_text())
    cases = [row for row in result["rows"] if "input" in row]
    rows = {(row["type"], row["function"], row["what"]): row for row in result["rows"] if "input" not in row}
    lines = [f"Measured with torch {result['packages']['torch']}.", "", "## Where torch loses most", ""]
    lines += ["| function | type | input | truth | limen | torch |", "| --- | --- | --- | --- | --- | --- |"]
    for case in cases:
        digits = 17 if case["type"] == "float64" else 6
        shown = [f"{case[key]:.{digits}g}" for key in ("input", "truth", "limen", "torch")]
        lines.append(f"| {case['what']} of `{case['function']}` | {case['type']} | {' | '.join(shown)} |")
    for kind in dict.fromkeys(kind for kind, _, _ in rows):
        lines += ["", f"## Worst error in {kind}", ""]
        lines += [
            "ULP, the input in brackets, and the share of inputs whose result is not the number next to the truth."
        ]
        asked = [what for what in ("value", "slope", "curvature") if any(row[::2] == (kind, what) for row in rows)]
        columns = [(what, who) for what in asked for who in ("limen", "torch")]
        lines += ["", "| ".join(["", "function ", *(f"{what}, {who} " for what, who in columns), ""]).rstrip()]
        lines += ["| --- " * (1 + len(columns)) + "|"]
        for name in dict.fromkeys(name for _, name, _ in rows):
            cells = [worst(rows[kind, name, what], who) for what, who in columns]
            lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def worst(row: dict[str, Any], who: str) -> str:
    """An error, its input and the share of results that are not the nearest number; a dash without an operator."""
    error, share = row[who], row[f"{who}_wrong"]
    if error is None:
        return "–"
    where = f" ({row[f'{who}_at']:.4g})" if share else ""
    shown = "∞" if math.isinf(error) else f"{error:.2g}" if error > 1e-9 else "0"  # the truth is rounded, too
    return f"{shown}{where}{f', {100 * share:.2g} %' if share else ''}"


def modules_table() -> str:
    """Each class of module: whether torch has it, what is kept, whether it may overwrite, and what computes it."""
    rows: list[str] = []
    for kind, twin in sorted(CLASSES.items(), key=lambda pair: pair[1].__name__.lower()):
        name, kept = twin.__name__, keeps_output(*call_of(kind()))
        compiled = kernels.compiled(kind.name, torch.float32, torch.device("cpu"))
        cells = ["yes" if hasattr(torch.nn, name) else "", "output" if kept else "input"]
        cells += ["yes" if each else "" for each in (kept, compiled, kind.name in OPERATORS)]
        rows.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def gains_table() -> str:
    """Gains at variance 1, and what becomes of that variance, for the whole catalogue."""
    lines = [
        "## Gains at variance 1",
        "",
        "The last columns hold for weights with the forward gain and no biases, and at the half-stable point.",
        "",
        "| activation | forward | backward | centred | variance 1 | `chi_q` | `chi_1` | half-stable `σ_w²`, `σ_b²` |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in activations.names(kind="elementwise"):
        gain = theory.forward_gain(name)
        found = theory.moments(name)
        point = theory.FixedPoint(1.0, gain**2 * found.growth, gain**2 * found.slope_square)
        cells = [f"{each(name):.6f}" for each in (theory.forward_gain, theory.backward_gain, theory.centred_gain)]
        cells += [point.stability, f"{point.chi_q:.4f}", f"{point.chi_1:.4f}"]
        half = [f"{half.weight_variance:.6f}, {half.bias_variance:.6f}" for half in theory.half_stable_points(name)]
        lines.append(f"| `{name}` | {' | '.join(cells)} | {' '.join(half) or '–'} |")
    return "\n".join(lines) + "\n"


def initialisation_tables() -> str:
    """What the benchmark of initialisation measured last: gradients, then accuracies."""
    rows = json.loads((ROOT / "benchmarks" / "results" / "initialisation.json").read_text())["rows"]
    lines: list[str] = []
    for network in dict.fromkeys(row["network"] for row in rows if "network" in row):
        lines += [f"### Gradient norm, first layer to last: {network}", "", "Median over the seeds.", ""]
        lines += by_function([row for row in rows if row.get("network") == network], "ratios", "{:.2g}")
    lines += [
        "### Accuracy on handwritten digits",
        "",
        "Mean over the seeds, in %, after the same number of epochs.",
        "",
    ]
    for row in rows:
        if "accuracies" in row:
            row["accuracies"] = [100 * accuracy for accuracy in row["accuracies"]]
            row["way"] = f"{row['layers']} layers, {row['way']}"
    return "\n".join([*lines, *by_function([row for row in rows if "layers" in row], "accuracies", "{:.1f}")])


def by_function(rows: list[dict[str, Any]], key: str, form: str) -> list[str]:
    """A table with a line for each function and a column for each way to begin."""
    middle = statistics.median if key == "ratios" else statistics.mean
    ways = list(dict.fromkeys(row["way"] for row in rows))
    found = {(row["function"], row["way"]): form.format(middle(row[key])) for row in rows}
    lines = [f"| function | {' | '.join(ways)} |", f"| --- |{' --- |' * len(ways)}"]
    for function in dict.fromkeys(row["function"] for row in rows):
        lines.append(f"| `{function}` | {' | '.join(found[function, way] for way in ways)} |")
    return [*lines, ""]


def command_help(command: str) -> str:
    """A section with what ``limen COMMAND --help`` prints."""
    environment = {**os.environ, "COLUMNS": "84", "NO_COLOR": "1", "TERM": "dumb"}
    asked = [sys.executable, "-m", "limen", command, "--help"]
    done = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True)
    text = "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())
    return f"\n## limen {command}\n\n```text\n{text}\n```\n"


def json_page() -> str:
    schema = json.loads(resources.files("limen.report").joinpath("schema-1.json").read_text())
    lines = [(ROOT / "docs" / "json.in").read_text(), "## The report", "", *fields(schema)]
    for name in ("site", "finding", "treatment"):
        lines += ["", f"## A {name}", "", *fields(schema["$defs"][name])]
    looked_up = json.loads(resources.files("limen.functions").joinpath("schema-1.json").read_text())
    lines += ["", "## Functions", "", f"{looked_up['description']} Its schema is `limen/functions/schema-1.json`.", ""]
    lines += [*fields(looked_up), "", "## A function", "", *fields(looked_up["$defs"]["function"])]
    return "\n".join(lines) + "\n"


def fields(schema: dict[str, Any]) -> list[str]:
    """A table of the properties of an object of the schema."""
    lines = ["| key | type | meaning |", "| --- | --- | --- |"]
    required = schema.get("required", [])
    for key, value in schema["properties"].items():
        always = "" if key in required else " (may be absent)"
        lines.append(f"| `{key}` | {type_of(value)} | {value.get('description', '')}{always} |")
    return lines


def type_of(value: dict[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return {
            "figure": "number or null",
            "count": "integer",
            "share": "share or null",
            "extended": "number, `inf`, `-inf` or null",
            "interval": "pair of numbers",
            "places": "array of numbers",
        }.get(name, name)
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return " or ".join(f"`{option or 'null'}`" for option in value["enum"])
    kinds = value["type"] if isinstance(value["type"], list) else [value["type"]]
    if kinds == ["array"]:
        return f"array of {type_of(value['items'])}"
    return " or ".join(kinds)
