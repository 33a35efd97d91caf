"""The table of sites of the HTML report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from limen.findings import Finding
from limen.journal import Run
from limen.report.draw import Json
from limen.report.names import shortened
from limen.report.numbers import count, number, percent, printable
from limen.report.thinning import thin
from limen.vitals import SiteVitals, dead_units, saturated_units

__all__ = ["sites"]

COLUMNS = (
    ("Site", True),
    ("Function", True),
    ("Layer", True),
    ("Units", False),
    ("Inactive", False),
    ("Dead", False),
    ("Saturated", False),
    ("Mean", False),
    ("Deviation", False),
    ("Smallest", False),
    ("Largest", False),
    ("Gradient", False),
)
"""Title of each column, and whether it holds words."""

SPARK_POINTS = 60


def sites(run: Run, findings: Sequence[Finding]) -> Json:
    """The rows, in forward order; those with an open finding are marked."""
    marked = {finding.where for finding in findings if finding.closed is None and finding.severity != "info"}
    rows = [_row(vitals, run.vitals.step) | {"marked": vitals.site.name in marked} for vitals in run.vitals.sites]
    touched = sum(1 for vitals in run.vitals.sites if vitals.site.name in marked)
    found = count(len(rows), "site")
    title = f"{touched:,} of {found} with a finding" if touched else f"{found} watched"
    columns = [{"name": name, "words": words} for name, words in COLUMNS]
    return {"sites": rows, "sites_title": title, "site_columns": columns}


def _row(vitals: SiteVitals, last: int) -> Json:
    site, total, history = vitals.site, vitals.total, vitals.history
    whole = total.whole
    gradients = history.gradient[np.isfinite(history.gradient)]
    layer = " → ".join(part for part in (site.layer, site.norm) if part)
    cells = [
        _words(site.title),
        _words(site.function),
        _words(layer or "–"),
        _figure(site.units, f"{site.units:,}"),
        _figure(vitals.recent.inactive_share, percent(vitals.recent.inactive_share)),
        _figure(len(dead_units(vitals))),
        _figure(len(saturated_units(vitals))),
        _figure(whole.mean if whole.count else float("nan")),
        _figure(whole.std),
        _figure(whole.low if total.samples else float("nan")),
        _figure(whole.high if total.samples else float("nan")),
        _figure(float(gradients[-1]) if len(gradients) else float("nan")),
    ]
    return {"cells": cells, "spark": _spark(vitals, last)}


def _words(text: str) -> Json:
    return {"text": shortened(text, 34), "whole": printable(text), "words": True}


def _figure(value: float, text: str | None = None) -> Json:
    known = bool(np.isfinite(value))
    return {"text": (text or number(value)) if known else "–", "sort": repr(float(value)), "words": False}


def _spark(vitals: SiteVitals, last: int) -> str:
    """Points of the inactive share until the last step in a box of 100 × 20; empty for fewer than two."""
    step, share = thin(vitals.history.step, vitals.history.inactive, SPARK_POINTS)
    known = np.isfinite(share)
    step, share = step[known], share[known]
    if len(step) < 2:
        return ""
    x = 100 * (step - 1) / max(last - 1, 1)
    return " ".join(f"{a:.1f},{20 * (1 - b):.1f}" for a, b in zip(x.tolist(), share.tolist(), strict=True))
