"""Units that are stuck at a bound."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from limen.findings.figures import median, share
from limen.findings.finding import Finding, Severity
from limen.findings.loss_trend import LossTrend, loss_trend
from limen.findings.rules.registry import rule
from limen.findings.silence import is_gate, stuck_shares
from limen.findings.thresholds import Thresholds
from limen.findings.updates import typical_update
from limen.findings.weights import weight_of
from limen.findings.words import samples_of
from limen.vitals import Activity, SiteVitals, Vitals

Integers = npt.NDArray[np.int64]


@rule("saturated-units")
def saturated_units(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Units that sit at a bound of their function on nearly every sample, in a training that does not learn.

    Why it matters: at a bound the slope is below 1 % of the steepest, so hardly any gradient passes, and the unit
    answers the same whatever it is shown.

    How it is measured: a unit is saturated when it is flat on at least 95 % of the latest 1,000 samples or more, on
    sides where the function is bounded and not about zero. Reported when half of a hidden layer is, or when seven
    tenths of all its samples are flat, and either it was so from the first steps on or the loss has not fallen.
    Outputs at the loss are left out, and so is what saturates while the loss falls: confident is not saturated. A
    sigmoid, which may be a gate, is reported only while the loss does not fall. It is an error when the loss has not
    fallen, and when nine tenths of the units are saturated and the weights before them move a thousand times more
    slowly than the fastest, or by less than a millionth of themselves.

    Known to misfire: frozen random features; codes that are meant to be binary and start so.

    Answered by: reinitialise, scale-inputs, lower-learning-rate, add-normalisation, swap-activation.

    Source: Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks".
    """
    trend = loss_trend(vitals, limits)
    for seen in vitals.sites:
        if seen.site.head or seen.recent.samples < limits.samples or seen.recent.steps < limits.steps:
            continue
        if not _stuck(seen, seen.recent, limits) or not _unexcused(seen, trend, limits):
            continue
        learns = (trend is None or trend.learned) and not _blocked(vitals, seen, limits)
        yield _finding(seen, "warning" if learns else "error", limits)


def _stuck(seen: SiteVitals, activity: Activity, limits: Thresholds) -> bool:
    flat = stuck_shares(seen, activity)
    if len(flat) < limits.fewest_units:
        return False
    units = share(int((flat >= limits.saturated).sum()), len(flat))
    return units >= limits.saturated_units or float(flat.mean()) >= limits.saturated_samples


def _from_birth(seen: SiteVitals, limits: Thresholds) -> bool:
    return seen.birth.samples > 0 and _stuck(seen, seen.birth, limits)


def _unexcused(seen: SiteVitals, trend: LossTrend | None, limits: Thresholds) -> bool:
    """A layer born stuck, or one that is stuck in a run of which it is known that it does not learn.

    A sigmoid born at a bound may be a gate that begins closed: for it only the loss decides.
    """
    born = _from_birth(seen, limits) and not is_gate(seen.site.function)
    return born or (trend is not None and trend.stuck)


def _blocked(vitals: Vitals, seen: SiteVitals, limits: Thresholds) -> bool:
    """Nearly all units are stuck, and the weights before them stand still: what learns is only what comes behind."""
    stuck = share(int((stuck_shares(seen, seen.recent) >= limits.saturated).sum()), seen.recent.units)
    weight = weight_of(vitals, seen.site.layer)
    if stuck < limits.dead_blocked or weight is None:
        return False
    _, fastest = typical_update(vitals, limits.window)
    return median(weight.history.update[-limits.window :]) <= max(limits.frozen_update, limits.starved * fastest)


def _finding(seen: SiteVitals, severity: Severity, limits: Thresholds) -> Finding:
    flat = stuck_shares(seen, seen.recent)
    born = _from_birth(seen, limits)
    stuck = np.flatnonzero(flat >= limits.saturated)
    by_units = share(len(stuck), len(flat)) >= limits.saturated_units
    listed = stuck if by_units else np.flatnonzero(flat >= limits.saturated_samples)
    measured = share(len(stuck), len(flat)) if by_units else float(flat.mean())
    place = seen.site.described
    latest = f"the latest {seen.recent.samples:,} {samples_of(seen.site)}"
    since = "from the first step on" if born else "though not at the start"
    what = (
        f"{len(stuck)} of {len(flat)} units of {place} are at a bound on at least {100 * limits.saturated:.0f} % of "
        f"{latest}"
        if by_units
        else f"{100 * measured:.0f} % of {latest} of {place} are at a bound"
    )
    return Finding(
        symptom="saturated-units",
        severity=severity,
        where=seen.site.name,
        layer=seen.site.layer,
        units=tuple(int(unit) for unit in listed),
        step=1 if born else _since(seen),
        measured=measured,
        limit=limits.saturated_units if by_units else limits.saturated_samples,
        unit="share of units" if by_units else f"share of {samples_of(seen.site)}",
        confidence=0.9 if born else 0.75,
        causes=(),
        remedies=(),
        message=f"{what}, {since}: there the slope is below 1 % of the steepest.",
    )


def _since(seen: SiteVitals) -> int:
    """First recorded step from which the number of saturated units stayed above half of its latest."""
    history = seen.history
    if len(history.step) == 0:
        return max(seen.recent.first_step, 1)
    level = np.maximum(history.saturated, history.inactive * seen.recent.units)
    below = np.flatnonzero(level < level[-1] / 2.0)
    return int(history.step[below[-1] + 1 if len(below) else 0])
