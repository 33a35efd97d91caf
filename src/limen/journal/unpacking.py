"""Entries of tables as a run again, whatever a file may have put into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from limen.findings import Finding
from limen.journal.encoding import Array, array_of, fields_of, value_of
from limen.journal.packing import FIELDS, WINDOWS
from limen.journal.run import Run
from limen.journal.treatment import TreatmentRecord
from limen.ranks import Ranks
from limen.vitals import (
    BINS,
    Activity,
    Histogram,
    LossVitals,
    Moments,
    OptimiserVitals,
    ParameterHistory,
    ParameterVitals,
    SiteHistory,
    SiteVitals,
    Vitals,
    Whole,
    panel_of,
)

__all__ = ["Stored", "unpack"]

MOST_UNITS = 2**26  # of all sites: what is the same in all units takes no room in a file, but does in memory


@dataclass(frozen=True, eq=False)
class Stored:
    """One entry as it was found in a file; its history is checked, its JSON and arrays are not.

    Attributes:
        about: parsed JSON.
        steps: ``[rows]``, int64, rising.
        columns: ``[rows]`` each, int64 or float64, in the order of the table's columns.
        arrays: dtype and bytes, by part.
    """

    about: object
    steps: Array
    columns: tuple[Array, ...]
    arrays: Mapping[object, tuple[object, object]]

    def array(self, part: str, length: int, kind: Literal["f", "i"]) -> Array:
        """The array of this part, checked; ``ValueError`` where it is missing or wrong."""
        if part not in self.arrays:
            raise ValueError(f"array {part!r} is missing")
        return array_of(*self.arrays[part], length, kind)


def unpack(tables: Mapping[str, Sequence[Stored]]) -> Run:
    """The run of which these are the entries; ``Run()`` where nothing was saved yet.

    Raises:
        ValueError: an entry is not what ``pack`` makes of any run.
    """
    if len(tables["run"]) > 1:
        raise ValueError("more than one run")
    head = _object(tables["run"][0].about) if tables["run"] else {}
    _must_have_room(tables["site"])
    vitals = Vitals(
        **_fields(Vitals, head.get("vitals", {})),
        sites=tuple(map(_site, tables["site"])),
        parameters=tuple(map(_parameter, tables["parameter"])),
        losses=tuple(map(_loss, tables["loss"])),
        optimisers=tuple(map(_optimiser, tables["optimiser"])),
    )
    for owner in (*vitals.parameters, *vitals.losses):
        if owner.optimiser is not None and not 0 <= owner.optimiser < len(vitals.optimisers):
            raise ValueError(f"there is no optimiser {owner.optimiser}")
    about = _fields(Run, head.get("run", {}))
    _must_be_possible(about.get("ranks"))
    return Run(
        **about,
        vitals=vitals,
        findings=tuple(Finding(**_fields(Finding, stored.about)) for stored in tables["finding"]),
        treatments=tuple(TreatmentRecord(**_fields(TreatmentRecord, stored.about)) for stored in tables["treatment"]),
        histograms=dict(map(_histograms, tables["histogram"])),
    )


def _must_be_possible(ranks: Ranks | None) -> None:
    if ranks is not None and (not ranks.present or not 0 <= min(ranks.present) <= max(ranks.present) < ranks.world):
        raise ValueError(f"there are no ranks {ranks.present} among {ranks.world}")


def _must_have_room(sites: Sequence[Stored]) -> None:
    sizes = [_fields(SiteVitals, stored.about)["site"].units for stored in sites]
    if min(sizes, default=0) < 0 or sum(sizes) > MOST_UNITS:
        raise ValueError(f"there are sites of {sum(sizes):,} units together, from {min(sizes):,} on")


def _object(raw: object) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise ValueError(f"expected an object, found {type(raw).__name__}")
    return cast("dict[str, object]", raw)


def _fields(kind: type, raw: object) -> dict[str, Any]:
    return fields_of(kind, raw, FIELDS[kind])


def _site(stored: Stored) -> SiteVitals:
    about = _fields(SiteVitals, stored.about)
    units: int = about["site"].units
    birth, recent, total = _windows(stored, units)
    samples, dead, saturated, nonfinite, inactive, mean, std, low, high, gradient = stored.columns
    return SiteVitals(
        **about,
        birth=birth,
        recent=recent,
        total=total,
        last_active=stored.array("last_active", units, "i"),
        silent_steps=stored.array("silent_steps", units, "i"),
        silent_samples=stored.array("silent_samples", units, "i"),
        history=SiteHistory(
            step=stored.steps,
            samples=samples,
            inactive=inactive,
            dead=dead,
            saturated=saturated,
            mean=mean,
            std=std,
            low=low,
            high=high,
            gradient=gradient,
            nonfinite=nonfinite,
        ),
    )


def _windows(stored: Stored, units: int) -> list[Activity]:
    found: list[Activity] = []
    for span in WINDOWS:
        if f"{span}.as" in stored.arrays:
            (same,) = stored.array(f"{span}.as", 1, "i").tolist()
            if not 0 <= same < len(found):
                raise ValueError(f"{span} is to be window {same}")
            found.append(found[same])
        else:
            found.append(_activity(stored, span, units))
    return found


def _activity(stored: Stored, span: str, units: int) -> Activity:
    steps, first_step, last_step, samples, nonfinite = map(int, stored.array(f"{span}.counts", 5, "i"))
    beyond = None
    panel = _panel(stored, span, units)
    if f"{span}.beyond" in stored.arrays:
        mean, m2, low, high = map(float, stored.array(f"{span}.beyond", 4, "f"))
        beyond = Whole(samples * units, mean, m2, low, high)
    return Activity(
        steps=steps,
        first_step=first_step,
        last_step=last_step,
        left=stored.array(f"{span}.left", units, "i"),
        right=stored.array(f"{span}.right", units, "i"),
        moments=Moments(samples, stored.array(f"{span}.mean", panel, "f"), stored.array(f"{span}.m2", panel, "f")),
        low=stored.array(f"{span}.low", panel, "f"),
        high=stored.array(f"{span}.high", panel, "f"),
        nonfinite=nonfinite,
        histogram=Histogram(stored.array(f"{span}.histogram", BINS, "i")),
        beyond=beyond,
    )


def _panel(stored: Stored, span: str, units: int) -> int:
    """Of how many units moments are kept: of all, or of a panel of them."""
    panel = len(panel_of(units))
    _, data = stored.arrays.get(f"{span}.mean", ("", b""))
    return panel if isinstance(data, bytes) and len(data) == 8 * panel else units


def _parameter(stored: Stored) -> ParameterVitals:
    about = _fields(ParameterVitals, stored.about)
    return ParameterVitals(**about, history=ParameterHistory(stored.steps, *stored.columns))


def _loss(stored: Stored) -> LossVitals:
    return LossVitals(**_fields(LossVitals, stored.about), step=stored.steps, value=stored.columns[0])


def _optimiser(stored: Stored) -> OptimiserVitals:
    about = _fields(OptimiserVitals, stored.about)
    return OptimiserVitals(**about, step=stored.steps, learning_rate=stored.columns[0])


def _histograms(stored: Stored) -> tuple[str, tuple[tuple[int, Histogram], ...]]:
    name = value_of(str, _object(stored.about).get("site"))
    steps = sorted(value_of(int, step) for step in stored.arrays)
    return name, tuple((step, Histogram(array_of(*stored.arrays[step], BINS, "i"))) for step in steps)
