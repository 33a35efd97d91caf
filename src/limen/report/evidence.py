"""The figures beside a finding: the measurements that speak for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from limen.findings import Finding
from limen.journal import Run
from limen.report.draw import Band, Figure, Json, Mark, curve, stacked
from limen.report.figures import losses, middle_update, rates
from limen.report.looks import blind, last_look
from limen.report.names import label, short_names
from limen.report.numbers import count, printable
from limen.report.thinning import number_list
from limen.report.words import samples_of, site_name
from limen.vitals import EVIDENCE, ParameterVitals, SiteVitals, dead_units

__all__ = ["evidence"]

Integers = npt.NDArray[np.int64]
Values = npt.NDArray[np.generic]

POINTS = 160  # a point every three pixels
HEIGHT = 250
GRADIENTS = ("vanishing-gradient", "exploding-gradient")
LOSSES = ("not-learning", "diverging-loss", "oscillating-loss", "slow-learning")
SPREADS = ("exploding-activations", "collapsed-representation", "non-finite")


def evidence(run: Run, finding: Finding) -> list[Figure]:
    """The figures that show a finding; empty where nothing was recorded that could."""
    figures = [_symptom(run, finding)]
    if any(cause.name.startswith("learning-rate") for cause in finding.causes[:2]):
        figures.append(_learning_rate(run, finding))
    return [figure for figure in figures if figure is not None]


def _symptom(run: Run, finding: Finding) -> Figure | None:
    site, parameter = run.vitals.site(finding.where), run.vitals.parameter(finding.where)
    if finding.symptom in GRADIENTS and len(run.vitals.sites) > 1:
        return _profile(run, finding)
    if finding.symptom not in LOSSES and parameter is not None:
        return _of_parameter(run, finding, parameter)
    if finding.symptom not in LOSSES and site is not None:
        return _of_site(run, finding, site)
    return _figure(run, finding, [losses(run, most=POINTS, logarithmic=_early(run, finding))], "Loss")


def _of_site(run: Run, finding: Finding, vitals: SiteVitals) -> Figure | None:
    history, name, units = vitals.history, site_name(vitals.site), vitals.site.units
    if finding.symptom in ("dead-units", "dying-units"):
        return _deaths(run, finding, vitals)
    if finding.symptom == "saturated-units":
        band = _band(run, finding, "saturated units", history.step, history.saturated, top=float(units), filled=True)
        return _figure(run, finding, [band], f"Saturated units of {name}, out of {units:,}")
    if finding.symptom == "non-finite" and history.nonfinite.any():
        band = _band(run, finding, "values that are not finite", history.step, history.nonfinite, filled=True)
        return _figure(run, finding, [band], f"Values of {name} that are NaN or infinite, per step")
    if finding.symptom in GRADIENTS:
        band = _band(run, finding, "gradient norm", history.step, history.gradient)
        return _figure(run, finding, [band], f"Gradient norm at {name}")
    if finding.symptom in SPREADS:
        band = _band(run, finding, "standard deviation of z", history.step, history.std)
        return _figure(run, finding, [band], f"Spread of the pre-activations of {name}")
    band = _band(run, finding, f"% of {samples_of(vitals.site)} flat", history.step, 100 * history.inactive, top=100.0)
    return _figure(run, finding, [band], f"Inactive share of {name}")


def _deaths(run: Run, finding: Finding, vitals: SiteVitals) -> Figure | None:
    """Dead units when that was sure, and when they fell silent: the first comes later by the evidence it needs."""
    history, units = vitals.history, vitals.site.units
    confirmed = _band(run, finding, "confirmed dead", history.step, history.dead, top=float(units), filled=True)
    if confirmed is None:
        return None
    evidence = f"{EVIDENCE.steps} silent steps and {EVIDENCE.samples:,} silent {samples_of(vitals.site)}"
    key = [("filled", f"confirmed dead, after {evidence}")]
    gone = dead_units(vitals)
    gone = gone[np.isin(gone, finding.units)] if finding.units else gone
    if finding.closed is None and len(gone):
        step, many = np.unique(vitals.last_active[gone], return_counts=True)
        x, y = np.append(step + 1, run.vitals.step), np.append(np.cumsum(many), len(gone))
        line = curve(x, y, "silent for good", colour="@accent", most=POINTS, stepped=True, dash="dot")
        confirmed = replace(confirmed, traces=[*confirmed.traces, line | {"mode": "lines"}], title="units")
        key.append(("dotted", "the same units when they fell silent"))
    figure = _figure(run, finding, [confirmed], f"Dead units of {site_name(vitals.site)}, out of {units:,}")
    return figure and replace(figure, key=tuple(key))


def _of_parameter(run: Run, finding: Finding, vitals: ParameterVitals) -> Figure | None:
    name, history = printable(vitals.parameter.name), vitals.history
    bands = [
        _band(run, finding, "gradient norm", history.step, history.gradient),
        _band(run, finding, "weight norm", history.step, history.weight),
    ]
    return _figure(run, finding, bands, f"Gradient and size of {name}")


def _learning_rate(run: Run, finding: Finding) -> Figure | None:
    """How large the updates were, and the learning rate that made them so."""
    weights = [v for v in run.vitals.parameters if v.parameter.weight and v.parameter.layer == finding.layer]
    if weights and np.isfinite(weights[0].history.update).any():
        what, step, ratio = weights[0].parameter.name, weights[0].history.step, weights[0].history.update
    else:
        what, (step, ratio) = "all weights", middle_update(run.vitals.parameters)
    bands = [
        _band(run, finding, "update ratio", step, ratio),
        rates(run, most=POINTS, logarithmic=_early(run, finding)),
    ]
    return _figure(run, finding, bands, f"How much each step changes {printable(what)}")


def _early(run: Run, finding: Finding) -> bool:
    """True when the finding began in the first twentieth of the run: the first pixels of a linear time axis."""
    return finding.step * 20 < run.vitals.step


def _band(
    run: Run,
    finding: Finding,
    title: str,
    step: Integers,
    values: Values,
    *,
    top: float | None = None,
    filled: bool = False,
) -> Band | None:
    if not np.isfinite(np.asarray(values, dtype=np.float64)).any():
        return None
    trace = curve(step, values, title, most=POINTS, filled=filled, logarithmic=_early(run, finding))
    return Band([trace], title, [values], top)


def _figure(run: Run, finding: Finding, bands: Sequence[Band | None], title: str) -> Figure | None:
    """Bands with the step at which the finding began, where it ended, and what was done in between."""
    known = [band for band in bands if band is not None]
    if not known:
        return None
    marks = [Mark(finding.step, f"since step {finding.step:,}")]
    if finding.closed is not None:
        marks.append(Mark(finding.closed, f"healed at step {finding.closed:,}", fault=False))
    answers = {record.step: record.name for record in run.treatments if record.finding == finding.key}
    marks += [Mark(step, name, fault=False) for step, name in list(answers.items())[:2]]
    time = "log" if _early(run, finding) else "linear"
    return stacked(known, marks, title=title, height=HEIGHT, time=time, last=run.vitals.step, blind=blind(run))


def _profile(run: Run, finding: Finding) -> Figure | None:
    """Gradient norms of all sites, head at the top, when the finding began and at the end."""
    sites = [v for v in run.vitals.sites if (np.isfinite(v.history.gradient) & (v.history.gradient > 0)).any()]
    if not sites:
        return None
    last = last_look(run)
    drawn = [(last, "@faint", "dot"), (finding.step, "@data", "solid")]
    data = [_profile_at(sites, *entry) for entry in (drawn if finding.step < last else drawn[1:])]
    data += [_highlight(v, finding.step) for v in sites if v.site.name == finding.where]
    layout: Json = {
        "xaxis": {
            "title": {"text": "gradient norm, log scale"},
            "type": "log",
            "exponentformat": "power",
            "nticks": 6,
            "power": True,
        },
        "yaxis": {
            "names": [label(v.site.name) for v in sites],
            "short": [label(name) for name in short_names([site_name(v.site) for v in sites])],
        },
        "showlegend": True,
    }
    height = min(max(HEIGHT, 110 + 22 * len(sites)), 560)
    return Figure(
        data, layout, height, f"Gradient at {count(len(sites), 'site')}, from the head down to the first layer"
    )


def _profile_at(sites: Sequence[SiteVitals], step: int, colour: str, dash: str) -> Json:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": number_list(np.array([_gradient_near(v, step) for v in sites])),
        "y": [label(v.site.name) for v in sites],
        "name": f"step {step:,}",
        "line": {"color": colour, "width": 1.75, "dash": dash},
        "marker": {"size": 6 if len(sites) < 40 else 3, "color": colour},
        "hovertemplate": f"%{{y}}<br>step {step:,}: %{{x:.2e}}<extra></extra>",
    }


def _highlight(vitals: SiteVitals, step: int) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": number_list(np.array([_gradient_near(vitals, step)])),
        "y": [label(vitals.site.name)],
        "marker": {"size": 11, "color": "@accent"},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _gradient_near(vitals: SiteVitals, step: int) -> float:
    """The gradient norm at the recorded step nearest to ``step`` at which it can be drawn on a logarithmic axis."""
    history = vitals.history
    usable = np.flatnonzero(np.isfinite(history.gradient) & (history.gradient > 0))
    nearest = usable[np.abs(history.step[usable] - step).argmin()]
    return float(history.gradient[nearest])
