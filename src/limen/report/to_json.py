"""The report as the documented JSON object; ``schema-1.json`` beside this file describes it."""

import math
from typing import cast

import numpy as np

import limen
from limen.findings import Finding
from limen.journal import Run, TreatmentRecord
from limen.report.order import sorted_findings
from limen.vitals import SiteVitals, dead_units, saturated_units

__all__ = ["to_json"]

SCHEMA = 1
"""Version of the format. Keys may be added within a version; none is removed or changes its meaning."""


def to_json(run: Run) -> dict[str, object]:
    """The report of a run as plain dictionaries, lists, strings and finite numbers.

    NaN and infinite figures become None, so that the result is strict JSON.
    """
    report: dict[str, object] = {
        "limen": run.environment.get("limen") or limen.__version__,
        "schema": SCHEMA,
        "script": run.script,
        "arguments": list(run.arguments),
        "started": run.started,
        "seconds": run.seconds,
        "finished": run.finished,
        "exit_code": run.exit_code,
        "verdict": run.verdict,
        "steps": run.vitals.step,
        "looked": run.vitals.looked,
        "samples": run.vitals.samples,
        "overhead": {"share": run.overhead, "budget": run.budget, "seconds": run.spent},
        "sites": [_site(vitals) for vitals in run.vitals.sites],
        "findings": [_finding(finding) for finding in sorted_findings(run)],
        "treatments": [_treatment(record) for record in run.treatments],
        "notes": list(run.vitals.notes),
        "environment": dict(run.environment),
    }
    return cast(dict[str, object], _finite(report))


def _site(vitals: SiteVitals) -> dict[str, object]:
    site, total = vitals.site, vitals.total
    whole = total.whole
    gradients = vitals.history.gradient[np.isfinite(vitals.history.gradient)]
    return {
        "name": site.name,
        "path": site.path,
        "function": site.function,
        "call": site.call,
        "units": site.units,
        "layer": site.layer,
        "norm": site.norm,
        "order": site.order,
        "head": site.head,
        "model": site.model,
        "samples": total.samples,
        "steps": total.steps,
        "dead": len(dead_units(vitals)),
        "saturated": len(saturated_units(vitals)),
        "inactive_share": total.inactive_share,
        "recent_inactive_share": vitals.recent.inactive_share,
        "mean": whole.mean if whole.count else None,
        "std": whole.std if whole.count else None,
        "low": whole.low if site.units else None,
        "high": whole.high if site.units else None,
        "gradient": float(gradients[-1]) if len(gradients) else None,
        "nonfinite": total.nonfinite,
        "first_nonfinite": vitals.first_nonfinite,
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "symptom": finding.symptom,
        "severity": finding.severity,
        "where": finding.where,
        "layer": finding.layer,
        "units": list(finding.units),
        "step": finding.step,
        "closed": finding.closed,
        "told": finding.told,
        "measured": finding.measured,
        "limit": finding.limit,
        "unit": finding.unit,
        "confidence": finding.confidence,
        "causes": [{"name": c.name, "confidence": c.confidence, "evidence": c.evidence} for c in finding.causes],
        "remedies": list(finding.remedies),
        "message": finding.message,
    }


def _treatment(record: TreatmentRecord) -> dict[str, object]:
    return {
        "name": record.name,
        "where": record.where,
        "step": record.step,
        "kept": record.kept,
        "before": dict(record.before),
        "after": dict(record.after),
        "detail": record.detail,
        "finding": record.finding,
    }


def _finite(value: object) -> object:
    """The value with plain Python numbers for numpy's, and None for what JSON cannot say."""
    if isinstance(value, dict):
        return {str(key): _finite(entry) for key, entry in cast(dict[object, object], value).items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in cast(list[object], value)]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
