"""Which treatments answer which findings: a pure decision, made from values alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from limen.findings import Finding
from limen.journal import TreatmentRecord
from limen.treatments.lower_learning_rate import NAME as LOWER_LEARNING_RATE
from limen.treatments.rate_choice import RATE_LIMITS, learning_rate_factor, rate_at, update_ratio
from limen.treatments.revive_units import NAME as REVIVE_UNITS
from limen.vitals import Vitals, dead_units

__all__ = ["PATIENCE", "Patience", "Step", "plan"]

RATE_SYMPTOMS = frozenset({"dead-units", "dying-units", "exploding-gradient", "exploding-activations"})
"""Symptoms for which a learning rate is lowered, where it is the cause."""

REVIVABLE_CAUSES = frozenset({"learning-rate-too-high", "bad-initialisation", "bad-bias", "dead-from-start"})
"""Causes that are over once the rate is lowered or the unit's own weights are drawn anew. Under any other (unscaled
inputs, say) revived units would die again."""

RATE_CAUSE = "learning-rate-too-high"

HAND_WRITTEN = -1
"""In place of an optimiser's index, where the script updates its weights itself."""


@dataclass(frozen=True)
class Patience:
    """How often a finding may be treated.

    Attributes:
        steps: training steps that a treatment is given to work before the same finding is treated again.
        times: treatments of one kind for one finding, at most.
        lowered: a rate at or below this share of the rate at the onset counts as lowered, by whomever.
        leading: a cause of at least this confidence counts as leading, beside the most likely one.
    """

    steps: int = 50
    times: int = 3
    lowered: float = 0.5
    leading: float = 0.5


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
    due = tuple(
        f for f in findings if f.closed is None and f.severity != "info" and is_due(f, vitals, treated, patience)
    )
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
    if not leads(finding, patience):
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
        wanted = finding.symptom in RATE_SYMPTOMS and LOWER_LEARNING_RATE in finding.remedies
        if optimiser == HAND_WRITTEN or not wanted:
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
        wanted = finding.symptom == "dead-units" and REVIVE_UNITS in finding.remedies
        over = not finding.causes or finding.causes[0].name in REVIVABLE_CAUSES
        still_acts = finding.key in acting and acting[finding.key] not in lowered
        units = still_dead(finding, vitals)
        if wanted and over and not still_acts and units:
            yield Step(REVIVE_UNITS, finding.where, units, None, 1.0, finding.key)


def still_dead(finding: Finding, vitals: Vitals) -> tuple[int, ...]:
    """The units of a finding that are dead as of now: to revive a living one would change the network's function."""
    site = vitals.site(finding.where)
    return tuple(sorted(set(finding.units) & set(dead_units(site).tolist()))) if site else ()


def leads(finding: Finding, patience: Patience) -> bool:
    """Whether a learning rate that is too high is the most likely cause, or likely enough beside it."""
    return any(
        cause.name == RATE_CAUSE and (rank == 0 or cause.confidence >= patience.leading)
        for rank, cause in enumerate(finding.causes)
    )


def window(finding: Finding, vitals: Vitals, treated: tuple[TreatmentRecord, ...]) -> tuple[int, int]:
    """The steps whose updates speak for a finding: up to its onset, or, once treated, the latest ones since then."""
    before = [record.step for record in treated if record.finding == finding.key]
    if before:
        return max(*before, vitals.step - RATE_LIMITS.window), vitals.step
    return finding.step - RATE_LIMITS.window, max(finding.step, RATE_LIMITS.window)


def optimiser_of(finding: Finding, vitals: Vitals) -> int | None:
    """The optimiser of the layer concerned, or the only one; None for a hand-written update."""
    owners = [p.optimiser for p in vitals.parameters if p.parameter.layer == finding.layer and p.optimiser is not None]
    return min(owners) if owners else (0 if len(vitals.optimisers) == 1 else None)
