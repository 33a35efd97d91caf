"""Biases that hold units down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limen.findings.causes.birth import began_at_zero, bias_of, born_share, weight_of
from limen.findings.causes.registry import cause, fact
from limen.findings.causes.sighting import sighting
from limen.findings.figures import median
from limen.findings.finding import Cause, Finding
from limen.findings.silence import is_gate
from limen.findings.thresholds import Thresholds
from limen.findings.updates import scale_at_birth
from limen.vitals import SiteVitals, Vitals

HELD_DOWN = 3.0  # standard deviations: a Gaussian pre-activation is positive on 0.1 % of samples
OUT_OF_REACH = 2.0  # times the norm of a unit's weights: torch's own biases are 0.1 times that
EARLIEST = 10  # steps in which no unit was active
FEWEST = 4  # units of a layer that is spoken of
ALIKE = 2.0  # mean over spread of the units' means: a shift common to all, which random weights do not make


@cause("bad-bias")
def bad_bias(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """A bias so negative that the weighted inputs never lift a unit above zero.

    Why it matters: the unit is dead before training begins, and no gradient will ever change its bias.

    How it is measured: in the first window the units' pre-activations lie at least three standard deviations below
    zero, all by about the same amount; where the bias itself was recorded, its root mean square must make up half of
    that and be twice the norm of a unit's weights. Random weights on inputs of one sign push units both ways and are
    not taken for it.

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


@fact("bad-bias", explains={"dead-units", "not-learning", "slow-learning", "vanishing-gradient"})
def held_down(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Layers of which the biases were seen to hold all units down; see above for the page."""
    for seen in vitals.sites:
        site, birth = seen.site, seen.birth
        if not site.dead_left or is_gate(site.function) or site.head or birth.steps < EARLIEST or birth.units < FEWEST:
            continue
        if birth.active.any():
            continue
        held = _held_down(vitals, seen, np.arange(len(birth.moments.mean)))
        if held is not None and held.direct:
            yield sighting(
                "bad-bias",
                "warning",
                site.name,
                f"No unit of {site.described} was active in the first {birth.steps} steps. {held.evidence}",
                confidence=0.95,
                measured=held.level,
                limit=HELD_DOWN,
                unit="standard deviations below zero",
                layer=site.layer,
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
        f"{level:.3g} with a standard deviation of {spread:.2g} over samples{words}."
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
    return size, f"; {bias.parameter.name} began at {size:.3g} (root mean square)"
