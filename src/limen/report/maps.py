"""Sites × time: what every site did and which gradient reached it, all at one glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.journal import Run
from limen.report.draw import Json
from limen.report.looks import Span, blind, ending
from limen.report.names import label, short_names
from limen.report.numbers import count, number, percent
from limen.report.order import sorted_findings
from limen.report.thinning import Columns, number_list
from limen.report.words import samples_of, site_name, tied
from limen.vitals import SiteVitals

__all__ = ["HeatMap", "View", "activity_map", "gradient_map"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MOST_COLUMNS = 400
MOST_CELLS = 40_000  # of one view; the five views and the histograms of 200 sites stay below 3 MB


@dataclass(frozen=True, eq=False)
class Row:
    """One line of a heat map: its name, its name on the axis, and its values over time."""

    name: str
    shown: str
    step: Integers
    values: npt.NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class View:
    """One of the heat maps that a switch chooses from.

    Attributes:
        name: what the switch says.
        title: what the map shows, as a sentence.
        unit: what the colour means.
        rows: from the first layer to the head.
        logarithmic: True to show the power of ten instead of the value.
        blind: steps that were not looked at.
    """

    name: str
    title: str
    unit: str
    rows: tuple[Row, ...]
    logarithmic: bool = False
    blind: tuple[Span, ...] = ()

    @property
    def heading(self) -> str:
        """The title as it stands above the map."""
        return tied(self.title)

    @property
    def columns(self) -> Columns:
        """The steps that all rows share."""
        most = int(np.clip(MOST_CELLS // max(len(self.rows), 1), 50, MOST_COLUMNS))
        return Columns.of([row.step for row in self.rows], most, self.blind)

    def json(self) -> Json:
        """What the page needs to draw it: names, steps and ``z``, ``[rows, columns]``."""
        columns = self.columns
        filled = [columns.fill(row.step, row.values) for row in self.rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            shown = [np.log10(row) if self.logarithmic else row for row in filled]
        return {
            "name": self.name,
            "title": self.heading,
            "unit": self.unit,
            "steps": columns.last.tolist(),
            "seen": np.flatnonzero(~columns.blank).tolist(),
            "edges": columns.edges.tolist(),
            "names": [label(row.name) for row in self.rows],
            "short": [label(name) for name in short_names([row.shown for row in self.rows])],
            "z": [number_list(row, 3) for row in shown],
            "log": self.logarithmic,
        }


@dataclass(frozen=True, eq=False)
class HeatMap:
    """A heat map with its switch.

    Attributes:
        views: at least one.
        onsets: step, site and words of each finding.
        treatments: steps after which something was changed.
    """

    views: tuple[View, ...]
    onsets: tuple[tuple[int, str, str], ...]
    treatments: tuple[int, ...]

    @property
    def last(self) -> int:
        """The last of the columns of the first view with a look, where its slider stands."""
        return int((~self.views[0].columns.blank).sum()) - 1

    def json(self) -> Json:
        """What the page needs to draw it."""
        onsets = [{"step": step, "name": label(name), "text": label(text)} for step, name, text in self.onsets]
        return {
            "views": [v.json() for v in self.views],
            "onsets": onsets,
            "treatments": list(self.treatments),
            "blind": [list(span) for span in self.views[0].blind],
        }


def activity_map(run: Run) -> HeatMap | None:
    """The shares of flat samples, of dead and of saturated units; None without a recorded step."""
    sites = [vitals for vitals in run.vitals.sites if len(vitals.history.step)]
    if not sites:
        return None
    inactive = tuple(Row(v.site.name, site_name(v.site), v.history.step, 100 * v.history.inactive) for v in sites)
    unseen, when = blind(run), ending(run)
    kind = samples_of(*(vitals.site for vitals in sites))
    views = [View("Inactive share", _inactive_title(sites, when), f"% of {kind} flat", inactive, blind=unseen)]
    dead = tuple(Row(v.site.name, site_name(v.site), v.history.step, _share(v, v.history.dead)) for v in sites)
    views.append(View("Dead units", _units_title(sites, "dead", "died", when), "% of units dead", dead, blind=unseen))
    saturated = tuple(
        Row(v.site.name, site_name(v.site), v.history.step, _share(v, v.history.saturated)) for v in sites
    )
    title = _units_title(sites, "saturated", "saturated", when)
    return _with_marks(run, [*views, View("Saturated units", title, "% of units saturated", saturated, blind=unseen)])


def gradient_map(run: Run) -> HeatMap | None:
    """The gradient norms at the sites and at the weights; None where no gradient was recorded."""
    sites = tuple(Row(v.site.name, site_name(v.site), v.history.step, v.history.gradient) for v in run.vitals.sites)
    weights = tuple(
        Row(v.parameter.name, v.parameter.name, v.history.step, v.history.gradient)
        for v in run.vitals.parameters
        if v.parameter.weight
    )
    views = [
        View(name, _gradient_title(rows, ending(run)), "gradient norm", rows, logarithmic=True, blind=blind(run))
        for name, rows in (("At the sites", sites), ("At the weights", weights))
        if any(np.isfinite(np.asarray(row.values, dtype=np.float64)).any() for row in rows)
    ]
    return _with_marks(run, views) if views else None


def _with_marks(run: Run, views: Sequence[View]) -> HeatMap:
    onsets = tuple((f.step, f.where, f"{f.name} since step {f.step:,}") for f in sorted_findings(run))
    return HeatMap(tuple(views), onsets, tuple(sorted({record.step for record in run.treatments})))


def _share(vitals: SiteVitals, units: Integers) -> Floats:
    return 100 * units / max(vitals.site.units, 1)


def _late(values: npt.NDArray[np.generic]) -> float:
    """The median over the last tenth of the rows; NaN where all of them are."""
    numbers = np.asarray(values, dtype=np.float64)[-max(1, len(values) // 10) :]
    finite = numbers[np.isfinite(numbers)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _inactive_title(sites: Sequence[SiteVitals], when: str) -> str:
    late = {site_name(vitals.site): _late(vitals.history.inactive) for vitals in sites}
    known = {name: share for name, share in late.items() if np.isfinite(share)}
    kind = samples_of(*(vitals.site for vitals in sites))
    if not known:
        return "No activity could be measured"
    most, least = max(known, key=lambda name: known[name]), min(known.values())
    if len(known) == 1:
        return f"{percent(known[most])} of the {kind} of {most} are flat {when}"
    if known[most] - least < 0.1:
        low, high = percent(least), percent(known[most])
        return f"All sites are alike {when}: {low if low == high else f'{low} to {high}'} of {kind} flat"
    return f"{most} is the quietest {when}: {percent(known[most])} of its {kind} are flat"


def _units_title(sites: Sequence[SiteVitals], state: str, verb: str, when: str) -> str:
    counts = {site_name(v.site): int((v.history.dead if state == "dead" else v.history.saturated)[-1]) for v in sites}
    units = {site_name(v.site): v.site.units for v in sites}
    total = sum(counts.values())
    if not total:
        return f"No unit is {state} {when}"
    worst = max(counts, key=lambda name: counts[name] / max(units[name], 1))
    touched = sum(1 for many in counts.values() if many)
    where = f"{counts[worst]:,} of {count(units[worst], 'unit')} of {worst} {verb}"
    return where if touched == 1 else f"{where}, {total:,} at {touched:,} sites together"


def _gradient_title(rows: Sequence[Row], when: str) -> str:
    ends = [_late(row.values) for row in rows]
    if ends and ends[0] == 0.0:
        return f"No gradient reaches the first layer {when}"
    late = [norm for norm in ends if np.isfinite(norm) and norm > 0]
    if len(late) < 2:
        return "The gradient over time"
    ratio = late[0] / late[-1]
    early = "" if when == "at the end" else f", {when}"
    if ratio < 0.1:
        return f"The gradient shrinks {_fold(1 / ratio)} from the head to the first layer{early}"
    if ratio > 10:
        return f"The gradient grows {_fold(ratio)} from the head to the first layer{early}"
    if ratio > 1:
        return f"The first layer receives {number(ratio)} times the gradient of the head{early}"
    return f"The first layer receives {percent(ratio)} of the gradient of the head{early}"


def _fold(ratio: float) -> str:
    """A factor of ten or more, in words.

    >>> _fold(3_208.0), _fold(2.96e6), _fold(4e12)
    ('3,200-fold', '3 million-fold', '10¹²-fold')
    """
    if ratio < 1e6:
        return f"{float(f'{ratio:.2g}'):,.0f}-fold"
    if ratio < 1e9:
        return f"{float(f'{ratio / 1e6:.2g}'):,g} million-fold"
    return f"10{str(int(np.floor(np.log10(ratio)))).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}-fold"
