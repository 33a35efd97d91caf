"""Where a training stands, for a live line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from limen.findings import Finding
from limen.journal import TreatmentRecord
from limen.probe import Probe

__all__ = ["Progress", "progress_of"]


@dataclass(frozen=True)
class Progress:
    """Where a training stands, for a live line.

    Attributes:
        step: the last training step, from 1.
        loss: the last loss; NaN before the first.
        worst_site: name of the site with the largest dead share; empty where there is none.
        dead_share: its share of dead units.
        gradient_ratio: gradient norm at the first site over that at the last; NaN where unknown.
        overhead: share of the run that limen took.
        spent: that in seconds.
        free: whether it is within what limen may spend whatever the share.
        sites: number of sites found.
        findings: as of now, open ones first.
        treatments: as of now.
        titles: what to call the places of the findings, by their name, where that is only a number.
    """

    step: int
    loss: float
    worst_site: str
    dead_share: float
    gradient_ratio: float
    overhead: float
    spent: float
    free: bool
    sites: int
    findings: tuple[Finding, ...]
    treatments: tuple[TreatmentRecord, ...]
    titles: Mapping[str, str] = field(default_factory=dict)


def progress_of(probe: Probe, findings: tuple[Finding, ...], treatments: tuple[TreatmentRecord, ...]) -> Progress:
    """Where a training stands after its last step: a few looks, no copies."""
    records = probe.sites.records()
    worst = max(records, key=lambda record: record.dead / record.site.units, default=None)
    share = worst.dead / worst.site.units if worst is not None else 0.0
    gradients = [record.gradient for record in records if not math.isnan(record.gradient)]
    ratio = gradients[0] / gradients[-1] if len(gradients) > 1 and gradients[-1] > 0 else math.nan
    return Progress(
        step=probe.step,
        loss=probe.losses.last,
        worst_site=worst.site.title if worst is not None and share > 0 else "",
        dead_share=share,
        gradient_ratio=ratio,
        overhead=probe.budget.spent / probe.seconds if probe.seconds > 0 else 0.0,
        spent=probe.budget.spent,
        free=probe.budget.spent <= probe.budget.allowance,
        sites=len(records),
        findings=findings,
        treatments=treatments,
        titles={record.site.name: record.site.title for record in records} if findings else {},
    )
