"""Normalisations of next to nothing, and what upsets the statistics of others."""

from __future__ import annotations

from collections.abc import Iterator

from limen.findings.causes.registry import fact
from limen.findings.causes.sighting import sighting
from limen.findings.finding import Finding
from limen.findings.numbers import number
from limen.findings.thresholds import Thresholds
from limen.vitals import Normalisation, Vitals

UNTOUCHED = "untouched statistics"
FEW = "values"  # the unit by which what a mean is taken of is counted
PAIR = 2  # values of which only the sign of their difference is left; samples by which no normalisation holds up
SCATTER = "independent values"  # the unit by which it is counted how little a mean scatters from batch to batch
STEADY = 4.0  # of them: with a batch of 8 a ResNet-50 errs 1.1 points more often than with 32, of 4 3.6 and of 2 11.1
STRONG_DROPOUT = 1.0 / 3.0  # share from which the variance in training is 1.5 times that in use (Li et al. 2019)
PLAIN = frozenset({"Dropout", "Dropout1d", "Dropout2d", "Dropout3d"})


@fact(
    "normalisation-misuse",
    explains={"not-learning", "slow-learning", "oscillating-loss", "vanishing-gradient", "collapsed-representation"},
)
def normalisation_misuse(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A normalisation over one number or two, or one whose statistics are not those of its values.

    Why it matters: one number less its own mean is zero; of two, plus and minus one is left, whatever they were. Where
    the mean is that of two images, what comes out of one depends on which other it met. What is normalised with other
    statistics than its own is not normalised.

    How it is measured: the values that one mean and variance were taken of in the first training steps: two or fewer
    in batch normalisation, one in any other. Where a batch normalisation has two samples of many values each, as images
    have, these are not independent, and their number says little; then its running averages tell the mean and variance
    of each batch, and the variance of the mean between batches, held against that within them, says of how many
    independent values it is: fewer than 4. As a remark: the same of one sample, which training normalises by itself and
    evaluation does not; running statistics that are still mean 0 and variance 1 and
    are used in training steps; a dropout of a third and more directly before batch normalisation, whose running
    variance is then too large in use; ordinary dropout in a net of SELU, which keeps mean and variance by itself.

    Known to misfire: batch normalisation whose statistics are computed again without dropout; generators of images
    that are used with the statistics of their batch too.

    Answered by: fix-normalisation.

    Source: Ioffe & Szegedy 2015, arXiv:1502.03167; Wu & He 2018, "Group Normalization", arXiv:1803.08494, figure 1,
    for the error at small batches; Li et al. 2019, arXiv:1801.05134; Klambauer et al. 2017, arXiv:1706.02515.
    """
    for norm in vitals.program.norms:
        yield from _of_few(norm)
        yield from _of_few_samples(norm)
        yield from _with_strange_statistics(norm)
    yield from _beside_selu(vitals)


def _of_few(norm: Normalisation) -> Iterator[Finding]:
    over_batch = "BatchNorm" in norm.kind
    most = PAIR if over_batch and norm.trains else 1
    if not 0 < norm.values <= most or (over_batch and not norm.trains):
        return
    left = (
        "of two numbers only the sign of their difference is left" if norm.values == PAIR else "nothing of it is left"
    )
    yield sighting(
        "normalisation-misuse",
        "warning" if norm.values == PAIR or norm.kind == "RMSNorm" else "error",
        norm.name,
        f"{norm.kind} {norm.name} takes each mean and variance of {norm.values} "
        f"value{'s' * (norm.values > 1)}: {left}.",
        confidence=0.9,
        measured=float(norm.values),
        limit=float(most),
        unit=FEW,
        layer=norm.name or None,
    )


def _of_few_samples(norm: Normalisation) -> Iterator[Finding]:
    if not norm.trains or not 0 < norm.samples <= PAIR < norm.values or norm.independent is None:
        return
    if norm.independent >= STEADY:
        return
    evidence = (
        f"{norm.kind} {norm.name} takes each mean and variance of {norm.samples} sample{'s' * (norm.samples > 1)}. "
        f"They change from batch to batch as much as those of {number(norm.independent, 2)} independent values, "
        f"though each is of {norm.values}."
    )
    yield sighting(
        "normalisation-misuse",
        "warning" if norm.samples == PAIR else "info",
        norm.name,
        evidence,
        confidence=0.8,
        measured=norm.independent,
        limit=STEADY,
        unit=SCATTER,
        layer=norm.name or None,
    )


def _with_strange_statistics(norm: Normalisation) -> Iterator[Finding]:
    if norm.untouched and not norm.trains:
        evidence = (
            f"{norm.kind} {norm.name} is in evaluation mode in training steps, with the mean 0 and the variance 1 that "
            "it was made with: it normalises nothing."
        )
        yield _remark(norm.name, evidence, measured=1.0, limit=0.0, unit=UNTOUCHED)
    if norm.dropped >= STRONG_DROPOUT and "BatchNorm" in norm.kind:
        evidence = (
            f"Dropout of {100 * norm.dropped:.4g} % stands directly before {norm.kind} {norm.name}: in training the "
            f"variance is up to {number(1.0 / (1.0 - min(norm.dropped, 0.999)), 2)} times what it is in use."
        )
        yield _remark(norm.name, evidence, measured=norm.dropped, limit=STRONG_DROPOUT, unit="probability")


def _beside_selu(vitals: Vitals) -> Iterator[Finding]:
    selu = [seen.site for seen in vitals.sites if seen.site.function == "selu"]
    plain = [one for one in vitals.program.dropouts if one.kind in PLAIN and one.share > 0.0]
    if selu and plain and all(seen.site.function == "selu" or seen.site.head for seen in vitals.sites):
        one = plain[0]
        evidence = (
            f"{one.kind} {one.name} ({100 * one.share:.4g} %) stands in a net of SELU: zeros shift mean and variance, "
            "which SELU would have kept; AlphaDropout keeps both."
        )
        yield _remark(one.name, evidence, measured=one.share, limit=0.0, unit="probability")


def _remark(where: str, evidence: str, *, measured: float, limit: float, unit: str) -> Finding:
    return sighting(
        "normalisation-misuse",
        "info",
        where,
        evidence,
        confidence=0.3,
        measured=measured,
        limit=limit,
        unit=unit,
        layer=where or None,
    )
