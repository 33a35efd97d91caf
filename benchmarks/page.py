"""Writes what watching costs into ``docs/cost.md`` and the README: ``python -m benchmarks.page``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.record import RESULTS

__all__ = ["PAGE", "README", "page", "renewed"]

ROOT = RESULTS.parents[1]
PAGE, TEXT, README = ROOT / "docs" / "cost.md", ROOT / "docs" / "cost.in", ROOT / "README.md"
BEGIN, END = "<!-- made by benchmarks/page.py -->\n", "\n<!-- end -->"
WAYS = {
    "default": "limen, budget 1 %",
    "every-step": "limen, every step",
    "idle": "limen, looking away",
    "naive": "naive Python hooks",
    "histc": "torch.histc",
    "gradients": "like wandb.watch",
    "tensorboard": "TensorBoard histograms",
    "delve": "delve",
    "torchdiag": "torchdiag",
    "cockpit": "cockpit",
    "again": "bare again",
}
SHORT = ("default", "every-step", "naive", "delve", "gradients", "tensorboard", "again")  # of the README


def page() -> str:
    """All figures with the commands that make them."""
    watching, journal, (starting,) = read("watching"), read("journal"), read("starting")["rows"]
    machine = watching["machine"]
    return (
        (ROOT / "docs" / "cost.in")
        .read_text()
        .format(
            date=watching["date"],
            machine=f"{machine['cpu']}, {machine['platform']}, torch {machine['torch']}",
            one_thread=costs(watching["rows"], 1),
            two_threads=costs(watching["rows"], 2),
            budgets=budgets(read("keeping")["rows"]),
            growth=growth(read("scaling")["rows"]),
            start=starting["before_added"][1],
            **{name: journal[name] for name in ("steps", "sites", "mb", "report_s")},
        )
    )


def read(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / f"{name}.json").read_text())


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In markdown; numbers to the right."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---", *["---:"] * (len(head) - 1)], *rows))


def costs(rows: Sequence[dict[str, Any]], threads: int, ways: Iterable[str] = WAYS, *, own: bool = True) -> str:
    """What each way of watching costs, by model."""
    chosen = [row for row in rows if row["threads"] == threads]
    head = ["", *(f"{row['model']}, {row['step_ms'][1]:.0f} ms" for row in chosen)]
    present = [way for way in ways if any(way in row["cost"] for row in chosen)]
    return table(head, ([WAYS[way], *(shown(row["cost"].get(way), way, own=own) for row in chosen)] for way in present))


def shown(measured: dict[str, Any] | None, way: str, *, own: bool) -> str:
    """A cell of the table."""
    return noise(measured) if measured is not None and way == "again" else cost(measured, own=own)


def cost(measured: dict[str, Any] | None, *, own: bool) -> str:
    """A share of the step in per cent: the median."""
    if measured is None:
        return "–"
    inside = measured["inside"] if own else None
    return in_per_cent(measured["ratio"][1]) + ("" if inside is None else f" ({100 * inside:.2f})")


def noise(measured: dict[str, Any]) -> str:
    """The quartiles of what should cost nothing."""
    low, _, high = map(in_per_cent, measured["ratio"])
    return f"{low} to {high}"


def in_per_cent(ratio: float) -> str:
    """By how much a step took longer."""
    return rounded(100 * (ratio - 1))


def rounded(value: float) -> str:
    """With a sign, and the digits that mean something."""
    return f"{value:+,.0f}" if abs(value) >= 10 else f"{value:+.1f}"


def budgets(rows: Iterable[dict[str, Any]]) -> str:
    return table(
        ["model", "steps", "training, s", "costs, %", "own account, %", "allowed, %"],
        (
            [row["model"], f"{row['steps']:,}", f"{row['seconds']:.0f}", rounded(100 * row["cost"])]
            + [f"{100 * row[name]:.2f}" for name in ("own", "allowed")]
            for row in rows
        ),
    )


def growth(rows: Iterable[dict[str, Any]]) -> str:
    return table(
        ["sites", "units", "steps", "budget", "bare step, ms", "limen, ms", "memory, MB", "run file, kB"],
        (
            [f"{case[name]:,}" for name in ("sites", "units", "steps")]
            + ["every step" if case["budget"] is None else f"{100 * case['budget']:g} %"]
            + [
                f"{row['bare_ms']:.2f}",
                f"{row['cost_ms']:.2f}",
                f"{row['resident_mb']:.0f}",
                f"{row['journal_kb']:,.0f}",
            ]
            for row in rows
            for case in [row["case"]]
        ),
    )


def renewed(readme: str) -> str:
    """The README with its table made anew: one thread, without limen's own account."""
    before, _, rest = readme.partition(BEGIN)
    return before + BEGIN + costs(read("watching")["rows"], 1, SHORT, own=False) + END + rest.partition(END)[2]


def main() -> None:
    PAGE.write_text(page())
    README.write_text(renewed(README.read_text()))
    print(f"written: {PAGE}, {README}")


if __name__ == "__main__":
    main()
