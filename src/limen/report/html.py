"""The report as one HTML file that loads nothing from anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from limen.findings import Finding
from limen.journal import Run
from limen.report.cards import cards
from limen.report.course import loss_title
from limen.report.draw import Figure, Json
from limen.report.evidence import evidence
from limen.report.figures import loss_curves
from limen.report.groups import grouped
from limen.report.histograms import histogram_series
from limen.report.inline import inline, plotly
from limen.report.looks import last_look
from limen.report.maps import activity_map, gradient_map
from limen.report.order import sorted_findings
from limen.report.page import about, treatments, verdict
from limen.report.table import sites
from limen.report.words import site_name, tied
from limen.vitals import EVIDENCE

__all__ = ["html"]

SCRIPTS = ("page", "frame", "heat_map", "activity", "gradient", "histogram", "sites", "start")
"""Files of the folder ``scripts`` in the order in which they run, in one scope."""

DRAWN = 40  # findings with figures of their own; the maps show the places of all


def html(run: Run) -> str:
    """The report of a run: a complete HTML document, below 8 MB for 200 sites × 10,000 steps.

    Everything that comes from the run (names, paths, messages) is escaped, in the page as in its data.
    """
    findings = sorted_findings(run)
    drawings = [evidence(run, finding) if index < DRAWN else [] for index, finding in enumerate(findings)]
    figures = {_id(i, j): figure for i, drawn in enumerate(drawings) for j, figure in enumerate(drawn)}
    loss = loss_curves(run)
    histograms = histogram_series(run)
    activity, gradient = activity_map(run), gradient_map(run)
    data: Json = {
        "figures": {key: figure.json() for key, figure in ({**figures, "loss-curves": loss}).items() if figure},
        "histograms": histograms,
        "activity": activity.json() if activity else None,
        "gradient": gradient.json() if gradient else None,
    }
    return _template().render(
        **verdict(run),
        **cards(run, grouped(run, findings), _captioned(findings, drawings)),
        **treatments(run),
        **sites(run, findings),
        **about(run),
        logarithmic=_early(run),
        evidence_steps=EVIDENCE.steps,
        **_histogram_controls(run, histograms),
        activity=activity,
        gradient=gradient,
        loss=loss,
        loss_title=loss_title(run) if run.vitals.losses else "",
        data=inline(data),
        # the files of limen and plotly are trusted: nothing of the run is in them
        plotly=Markup(plotly()),
        css=Markup(_resource("report.css")),
        js=Markup("\n".join(_resource(f"scripts/{name}.js") for name in SCRIPTS)),
    )


def _id(finding: int, figure: int) -> str:
    return f"evidence-{finding}-{figure}"


def _captioned(findings: Sequence[Finding], drawings: list[list[Figure]]) -> dict[tuple[str, int], list[Json]]:
    """The places of the figures of each finding on the page."""
    return {
        (finding.key, finding.step): [
            {"id": _id(i, j), "title": figure.title, "key": figure.key} for j, figure in enumerate(drawn)
        ]
        for i, (finding, drawn) in enumerate(zip(findings, drawings, strict=True))
    }


def _histogram_controls(run: Run, histograms: list[Json]) -> Json:
    """The sites to choose from: the one with the worst finding is chosen, at its last step."""
    shown = [v.site for v in run.vitals.sites if v.site.name in {entry["site"] for entry in histograms}]
    names = [site.name for site in shown]
    places = [names.index(finding.where) for finding in sorted_findings(run) if finding.where in names]
    chosen = places[0] if places else 0
    lengths = [len(entry["steps"]) for entry in histograms if isinstance(entry["steps"], list)]
    last = lengths[chosen] - 1 if lengths else 0
    return {"histogram_sites": [site_name(site) for site in shown], "histogram_chosen": chosen, "histogram_last": last}


def _early(run: Run) -> bool:
    """True when all of the story is in the first part of the run, which a logarithmic time axis shows better."""
    findings = sorted_findings(run)
    known = max((finding.step for finding in findings), default=run.vitals.step) * 20 < run.vitals.step
    return known or 0 < last_look(run) * 8 < run.vitals.step


def _tied(value: object) -> object:
    return tied(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _breakable(text: str) -> Markup:
    """A heading that may break inside a long dotted name, after a dot or an underscore."""
    return Markup(re.sub(r"((?<=[A-Za-z_])\.|\.(?=[A-Za-z_])|_(?=\w))", r"\1<wbr>", str(escape(tied(text)))))


def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_tied
    )
    environment.filters["breakable"] = _breakable
    return environment.from_string(_resource("report.html.jinja"))


@cache
def _resource(name: str) -> str:
    return (files("limen.report") / name).read_text(encoding="utf-8")
