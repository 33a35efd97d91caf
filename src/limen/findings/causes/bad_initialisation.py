"""Weights that begin at the wrong scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from limen.findings.causes.birth import born_share, born_stuck, first_site, size_at_birth
from limen.findings.causes.blank_weights import EXPLAINED, began_blank, blank_layers, blank_share
from limen.findings.causes.recurrent_weights import LARGE, stuck_by_weights
from limen.findings.causes.registry import cause, fact
from limen.findings.causes.sighting import sighting
from limen.findings.figures import finite, median
from limen.findings.finding import Cause, Finding
from limen.findings.loss_trend import loss_trend
from limen.findings.numbers import number
from limen.findings.once import once
from limen.findings.sameness import SAMENESS, signal
from limen.findings.thresholds import Thresholds
from limen.findings.updates import scale_at_birth
from limen.findings.weights import weight_of
from limen.findings.words import samples_of
from limen.vitals import SiteVitals, Vitals

GAINS = {
    "relu": 1.414,
    "leaky_relu": 1.414,
    "prelu": 1.414,
    "tanh": 1.467,
    "sigmoid": 4.723,
    "elu": 1.223,
    "selu": 0.966,
    "gelu": 1.481,
    "gelu_tanh": 1.481,
    "silu": 1.623,
    "mish": 1.445,
    "hardswish": 1.670,
    "softplus": 1.846,
    "hardtanh": 1.210,
    "identity": 1.0,
}
"""Scale sqrt(fan in) * std of weights that keeps the gradient's size: 1 / rms f' at unit variance."""

WIDE = 2.0  # times the gain: over ten layers a thousand times the gradient
NARROW = 0.5  # times the gain, where the gradient vanishes
SHRUNK = 0.03  # of the first site's spread: biases of 0.1 times a unit's weights outweigh the signal
MOST = 0.5  # share of the weights' entries: adapters, shortcuts and heads that begin at zero are fewer
FAR = 5.0  # times the gain, from which one layer alone is stuck

TINY = 0.1  # times the gain, over three layers and more: a thousandth is left
RETURNED = 0.03  # of the input's spread, behind two such layers: it went another way, as past the ends of branches
GONE = 1e-3  # of the input's spread: a hundredth of what three layers of torch's own initialisation leave

EXPLAINS = frozenset(
    {
        "dead-units",
        "saturated-units",
        "vanishing-gradient",
        "exploding-gradient",
        "exploding-activations",
        "non-finite",
        "not-learning",
    }
)


@dataclass(frozen=True)
class _Layer:
    """A weight as it began, beside what its activation needs."""

    weight: str
    function: str
    std: float
    excess: float  # scale over gain; 1 keeps the gradient's size


@cause("bad-initialisation")
def bad_initialisation(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """Weights that began at a scale which shrinks or blows up what passes through them, at zero, or all equal.

    Why it matters: the factor of one layer is taken to the power of the depth; and a layer whose pre-activations
    begin far out on a bounded function begins without a slope.

    How it is measured: the root mean square of each weight before its first update, times the square root of its
    fan in, over the gain of its activation: 1 keeps the gradient's size. Twice that at every layer explodes, half
    of it vanishes; twice that, and surely five times, pins a bounded function to its bounds where three tenths of its
    samples were flat from the start. For units that never fired, the spread of the pre-activations over samples is
    compared with that of the first site.

    By itself it is seen in weights of norm 0 where the layer let nothing through, in equal weights by units whose
    spread and range are the same to 1 in 1,000, or where half of all weights before the last began with a single number
    in each tensor; in two layers and more of twice the scale that together enlarge the signal 25 times, up to
    pre-activations with a root mean square of 10, unless the loss began at no more than three times a guess; in three
    layers and more of a tenth of the scale, behind which a thousandth of the input's spread is left; and in gates of
    which half of the samples were flat, behind weights of five times one over the root of their fan in.

    Known to misfire: residual and normalised networks, which stand weights of any scale.

    Answered by: reinitialise, add-normalisation.

    Source: He et al. 2015, arXiv:1502.01852; Glorot & Bengio 2010; Schoenholz et al. 2017, arXiv:1611.01232.
    """
    blank = began_blank(vitals, finding) if finding.symptom in EXPLAINED else None
    if blank is not None or finding.symptom not in EXPLAINS:
        return blank
    layers = _layers(vitals)
    if finding.symptom == "vanishing-gradient":
        return _narrow(layers)
    if finding.symptom == "saturated-units":
        return _stuck(vitals, finding, layers)
    if finding.symptom == "dead-units":
        return _collapsed(vitals, finding, layers) if born_share(vitals, finding) >= 0.5 else None
    return _wide(layers, finding, limits)


@fact("bad-initialisation", explains=EXPLAINS | EXPLAINED)
def bad_initialisation_seen(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Weights at zero, all equal, or so far from scale that the pre-activations show it."""
    for seen, why in blank_layers(vitals, limits):
        yield sighting(
            "bad-initialisation",
            "warning",
            seen.site.name,
            why.evidence,
            confidence=0.95,
            measured=0.0,
            limit=limits.alike,
            unit=SAMENESS,
            layer=seen.site.layer,
        )
    for seen in vitals.sites:
        stuck = stuck_by_weights(vitals, seen)
        if stuck is not None:
            yield _misscaled(seen, stuck[0].evidence, measured=stuck[1], limit=LARGE)
    if not any(blank_layers(vitals, limits)):
        yield from _begun_blank(vitals)
    layers = _layers(vitals)
    yield from _begun_large(vitals, layers, limits)
    yield from _begun_small(vitals, layers)


def _begun_blank(vitals: Vitals) -> Iterator[Finding]:
    """Most weights without chance, where no site shows it: those of recurrences and of attention."""
    share, blank = blank_share(vitals)
    if share < MOST:
        return
    names = ", ".join(one.parameter.name for one in blank[:4]) + (" and more" if len(blank) > 4 else "")
    what = "zeros only" if all(scale_at_birth(one) == 0.0 for one in blank) else "equal numbers only"
    evidence = (
        f"{names} began with {what}, which is {100 * share:.0f} % of all weights before the last: units that begin "
        "alike get the same gradient, or none."
    )
    yield sighting(
        "bad-initialisation",
        "warning",
        "model",
        evidence,
        confidence=0.95,
        measured=share,
        limit=MOST,
        unit="share of the weights",
    )


def _begun_large(vitals: Vitals, layers: dict[str, _Layer], limits: Thresholds) -> Iterator[Finding]:
    """Two wide layers and more that blow the signal up, in a net that no training has made so."""
    trend = loss_trend(vitals, limits)
    if trend is not None and trend.began <= limits.risen * trend.chance:
        return  # fine-tuned: large, and right
    wide = [one for one in _hidden(vitals) if one.site.layer in layers and layers[one.site.layer].excess >= WIDE]
    compound = float(np.prod([layers[one.site.layer or ""].excess for one in wide]))
    if len(wide) < 2 or compound < FAR**2:
        return
    last = max(wide, key=lambda one: one.site.order)
    size, layer = size_at_birth(last), layers[last.site.layer or ""]
    if size >= limits.wild_signal:
        evidence = (
            f"{len(wide)} layers began with weights of more than twice the scale that suits them, {layer.weight} of "
            f"{number(layer.excess, 2)} times: at {last.site.title} the pre-activations have a root mean square of "
            f"{number(size)}."
        )
        yield _misscaled(last, evidence, measured=layer.excess, limit=WIDE)


def _begun_small(vitals: Vitals, layers: dict[str, _Layer]) -> Iterator[Finding]:
    """Three small layers and more behind which hardly anything is left of the input."""
    hidden = sorted(_hidden(vitals), key=lambda one: one.site.order)
    small = [one for one in hidden if one.site.layer in layers and layers[one.site.layer].excess <= TINY]
    if len(small) < 3 or any(_left(vitals, one) >= RETURNED for one in hidden[hidden.index(small[1]) + 1 :]):
        return
    last = small[-1]
    left, layer = _left(vitals, last), layers[last.site.layer or ""]
    if left < GONE:
        evidence = (
            f"{len(small)} layers began with weights of a tenth of the scale that suits them or less, {layer.weight} "
            f"of {number(layer.excess, 2)} times: {last.site.title} began with {number(left)} of the input's spread."
        )
        yield _misscaled(last, evidence, measured=layer.excess, limit=TINY)


def _left(vitals: Vitals, seen: SiteVitals) -> float:
    """The signal at a site in the first window or at the first step, whichever is less."""
    return min(signal(vitals, seen, seen.birth), _first_signal(vitals, seen))


def _first_signal(vitals: Vitals, seen: SiteVitals) -> float:
    """How much all pre-activations of a site varied at the first step, as a share of the model's input."""
    first = finite(seen.history.std[:1])
    spread = vitals.inputs.std if vitals.inputs is not None and vitals.inputs.std > 0.0 else 1.0
    return float(first[0]) / spread if len(first) and seen.history.step[0] == 1 else float("inf")


def _hidden(vitals: Vitals) -> list[SiteVitals]:
    return [seen for seen in vitals.sites if not seen.site.head and seen.birth.samples > 0]


def _misscaled(seen: SiteVitals, evidence: str, *, measured: float, limit: float) -> Finding:
    return sighting(
        "bad-initialisation",
        "warning",
        seen.site.name,
        evidence,
        confidence=0.92,
        measured=measured,
        limit=limit,
        unit="times the scale that keeps the gradient's size",
        layer=seen.site.layer,
    )


@once
def _layers(vitals: Vitals) -> dict[str, _Layer]:
    """By layer, those that feed a site without a normalisation between, and whose first row was recorded."""
    found: dict[str, _Layer] = {}
    for seen in vitals.sites:
        layer = seen.site.layer
        weight = weight_of(vitals, layer)
        if layer is None or weight is None or seen.site.norm is not None:
            continue
        scale = scale_at_birth(weight)
        if np.isfinite(scale):
            fan_in = max(1, int(np.prod(weight.parameter.shape[1:])))
            gain = GAINS.get(seen.site.function, 1.0)
            found[layer] = _Layer(
                weight.parameter.name, seen.site.function, float(scale / np.sqrt(fan_in)), scale / gain
            )
    return found


def _typical(layers: dict[str, _Layer]) -> _Layer | None:
    """The layer of the middle scale."""
    ordered = sorted(layers.values(), key=lambda one: one.excess)
    return ordered[len(ordered) // 2] if len(finite([one.excess for one in ordered])) else None


def _narrow(layers: dict[str, _Layer]) -> Cause | None:
    middle = _typical(layers)
    if middle is None or middle.excess >= NARROW:
        return None
    evidence = (
        f"{middle.weight} began with a standard deviation of {number(middle.std)}, {number(middle.excess, 2)} times "
        f"what keeps the gradient's size through {middle.function}; half of the {len(layers)} layers or more began "
        "below that."
    )
    # torch's own initialisation is 0.41 times the gain of ReLU: evidence, but nothing unusual
    return Cause(
        "bad-initialisation", round(float(min(0.8, 0.3 + 0.25 * np.log2(NARROW / middle.excess))), 3), evidence
    )


def _collapsed(vitals: Vitals, finding: Finding, layers: dict[str, _Layer]) -> Cause | None:
    """A signal so small where the units are that their biases decide alone which of them are silent."""
    here, middle = vitals.site(finding.where), _typical(layers)
    first = None if here is None else first_site(vitals, here.site.model)
    if here is None or first is None or middle is None or middle.excess >= NARROW or here.site.norm is not None:
        return None
    there, spread = _spread(first), _spread(here)
    if not spread < SHRUNK * there:
        return None
    evidence = (
        f"Over samples the pre-activations of {here.site.title} varied by {number(spread)} in the first window, "
        f"those of {first.site.title} by {number(there)}: weights began at about {number(middle.excess, 2)} times the "
        "scale that keeps the signal's size, so that the biases alone decide which units fire."
    )
    return Cause("bad-initialisation", 0.85, evidence)


def _spread(seen: SiteVitals) -> float:
    """Median over the units of the standard deviation over samples in the first window; NaN without samples."""
    return median(seen.birth.moments.std)


def _stuck(vitals: Vitals, finding: Finding, layers: dict[str, _Layer]) -> Cause | None:
    seen = vitals.site(finding.where)
    layer = layers.get(seen.site.layer or "") if seen is not None else None
    if seen is None or layer is None or layer.excess < WIDE or born_stuck(seen) < 0.3:
        return None
    evidence = (
        f"{layer.weight} began with a standard deviation of {number(layer.std)}, {number(layer.excess, 2)} times "
        f"what suits {layer.function}; {100 * born_stuck(seen):.0f} % of the {samples_of(seen.site)} of "
        f"{seen.site.title} were flat in the first window."
    )
    return Cause("bad-initialisation", 0.95 if layer.excess >= FAR else 0.75, evidence)


def _wide(layers: dict[str, _Layer], finding: Finding, limits: Thresholds) -> Cause | None:
    middle = _typical(layers)
    own = layers.get(finding.layer or "")
    worst = own if own is not None and (middle is None or own.excess > middle.excess) else middle
    if worst is None or worst.excess < WIDE:
        return None
    many = sum(one.excess >= WIDE for one in layers.values())
    evidence = (
        f"{worst.weight} began with a standard deviation of {number(worst.std)}, {number(worst.excess, 2)} times "
        f"what keeps the gradient's size through {worst.function}; so did {many} of {len(layers)} layers at twice that "
        "size or more."
    )
    compound = float(np.prod([max(one.excess, 1.0) for one in layers.values()])) >= limits.exploded
    early = finding.symptom == "non-finite" and finding.step <= limits.window
    strong = worst.excess >= FAR or compound
    return Cause("bad-initialisation", 0.95 if strong and early else 0.92 if strong else 0.6, evidence)
