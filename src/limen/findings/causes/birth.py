"""What a layer was like before it was trained."""

from __future__ import annotations

import numpy as np

from limen.findings.figures import median
from limen.findings.finding import Finding
from limen.findings.silence import stuck_shares
from limen.findings.updates import scale_at_birth
from limen.findings.weights import weight_of
from limen.vitals import SiteVitals, Vitals

__all__ = ["began_at_zero", "born_share", "born_stuck", "first_site", "size_at_birth"]


def began_at_zero(vitals: Vitals, layer: str | None) -> bool:
    """True when the weight of a layer was recorded from the first steps on and was all zeros then."""
    weight = weight_of(vitals, layer)
    return weight is not None and scale_at_birth(weight) == 0.0


def born_share(vitals: Vitals, finding: Finding) -> float:
    """Share of the finding's units that were never active; 0 where it is not about units that fell silent."""
    seen = vitals.site(finding.where)
    if finding.symptom not in ("dead-units", "dying-units") or seen is None or not finding.units:
        return 0.0
    return float((seen.last_active[list(finding.units)] == 0).mean())


def born_stuck(seen: SiteVitals) -> float:
    """Share of flat samples of a site in its first window, on the sides that count as saturated; 0 without samples."""
    birth = seen.birth
    if birth.samples == 0 or birth.units == 0:
        return 0.0
    return float(np.mean(stuck_shares(seen, birth)))


def size_at_birth(seen: SiteVitals) -> float:
    """Root mean square of the pre-activations of a middling unit in the first window; NaN without samples."""
    moments = seen.birth.moments
    return median(np.hypot(moments.mean, moments.std))


def first_site(vitals: Vitals, model: str = "") -> SiteVitals | None:
    """The site nearest the input of a model, or None."""
    own = [one for one in vitals.sites if one.site.model == model]
    return min(own, key=lambda one: one.site.order, default=None)
