"""Which treatments answer which findings: a pure decision, made from values alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from limen.findings import Finding, is_safe
from limen.findings.indications import blames_the_rate
from limen.findings.rate_choice import (
    RATE_LIMITS,
    learning_rate_factor,
    optimiser_of,
    rate_at,
    telling_window,
    update_ratio,
)
from limen.journal import TreatmentRecord
from limen.treatments.lower_learning_rate import NAME as LOWER_LEARNING_RATE
from limen.treatments.revive_units import NAME as REVIVE_UNITS
from limen.vitals import Vitals, dead_units

__all__ = ["PATIENCE", "Patience", "Step", "plan"]

HAND_WRITTEN = -1
"""In place of an optimiser's index, where the script updates its weights itself."""


@dataclass(frozen=True)
class Patience:
    """How often a finding may be treated.

    Attributes:
        steps: training steps that a treatment is given to work before the same finding is treated again.
        times: treatments of one kind for one finding, at most.
        lowered: a rate at or below this share of the rate at the onset counts as lowered, by whomever.
    """

    steps: int = 50
    times: int = 3
    lowered: float = 0.5


PATIENCE = Patience()
"""The documentation's: 50 steps, 3 times."""


@dataclass(frozen=True)
class Step:
    """One treatment to apply.

    Attributes:
        name: the remedy.
        where: name of the site, or class name of the optimiser.
        units: indices of the units; empty where it is not about units.
        optimiser: index into ``Vitals.optimisers``; None where it is not about one.
        factor: what the learning rate is multiplied by; 1 where it is not about one.
        finding: key of the finding it answers.
    """

    name: str
    where: str
    units: tuple[int, ...]
    optimiser: int | None
    factor: float
    finding: str


def plan(
    findings: tuple[Finding, ...],
    vitals: Vitals,
    treated: tuple[TreatmentRecord, ...] = (),
    *,
    patience: Patience = PATIENCE,
) -> tuple[Step, ...]:
    """The treatments that the open findings call for now, in the order they are to be applied.

    Learning rates come first, each at most once; then dead units, in forward order, so that what an earlier site
    silences is drawn anew for the next one. Units are revived only once the cause no longer acts: a learning rate
    that is too high must be lowered by the same plan, or have come down since the units died. Only treatments that
    keep the network's function are planned, and a lower rate.

    Args:
        findings: as of now.
        vitals: as of now.
        treated: what was applied so far.
        patience: how soon and how often a finding may be treated again.

    Returns:
        Steps for ``apply``; none where nothing safe would help.
    """
    answered = (f for f in findings if is_safe(LOWER_LEARNING_RATE, f) or is_safe(REVIVE_UNITS, f))
    due = tuple(f for f in answered if is_due(f, vitals, treated, patience))
    acting = {f.key: optimiser for f in due if (optimiser := acting_rate(f, vitals, treated, patience)) is not None}
    slower = tuple(lowerings(due, acting, vitals, treated))
    return (*slower, *revivals(due, acting, {step.optimiser for step in slower}, vitals))


def is_due(finding: Finding, vitals: Vitals, treated: tuple[TreatmentRecord, ...], patience: Patience) -> bool:
    """Whether a finding was left alone for long enough, and not treated too often (undone treatments count)."""
    steps = {record.step for record in treated if record.finding == finding.key}
    return not steps or (vitals.step - max(steps) >= patience.steps and len(steps) < patience.times)


def acting_rate(
    finding: Finding, vitals: Vitals, treated: tuple[TreatmentRecord, ...], patience: Patience
) -> int | None:
    """The optimiser whose learning rate is a leading cause and still acts: -1 for a hand-written update; else None."""
    if not blames_the_rate(finding):
        return None
    optimiser = optimiser_of(finding, vitals)
    if optimiser is None:
        return HAND_WRITTEN
    before = [record.step for record in treated if record.finding == finding.key]
    onset = max([finding.step, *(step + 1 for step in before)])
    if rate_at(vitals, optimiser, vitals.step) <= patience.lowered * rate_at(vitals, optimiser, onset):
        return None  # lowered since, by a treatment of another finding or by a schedule
    if before and update_ratio(vitals, optimiser, *window(finding, vitals, treated)) <= RATE_LIMITS.tolerated:
        return None  # the treatment brought the updates down, so something else keeps the finding open
    return optimiser


def lowerings(
    due: tuple[Finding, ...], acting: dict[str, int], vitals: Vitals, treated: tuple[TreatmentRecord, ...]
) -> Iterator[Step]:
    """One lower learning rate for each optimiser, by the strongest factor that a finding calls for."""
    chosen: dict[int, Step] = {}
    for finding in due:
        optimiser = acting.get(finding.key, HAND_WRITTEN)
        if optimiser == HAND_WRITTEN or not is_safe(LOWER_LEARNING_RATE, finding):
            continue
        factor = learning_rate_factor(update_ratio(vitals, optimiser, *window(finding, vitals, treated)))
        if optimiser not in chosen or factor < chosen[optimiser].factor:
            name = vitals.optimisers[optimiser].name
            chosen[optimiser] = Step(LOWER_LEARNING_RATE, name, (), optimiser, factor, finding.key)
    yield from (chosen[optimiser] for optimiser in sorted(chosen))


def revivals(
    due: tuple[Finding, ...], acting: dict[str, int], lowered: set[int | None], vitals: Vitals
) -> Iterator[Step]:
    """Dead units whose cause is over, in forward order of their sites."""
    order = {site.site.name: site.site.order for site in vitals.sites}
    for finding in sorted(due, key=lambda f: order.get(f.where, len(order))):
        still_acts = finding.key in acting and acting[finding.key] not in lowered
        units = still_dead(finding, vitals)
        if is_safe(REVIVE_UNITS, finding) and not still_acts and units:
            yield Step(REVIVE_UNITS, finding.where, units, None, 1.0, finding.key)


def still_dead(finding: Finding, vitals: Vitals) -> tuple[int, ...]:
    """The units of a finding that are dead as of now: to revive a living one would change the network's function."""
    site = vitals.site(finding.where)
    return tuple(sorted(set(finding.units) & set(dead_units(site).tolist()))) if site else ()


def window(finding: Finding, vitals: Vitals, treated: tuple[TreatmentRecord, ...]) -> tuple[int, int]:
    """The steps whose updates speak for a finding: up to its onset, or, once treated, the latest ones since then."""
    before = [record.step for record in treated if record.finding == finding.key]
    if before:
        return max(*before, vitals.step - RATE_LIMITS.window), vitals.step
    return telling_window(finding, vitals)
