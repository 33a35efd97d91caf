"""A run as the entries of tables: what becomes JSON, what becomes rows over time, what becomes an array."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from limen.findings import Finding
from limen.journal.encoding import Array
from limen.journal.run import Run
from limen.journal.treatment import TreatmentRecord
from limen.vitals import Activity, LossVitals, OptimiserVitals, ParameterVitals, SiteVitals, Vitals

__all__ = ["FIELDS", "Entry", "pack"]


def _fields(kind: type, *apart: str) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(kind) if f.name not in apart)


FIELDS: dict[type, tuple[str, ...]] = {
    Run: _fields(Run, "vitals", "findings", "treatments", "histograms"),
    Vitals: _fields(Vitals, "sites", "parameters", "losses", "optimisers"),
    SiteVitals: ("site", "first_nonfinite"),
    ParameterVitals: _fields(ParameterVitals, "history"),
    LossVitals: _fields(LossVitals, "step", "value"),
    OptimiserVitals: _fields(OptimiserVitals, "step", "learning_rate"),
    Finding: _fields(Finding),
    TreatmentRecord: _fields(TreatmentRecord),
}
"""The fields of each value that are kept as JSON."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One entry of a table, ready to be written.

    Attributes:
        key: what makes it the same entry in the next save.
        about: becomes the JSON.
        steps: ``[rows]``, the steps of its history, rising; empty where its kind has none.
        columns: ``[rows]`` each, in the order of the table's columns.
        arrays: by part.
    """

    key: str
    about: Mapping[str, object]
    steps: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    columns: tuple[Array, ...] = ()
    arrays: Mapping[str | int, Array] = field(default_factory=dict[str | int, Array])


def pack(run: Run) -> dict[str, list[Entry]]:
    """Every entry of a run in order, by table.

    Raises:
        ValueError: a per-unit array of a site has another length than the site has units.
    """
    vitals = run.vitals
    return {
        "run": [Entry("run", {"run": _about(run), "vitals": _about(vitals)})],
        "site": list(_apart(map(_site, vitals.sites))),
        "parameter": list(_apart(map(_parameter, vitals.parameters))),
        "loss": [Entry(str(n), _about(v), v.step, (v.value,)) for n, v in enumerate(vitals.losses)],
        "optimiser": [Entry(str(n), _about(v), v.step, (v.learning_rate,)) for n, v in enumerate(vitals.optimisers)],
        "histogram": [
            Entry(site, {"site": site}, arrays={step: histogram.counts for step, histogram in taken})
            for site, taken in run.histograms.items()
        ],
        "finding": [Entry(str(n), _about(finding)) for n, finding in enumerate(run.findings)],
        "treatment": [Entry(str(n), _about(treatment)) for n, treatment in enumerate(run.treatments)],
    }


def _about(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in FIELDS[type(value)]}


def _apart(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Entries of one key are told apart by their number: names should be unique, but nothing may be lost."""
    seen: Counter[str] = Counter()
    for entry in entries:
        seen[entry.key] += 1
        again = seen[entry.key]
        yield entry if again == 1 else dataclasses.replace(entry, key=f"{entry.key}\n{again}")


def _site(vitals: SiteVitals) -> Entry:
    arrays: dict[str | int, Array] = {
        "last_active": vitals.last_active,
        "silent_steps": vitals.silent_steps,
        "silent_samples": vitals.silent_samples,
        **_activity("birth", vitals.birth),
        **_activity("recent", vitals.recent),
        **_activity("total", vitals.total),
    }
    for part, array in arrays.items():
        if not str(part).endswith(("counts", "histogram")) and len(array) != vitals.site.units:
            raise ValueError(f"site {vitals.site.name}: {len(array)} entries in {part} for {vitals.site.units} units")
    h = vitals.history
    whole = (h.samples, h.dead, h.saturated, h.nonfinite)
    real = (h.inactive, h.mean, h.std, h.low, h.high, h.gradient)
    return Entry(f"{vitals.site.model}\n{vitals.site.name}", _about(vitals), h.step, (*whole, *real), arrays)


def _activity(span: str, seen: Activity) -> dict[str | int, Array]:
    counts = (seen.steps, seen.first_step, seen.last_step, seen.moments.count, seen.nonfinite)
    return {
        f"{span}.counts": np.array(counts, dtype=np.int64),
        f"{span}.histogram": seen.histogram.counts,
        f"{span}.left": seen.left,
        f"{span}.right": seen.right,
        f"{span}.mean": seen.moments.mean,
        f"{span}.m2": seen.moments.m2,
        f"{span}.low": seen.low,
        f"{span}.high": seen.high,
    }


def _parameter(vitals: ParameterVitals) -> Entry:
    h = vitals.history
    return Entry(vitals.parameter.name, _about(vitals), h.step, (h.gradient, h.weight, h.update))
