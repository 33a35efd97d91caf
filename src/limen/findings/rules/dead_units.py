"""Units that never fire."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from limen.findings.figures import share
from limen.findings.finding import Finding, Severity
from limen.findings.loss_trend import loss_trend
from limen.findings.rules.registry import rule
from limen.findings.silence import convincingly_dead
from limen.findings.thresholds import Thresholds
from limen.vitals import SiteVitals, Vitals


@dataclass(frozen=True)
class _Count:
    """Dead units of one site: how many, and how many of them had been alive."""

    dead: int
    killed: int
    units: int

    @property
    def share(self) -> float:
        return share(self.dead, self.units)

    @property
    def killed_share(self) -> float:
        return share(self.killed, self.units)


@rule("dead-units")
def dead_units(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Units that were silent on every sample for so long that they no longer take part in learning.

    Why it matters: a silent unit passes no gradient, so its incoming weights never change again; the layer works
    with fewer units than it has, and with none left nothing before it can learn.

    How it is measured: a unit is dead when it was flat, on a side where its output is about zero, on at least 1,000
    samples in a row and over 20 training steps. With n samples and none active its activity is below 3/n with 95 %
    confidence; the finding says that bound. A unit that fired rarely before counts only once its own earlier rate
    would have made it fire five times. Half of a layer is an error; a quarter that was alive once, a warning; units
    that never fired count towards the warning only while the loss does not fall.

    Known to misfire: classes or tokens so rare that their units are not needed for thousands of samples; a layer
    that is switched on late in training.

    Answered by: revive-units, lower-learning-rate, reinitialise, swap-activation.

    Source: Lu et al. 2020, "Dying ReLU and Initialization", arXiv:1903.06733; rule of three: Hanley & Lippman-Hand
    1983, JAMA 249(13).
    """
    trend = loss_trend(vitals, limits)
    learns = trend is not None and trend.learned
    for seen in vitals.sites:
        dead = convincingly_dead(seen, limits)
        count = _Count(len(dead), int((seen.last_active[dead] > 0).sum()), len(seen.last_active))
        severity = _severity(count, learns, seen.site.head, limits)
        if severity is not None:
            yield _finding(seen, dead, count, severity, limits)


def _severity(count: _Count, learns: bool, head: bool, limits: Thresholds) -> Severity | None:
    whole = count.dead > 0 and count.dead == count.units
    if whole or (count.share >= limits.dead_blocked and not head and count.dead >= limits.fewest_units):
        return "error"
    if head or count.dead < limits.fewest_units:
        return None  # outputs for classes that never occur, or too few units to speak of a share
    if count.share >= limits.dead_error:
        return "warning" if learns and count.killed_share < limits.dead_warning else "error"
    harmful = count.killed_share if learns else count.share
    return "warning" if harmful >= limits.dead_warning and _enough(count, learns, limits) else None


def _enough(count: _Count, learns: bool, limits: Thresholds) -> bool:
    return (count.killed if learns else count.dead) >= limits.fewest_units


def _finding(
    seen: SiteVitals,
    dead: np.ndarray[tuple[int], np.dtype[np.int64]],
    count: _Count,
    severity: Severity,
    limits: Thresholds,
) -> Finding:
    samples = int(seen.silent_samples[dead].min())
    step = int(np.median(seen.last_active[dead])) + 1
    born = count.dead - count.killed
    since = "from the first step on" if born == count.dead else f"half of them since step {step} or earlier"
    return Finding(
        symptom="dead-units",
        severity=severity,
        where=seen.site.name,
        layer=seen.site.layer,
        units=tuple(int(unit) for unit in dead),
        step=step,
        measured=count.share,
        limit=limits.dead_error if severity == "error" else limits.dead_warning,
        unit="share of units",
        confidence=1.0 - 0.05 * min(1.0, limits.samples / samples),
        causes=(),
        remedies=(),
        message=f"{count.dead} of {count.units} units of {seen.site.name} ({seen.site.function}) are dead, {since}: "
        f"silent on at least {samples:,} samples in a row, so each fires on less than {3.0 / samples:.2%} of samples "
        "(95 % confidence).",
    )
