"""Inputs that are far from zero mean and unit size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from limen.findings.causes.birth import born_share, born_stuck, first_site, size_at_birth
from limen.findings.causes.clues import Clue, Doubt, inferred
from limen.findings.causes.registry import cause, fact
from limen.findings.causes.sighting import sighting
from limen.findings.figures import finite, median, share
from limen.findings.finding import Cause, Finding
from limen.findings.numbers import number
from limen.findings.thresholds import Thresholds
from limen.findings.updates import relative_gradient
from limen.vitals import InputVitals, ParameterVitals, SiteVitals, Vitals

LARGE = 10.0  # root mean square of the entries; pixels of 0 … 16 have 8, of 0 … 255 about 80 to 150
SHIFTED = 5.0  # mean over standard deviation
FAINT = 0.02  # root mean square below which torch's own biases, of 0.03 to 0.3, outweigh what the inputs make
DROWNED = 1.0 / 3.0  # variation over samples beside what is the same for all; standardised inputs make it 1 or more
SMALL = 0.03  # root mean square that explains a loss which falls slowly
STEEP = 30.0  # times the relative gradient of the other weights: that of the first grows with the input
ENORMOUS = 1_000.0  # root mean square from which harm is foreseeable: pixels of 0 … 255, at a tenth of that, may train
EXPLAINS = frozenset(
    {"dead-units", "saturated-units", "exploding-gradient", "exploding-activations", "non-finite", "not-learning"}
)


BY_THE_LOSS = frozenset({"not-learning", "slow-learning"})


@cause("unscaled-inputs")
def unscaled_inputs(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """Inputs whose size or offset is far from what every initialisation assumes: zero mean, size one.

    Why it matters: pre-activations scale with the input; at pixels of 0 to 255 a tanh layer begins at its bounds and
    a gradient step is a hundred times too long.

    How it is measured: root mean square of the model's input above 10, or a mean of more than five standard
    deviations, over the first steps; weighed by whether the harm is at the first layer and was there at birth. For a
    loss that does not fall, or falls slowly, one below 0.03 as well. Above 1,000, or below 0.02, it is a finding by
    itself where the pre-activations of the first site, which has no normalisation, are out of scale as well, and from
    50 on a remark; above 1,000 also where the gradient of the first weight, for its size, is thirty times that of the
    others, as the layers behind a normalisation show it.

    Known to misfire: models that normalise their input themselves.

    Answered by: scale-inputs, add-normalisation.

    Source: LeCun et al. 1998, "Efficient BackProp", section 4.3.
    """
    inputs = vitals.inputs
    if (
        finding.symptom not in EXPLAINS | BY_THE_LOSS
        or inputs is None
        or not np.isfinite([inputs.mean, inputs.std]).all()
    ):
        return None
    size = inputs.root_mean_square
    offset = share(abs(inputs.mean), inputs.std)
    slow = finding.symptom in BY_THE_LOSS
    if slow and 0.0 < size <= SMALL:
        return inferred("unscaled-inputs", [Clue("faint-input", 0.7, _words(inputs, size, 0.0).removesuffix("."))])
    if size < LARGE and (offset < SHIFTED or size < 1.0):
        return None
    if finding.symptom not in EXPLAINS:
        return None
    clue = Clue("size-of-the-input", 0.9 if size >= limits.huge_input else 0.7, _words(inputs, size, offset))
    return inferred("unscaled-inputs", [clue], _doubts(vitals, finding))


@fact("unscaled-inputs", explains=EXPLAINS | {"slow-learning", "diverging-loss", "oscillating-loss"})
def unscaled_inputs_seen(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Large or faint inputs that reach the first activation as they are."""
    inputs = vitals.inputs
    if inputs is None or not np.isfinite([inputs.mean, inputs.std]).all():
        return
    size = inputs.root_mean_square
    first = min(vitals.sites, key=lambda seen: seen.site.order, default=None)
    if first is None or first.site.norm is not None or first.birth.samples == 0:
        return
    if 0.0 < size <= FAINT:
        yield from _faint(inputs, size, first)
    reached = size_at_birth(first)
    offset = share(abs(inputs.mean), inputs.std)
    if size >= ENORMOUS and reached < limits.wild_signal:
        yield from _steep(vitals, inputs, size, offset, limits)
    if size < limits.huge_input or not reached >= limits.wild_signal:
        return
    yield sighting(
        "unscaled-inputs",
        "warning" if size >= ENORMOUS else "info",
        first.site.name,
        f"{_words(inputs, size, offset)} The pre-activations of {first.site.title} have one of {number(reached)}.",
        confidence=0.9 if size >= ENORMOUS else 0.4,
        measured=size,
        limit=limits.huge_input,
        unit="root mean square of the input",
        layer=first.site.layer,
    )


def _steep(vitals: Vitals, inputs: InputVitals, size: float, offset: float, limits: Thresholds) -> Iterator[Finding]:
    """Inputs of which the first weight's gradient shows that it gets them as they are."""
    weights = sorted((one for one in vitals.parameters if one.parameter.weight), key=lambda one: one.parameter.order)
    seen = next((one for one in weights if one.parameter.shape[1] == inputs.features), None)
    others = finite([_pull(one, limits) for one in weights if one is not seen])
    if seen is None or len(others) < 2 or not _pull(seen, limits) >= STEEP * float(np.median(others)):
        return
    first = seen.parameter
    evidence = (
        f"{_words(inputs, size, offset)} The gradient of {first.name} is {number(_pull(seen, limits))} of its norm, "
        f"that of other weights {number(float(np.median(others)))}."
    )
    yield sighting(
        "unscaled-inputs",
        "warning",
        first.name,
        evidence,
        confidence=0.85,
        measured=size,
        limit=ENORMOUS,
        unit="root mean square of the input",
        layer=first.layer,
    )


def _pull(seen: ParameterVitals, limits: Thresholds) -> float:
    """Gradient of a weight in the first steps, as a share of its norm."""
    return median(relative_gradient(seen)[: limits.window])


def _faint(inputs: InputVitals, size: float, first: SiteVitals) -> Iterator[Finding]:
    """Inputs that have shrunk to nearly nothing, and that biases or positions outweigh at the first site."""
    reached, level = median(first.birth.moments.std), median(np.abs(first.birth.moments.mean))
    if not (reached <= SMALL or reached <= DROWNED * level):
        return
    yield sighting(
        "unscaled-inputs",
        "warning",
        first.site.name,
        f"{_words(inputs, size, 0.0)} The pre-activations of {first.site.title} vary by {number(reached)} over "
        f"samples, around {number(level)}.",
        confidence=0.85,
        measured=size,
        limit=FAINT,
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
        f"The model's input runs from {number(inputs.low, 4)} to {number(inputs.high, 4)} with a root mean square of "
        f"{number(size)}{shifted}; initialisations assume about 1."
    )
