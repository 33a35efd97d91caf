"""A run as the entries of tables: what becomes JSON, what becomes rows over time, what becomes an array."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from limen.findings import Finding
from limen.journal.encoding import Array, blob_of
from limen.journal.run import Run
from limen.journal.treatment import TreatmentRecord
from limen.lasting import LastingArray
from limen.vitals import (
    Activity,
    LossVitals,
    Narrow,
    OfFew,
    OptimiserVitals,
    ParameterVitals,
    SiteVitals,
    Vitals,
    held_in,
    narrow_in,
    panel_of,
)

__all__ = ["FIELDS", "WINDOWS", "Entry", "Stored", "hash_of", "pack"]

WINDOWS = "birth", "recent", "total"
SILENCE = "last_active", "silent_steps", "silent_samples"
PARTS = {
    span: {
        name: f"{span}.{name}"
        for name in ("as", "counts", "histogram", "left", "right", "mean", "m2", "low", "high", "beyond")
    }
    for span in WINDOWS
}
"""The names of the arrays of each window, made once: a thousand entries keep them."""

Stored = Array | LastingArray | Narrow | OfFew | int


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
        history: a value with ``[rows]`` in its field ``step``, rising, and in a field for each of the table's columns;
            None where its kind has none.
        arrays: by part: arrays, or what is kept narrow; in place of each its hash once they are written.
    """

    key: str
    about: Mapping[str, object]
    history: object = None
    arrays: Mapping[str | int, Stored] = field(default_factory=dict[str | int, Stored])

    def written(self) -> Entry:
        """What must be remembered of it to find out what is new in the next save: of arrays, their hashes."""
        return dataclasses.replace(self, arrays={part: hash_of(stored) for part, stored in self.arrays.items()})


def hash_of(stored: Stored) -> int:
    """The same for the same bits; different for others, but for one in 2⁶⁴."""
    return stored if isinstance(stored, int) else hash(blob_of(stored))


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
        "loss": [Entry(str(n), _about(v), v) for n, v in enumerate(vitals.losses)],
        "optimiser": [Entry(str(n), _about(v), v) for n, v in enumerate(vitals.optimisers)],
        "histogram": [
            Entry(site, {"site": site}, arrays={step: narrow_in(histogram, "counts") for step, histogram in taken})
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
    arrays: dict[str | int, Stored] = {
        **{name: held_in(vitals, name) for name in SILENCE},
        **_windows(vitals),
    }
    units = vitals.site.units
    for part, array in arrays.items():
        kept = {array.length} if isinstance(array, LastingArray | Narrow | OfFew) else {np.size(array)}
        if str(part).endswith((".mean", ".m2", ".low", ".high")):
            kept -= {len(panel_of(units))}
        if not str(part).endswith((".counts", ".histogram", ".beyond", ".as")) and kept - {units}:
            raise ValueError(f"site {vitals.site.name}: {kept.pop()} entries in {part} for {units} units")
    return Entry(f"{vitals.site.model}\n{vitals.site.name}", _about(vitals), vitals.history, arrays)


def _windows(vitals: SiteVitals) -> dict[str | int, Stored]:
    """What was seen in each window; of one that is an earlier one, only which."""
    arrays: dict[str | int, Stored] = {}
    windows = [getattr(vitals, span) for span in WINDOWS]
    for place, (span, seen) in enumerate(zip(WINDOWS, windows, strict=True)):
        same = next(earlier for earlier, other in enumerate(windows) if other is seen)
        arrays |= _activity(span, seen) if same == place else {PARTS[span]["as"]: np.array([same], dtype=np.int64)}
    return arrays


def _activity(span: str, seen: Activity) -> dict[str | int, Stored]:
    counts = (seen.steps, seen.first_step, seen.last_step, seen.moments.count, seen.nonfinite)
    whole = seen.beyond
    arrays: dict[str, Stored] = {
        "counts": np.array(counts, dtype=np.int64),
        "histogram": narrow_in(seen.histogram, "counts"),
        **{side: narrow_in(seen, side) for side in ("left", "right")},
        **{name: held_in(seen.moments, name) for name in ("mean", "m2")},
        **{name: held_in(seen, name) for name in ("low", "high")},
        **({} if whole is None else {"beyond": np.array([whole.mean, whole.m2, whole.low, whole.high])}),
    }
    return {PARTS[span][name]: stored for name, stored in arrays.items()}


def _parameter(vitals: ParameterVitals) -> Entry:
    return Entry(vitals.parameter.name, _about(vitals), vitals.history)
