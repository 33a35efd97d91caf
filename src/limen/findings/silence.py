"""Which silent units are dead and which are only rare, and which are stuck at a bound."""

import numpy as np
import numpy.typing as npt

from limen.findings.once import once
from limen.findings.thresholds import Thresholds
from limen.sites import Site
from limen.vitals import Activity, SiteVitals
from limen.vitals import dead_units as silent_units

__all__ = ["convincingly_dead", "is_bounded", "is_gate", "stuck_shares"]

Integers = npt.NDArray[np.int64]


def is_gate(function: str) -> bool:
    """True for functions whose closed side is a decision, not a death: sigmoids, of which gates are made."""
    return "sigmoid" in function


def is_bounded(site: Site) -> bool:
    """True for functions that are flat on both sides."""
    return site.flat_left is not None and site.flat_right is not None


def stuck_shares(seen: SiteVitals, activity: Activity) -> npt.NDArray[np.float64]:
    """``[units]``, share of samples flat on a side where the output is not about zero; of a gate, on either side."""
    both = not seen.site.dead_left or is_gate(seen.site.function)
    flat = activity.left + activity.right if both else activity.right
    return flat / max(activity.samples, 1)


@once
def convincingly_dead(seen: SiteVitals, limits: Thresholds) -> Integers:
    """Indices of dead units, without those that fired so rarely before that their silence is no surprise.

    With ``a`` active samples among the ``n`` until the last of them, the rate is taken as ``a / n``, and a silence
    of ``s`` samples surprises when ``s * a / n`` reaches ``limits.surprise``.
    """
    dead = silent_units(seen, limits.evidence)
    if is_gate(seen.site.function) or len(dead) == 0:
        return dead[:0]
    active = seen.samples - seen.total.left[dead]  # on a bounded right side a unit is not silent
    silence = seen.silent_samples[dead]
    before = np.maximum(seen.samples - silence, 1)
    born = seen.last_active[dead] == 0
    expected = silence * np.maximum(active, 1) / before
    return dead[born | (expected >= limits.surprise)]
