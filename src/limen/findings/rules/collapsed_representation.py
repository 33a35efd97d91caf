"""Layers whose units are all the same one."""

from collections.abc import Iterator

from limen.findings.finding import Finding
from limen.findings.loss_trend import loss_trend
from limen.findings.rules.registry import rule
from limen.findings.sameness import ALIKE, SAMENESS, difference, in_words
from limen.findings.thresholds import Thresholds
from limen.findings.words import samples_of
from limen.vitals import Vitals


@rule("collapsed-representation")
def collapsed_representation(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A layer whose units all do the same, so that it is worth one unit.

    Why it matters: units that begin equal get equal gradients and stay equal; the width of the layer is paid for and
    not used, and what one unit cannot carry is lost to every layer behind it.

    How it is measured: over the first window the spread of the pre-activations over samples and their range are the
    same for all units to 1 in 1,000, and in the latest window to 1 in 10 (a shift, as a bias makes, is no difference).
    Random weights differ by about their own size. Layers with a normalisation, which makes spreads equal, are left out.
    It is an error while the loss does not fall.

    Known to misfire: layers that are meant to repeat one feature, with fixed weights.

    Answered by: reinitialise.

    Source: Goodfellow et al. 2016, "Deep Learning", section 8.4, on breaking the symmetry between units.
    """
    trend = loss_trend(vitals, limits)
    stuck = trend is not None and trend.stuck and trend.steps >= limits.patience
    for seen in vitals.sites:
        site, recent = seen.site, seen.recent
        if site.head or site.norm or site.layer is None or difference(seen.birth) > ALIKE:
            continue
        known = recent.samples >= limits.samples and recent.steps >= limits.steps and bool(recent.active.any())
        apart = difference(recent)
        if not known or apart > limits.alike:
            continue
        yield Finding(
            symptom="collapsed-representation",
            severity="error" if stuck else "warning",
            where=site.name,
            layer=site.layer,
            units=tuple(range(recent.units)),
            step=1,
            measured=apart,
            limit=limits.alike,
            unit=SAMENESS,
            confidence=0.95,
            causes=(),
            remedies=(),
            message=f"All {recent.units} units of {site.described} do the same: over the latest "
            f"{recent.samples:,} {samples_of(site)} they have the same spread and range {in_words(apart)}, so the "
            "layer is worth one unit.",
        )
