"""Inputs that are far from zero mean and unit size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from limen.findings.causes.birth import born_share, born_stuck, first_site
from limen.findings.causes.clues import Clue, Doubt, inferred
from limen.findings.causes.registry import cause, fact
from limen.findings.causes.sighting import sighting
from limen.findings.figures import median
from limen.findings.finding import Cause, Finding
from limen.findings.thresholds import Thresholds
from limen.vitals import InputVitals, Vitals

LARGE = 10.0  # root mean square of the entries; pixels of 0 … 16 have 8, of 0 … 255 about 80 to 150
SHIFTED = 5.0  # mean over standard deviation
CERTAIN = 50.0  # root mean square from which nothing else is needed
ENORMOUS = 1_000.0  # root mean square from which harm is foreseeable: pixels of 0 … 255, at a tenth of that, may train
EXPLAINS = frozenset(
    {"dead-units", "saturated-units", "exploding-gradient", "exploding-activations", "non-finite", "not-learning"}
)


@cause("unscaled-inputs")
def unscaled_inputs(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """Inputs whose size or offset is far from what every initialisation assumes: zero mean, size one.

    Why it matters: pre-activations scale with the input; at pixels of 0 to 255 a tanh layer begins at its bounds and
    a gradient step is a hundred times too long.

    How it is measured: root mean square of the model's input above 10, or a mean of more than five standard
    deviations, over the first steps; weighed by whether the harm is at the first layer and was there at birth.

    Known to misfire: models that normalise their input themselves.

    Answered by: scale-inputs, add-normalisation.

    Source: LeCun et al. 1998, "Efficient BackProp", section 4.3.
    """
    inputs = vitals.inputs
    if finding.symptom not in EXPLAINS or inputs is None or not np.isfinite([inputs.mean, inputs.std]).all():
        return None
    size = float(np.hypot(inputs.mean, inputs.std))
    offset = abs(inputs.mean) / inputs.std if inputs.std > 0.0 else 0.0
    if size < LARGE and (offset < SHIFTED or size < 1.0):
        return None
    clue = Clue("size-of-the-input", 0.9 if size >= CERTAIN else 0.7, _words(inputs, size, offset))
    return inferred("unscaled-inputs", [clue], _doubts(vitals, finding))


@fact("unscaled-inputs", explains=EXPLAINS)
def enormous_inputs(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Large inputs that reach the first activation as they are; see above for the page."""
    inputs = vitals.inputs
    if inputs is None or not np.isfinite([inputs.mean, inputs.std]).all():
        return
    size = float(np.hypot(inputs.mean, inputs.std))
    first = min(vitals.sites, key=lambda seen: seen.site.order, default=None)
    if size < CERTAIN or first is None or first.site.norm is not None or first.birth.samples == 0:
        return
    moments = first.birth.moments
    reached = median(np.hypot(moments.mean, moments.std))
    if not reached >= limits.wild_signal:
        return
    offset = abs(inputs.mean) / inputs.std if inputs.std > 0.0 else 0.0
    yield sighting(
        "unscaled-inputs",
        "warning" if size >= ENORMOUS else "info",
        first.site.name,
        f"{_words(inputs, size, offset)} The pre-activations of {first.site.title} have one of {reached:.3g}.",
        confidence=0.9 if size >= ENORMOUS else 0.4,
        measured=size,
        limit=CERTAIN,
        unit="root mean square of the input",
        layer=first.site.layer,
    )


def _doubts(vitals: Vitals, finding: Finding) -> list[Doubt]:
    """None for harm at the first site that was there at birth; harm elsewhere or later may have another reason."""
    if finding.symptom == "non-finite":
        return [Doubt("late", 0.7 if finding.step <= 10 else 0.4)]
    seen = vitals.site(finding.where)
    if seen is None:
        return [Doubt("nowhere", 0.7)]
    first = first_site(vitals, seen.site.model)
    early = max(born_share(vitals, finding), born_stuck(seen)) >= 0.5 or finding.step <= 10
    nearest = first is not None and first.site.order == seen.site.order
    return [Doubt("elsewhere", 1.0 if nearest else 0.5), Doubt("late", 1.0 if early else 0.6)]


def _words(inputs: InputVitals, size: float, offset: float) -> str:
    shifted = f", its mean {offset:.1f} standard deviations from zero" if offset >= SHIFTED else ""
    return (
        f"the model's input runs from {inputs.low:.4g} to {inputs.high:.4g} with a root mean square of {size:.3g}"
        f"{shifted}; initialisations assume about 1"
    )
