"""Units that do the same as their neighbours, and layers that say the same whatever they are shown."""

import numpy as np
import numpy.typing as npt

from limen.findings.figures import median
from limen.findings.once import once
from limen.vitals import Activity, SiteVitals, Vitals

__all__ = ["ALIKE", "SAMENESS", "difference", "in_words", "signal"]

ALIKE = 1e-3
"""Difference between units below which they began alike: float32 leaves 1e-5, random weights make about 1."""

SAMENESS = "difference between units"
"""The unit by which units that began alike are told."""

FEWEST = 4  # units of a layer of which it means anything that they are alike


@once
def difference(activity: Activity) -> float:
    """How much the units differ, as a share: of their spread over samples and of their range, the larger difference.

    Of a wide site, the units of its panel stand for all.

    A shift of a unit, as its bias makes, is no difference. Infinite where nothing can be said: too few units, or one
    that does not vary at all.
    """
    if activity.units < FEWEST or activity.samples == 0:
        return float("inf")
    return max(_difference(activity.moments.std), _difference(activity.high - activity.low))


def _difference(values: npt.NDArray[np.float64]) -> float:
    low, high = float(values.min()), float(values.max())
    return (high - low) / high if low > 0.0 and high < np.inf else float("inf")


def in_words(apart: float) -> str:
    """How nearly the same units are, to stand behind what they share."""
    return f"to within {100 * apart:.2g} %" if apart else "exactly"


def signal(vitals: Vitals, seen: SiteVitals, activity: Activity) -> float:
    """How much the pre-activations of a middling unit vary over samples, as a share of the model's input."""
    inputs = vitals.inputs
    scale = inputs.std if inputs is not None and 0.0 < inputs.std < np.inf else 1.0
    return median(activity.moments.std) / scale if activity.samples else float("nan")
