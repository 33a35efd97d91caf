"""Biases that hold units down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.findings.causes.birth import began_at_zero, born_share
from limen.findings.causes.registry import cause, fact
from limen.findings.causes.sighting import sighting
from limen.findings.figures import median
from limen.findings.finding import Cause, Finding
from limen.findings.numbers import number
from limen.findings.silence import is_bounded
from limen.findings.thresholds import Thresholds
from limen.findings.updates import scale_at_birth
from limen.findings.weights import bias_of, weight_of
from limen.vitals import SiteVitals, Vitals

HELD_DOWN = 3.0  # standard deviations: a Gaussian pre-activation is positive on 0.1 % of samples
OUT_OF_REACH = 2.0  # times the norm of a unit's weights: torch's own biases are 0.1 times that
BEYOND = 2.0
"""Times the edge of the flat side: 12 for a sigmoid, of which Srivastava et al. 2015, arXiv:1505.00387, let gates begin
at -10, and an LSTM of a thousand steps at 7 (Tallec & Ollivier 2018, arXiv:1804.11188)."""

ALIKE = 2.0  # mean over spread of the units' means: a shift common to all, which random weights do not make


@cause("bad-bias")
def bad_bias(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """A bias so far from zero that the weighted inputs never bring a unit back to where its function has a slope.

    Why it matters: the unit is dead, or at its bound, before training begins, and no gradient will change its
    bias.

    How it is measured: in the first window the units' pre-activations lie at least three standard deviations below
    zero, all by about the same amount; where the bias itself was recorded, its root mean square must make up half of
    that and be twice the norm of a unit's weights. Random weights on inputs of one sign push units both ways and are
    not taken for it. Of a bounded function or a gate, all units must begin behind the same bound, twice as far from
    zero as it is flat.

    By itself it is seen after ten steps in hidden layers of four units and more: in those of which no unit was active,
    where the bias was recorded, and in those behind a bound, unless the bias was recorded and makes up less than half.

    Known to misfire: an input shift that all units share.

    Answered by: reinitialise, revive-units, swap-activation.

    Source: a pre-activation of mean -3 standard deviations is positive with probability Phi(-3) = 0.13 %.
    """
    seen = vitals.site(finding.where)
    born = born_share(vitals, finding)
    held = _held_down(vitals, seen, seen.birth.in_panel(finding.units)) if seen is not None and born >= 0.5 else None
    if held is None:
        return None
    return Cause("bad-bias", round(born * (0.95 if held.direct else 0.75), 3), held.evidence)


@fact("bad-bias", explains={"dead-units", "saturated-units", "not-learning", "slow-learning", "vanishing-gradient"})
def bad_bias_seen(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Layers of which the biases were seen to hold all units where the slope is zero."""
    for seen in vitals.sites:
        site, birth = seen.site, seen.birth
        if site.head or birth.steps < limits.begun or birth.units < limits.fewest_units:
            continue
        if is_bounded(site):
            yield from _at_a_bound(vitals, seen)
        elif site.dead_left and not birth.active.any():
            down = _held_down(vitals, seen, np.arange(len(birth.moments.mean)))
            if down is not None and down.direct:
                message = f"No unit of {site.described} was active in the first {birth.steps} steps. {down.evidence}"
                yield _told(seen, message, measured=down.level, limit=HELD_DOWN)


def _at_a_bound(vitals: Vitals, seen: SiteVitals) -> Iterator[Finding]:
    """A bounded function, or a gate, of which all units began far behind the same bound."""
    means, spread = seen.birth.moments.mean, median(seen.birth.moments.std)
    if seen.birth.samples == 0 or not np.isfinite(means).all() or began_at_zero(vitals, seen.site.layer):
        return
    level = float(np.median(means))
    edge = (seen.site.flat_right if level > 0 else seen.site.flat_left) or 0.0
    alike = abs(level) >= ALIKE * float(np.std(means))
    if abs(level) < BEYOND * abs(edge) or abs(level) < HELD_DOWN * spread or not alike:
        return
    shift, words = _recorded_bias(vitals, seen)
    if np.isfinite(shift) and shift < 0.5 * abs(level):
        return
    message = (
        f"In the first {seen.birth.steps} steps all units of {seen.site.described} had pre-activations of about "
        f"{number(level)} with a standard deviation of {number(spread, 2)} over samples, and it is flat beyond "
        f"{number(edge, 2)}{words}."
    )
    yield _told(seen, message, measured=abs(level), limit=BEYOND * abs(edge), unit="distance from zero")


def _told(
    seen: SiteVitals, message: str, *, measured: float, limit: float, unit: str = "standard deviations below zero"
) -> Finding:
    return sighting(
        "bad-bias",
        "warning",
        seen.site.name,
        message,
        confidence=0.95,
        measured=measured,
        limit=limit,
        unit=unit,
        layer=seen.site.layer,
    )


@dataclass(frozen=True)
class _Held:
    """How far below zero silent units lie: in standard deviations, and whether their recorded biases explain it."""

    level: float
    direct: bool
    evidence: str


def _held_down(vitals: Vitals, seen: SiteVitals, known: npt.NDArray[np.int64]) -> _Held | None:
    """What is known of these units of a site, as indices into what was seen at birth; None where it is not bias."""
    if seen.birth.samples == 0 or began_at_zero(vitals, seen.site.layer):
        return None
    means, spread = seen.birth.moments.mean[known], median(seen.birth.moments.std[known])
    if len(known) == 0 or not np.isfinite(means).all():
        return None
    level = float(np.median(means))
    alike = -level >= ALIKE * float(np.std(means))
    shift, words = _recorded_bias(vitals, seen)
    if level >= 0 or -level < HELD_DOWN * spread or not (alike or shift >= HELD_DOWN * spread):
        return None
    direct = shift >= 0.5 * -level and shift >= OUT_OF_REACH * _row_norm(vitals, seen)
    if np.isfinite(shift) and not direct:
        return None  # the biases were seen, and they are not what holds the units down
    evidence = (
        f"In the first {seen.birth.steps} steps the silent units of {seen.site.title} had pre-activations of about "
        f"{number(level)} with a standard deviation of {number(spread, 2)} over samples{words}."
    )
    return _Held(-level / spread if spread > 0.0 else float("inf"), direct, evidence)


def _row_norm(vitals: Vitals, seen: SiteVitals) -> float:
    """Norm of a unit's incoming weights at birth: what an input of unit size along them adds; 0 where unknown."""
    weight = weight_of(vitals, seen.site.layer)
    norm = scale_at_birth(weight) if weight is not None else float("nan")
    return norm if np.isfinite(norm) else 0.0


def _recorded_bias(vitals: Vitals, seen: SiteVitals) -> tuple[float, str]:
    """Root mean square of the bias in its first row, and words for it; NaN where it was not recorded."""
    bias = bias_of(vitals, seen.site.layer)
    if bias is None or len(bias.history.weight) == 0 or not np.isfinite(bias.history.weight[0]):
        return float("nan"), ""
    size = float(bias.history.weight[0] / np.sqrt(max(1, int(np.prod(bias.parameter.shape)))))
    return size, f"; {bias.parameter.name} began at {number(size)} (root mean square)"
