"""Weights without chance: all zero, or the same for every unit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from limen.findings.causes.birth import began_at_zero, born_share
from limen.findings.finding import Cause, Finding
from limen.findings.sameness import ALIKE, difference, in_words, signal
from limen.findings.silence import is_gate
from limen.findings.thresholds import Thresholds
from limen.findings.updates import scale_at_birth
from limen.findings.weights import weight_of
from limen.vitals import ParameterVitals, SiteVitals, Vitals

__all__ = ["EXPLAINED", "began_blank", "blank_layers", "blank_share"]

EXPLAINED = frozenset({"dead-units", "not-learning", "collapsed-representation"})
MUTE = 0.03  # of the input's spread: what is left of a zero after the few steps of the first window


def began_blank(vitals: Vitals, finding: Finding) -> Cause | None:
    """``bad-initialisation`` where weights began at zero or alike, and the finding follows from it.

    What is silent since birth follows from zeros in its own layer or in one before it that let nothing through; so
    does a loss that has not fallen. Zeros at the end of a residual branch, in an adapter or a head let the rest of the
    signal pass, and are the cause of nothing.
    """
    if finding.symptom == "dead-units" and born_share(vitals, finding) < 0.5:
        return None
    here = vitals.site(finding.where)
    until = here.site.order if here is not None else len(vitals.sites)
    model = here.site.model if here is not None else None
    before = [seen for seen in vitals.sites if seen.site.order <= until and model in (None, seen.site.model)]
    zero = [seen for seen in before if _is_mute(vitals, seen, finding)]
    if zero:
        return _of_zeros(vitals, zero)
    alike = [seen for seen in before if seen.site.norm is None and difference(seen.birth) <= ALIKE]
    return _of_equals(vitals, alike) if alike else None


def blank_layers(vitals: Vitals, limits: Thresholds) -> Iterator[tuple[SiteVitals, Cause]]:
    """Hidden sites of which the layer began at zero and lets nothing through, or with equal weights; and why.

    A sigmoid of zero weights is a gate that is half open, and a head of zeros a guess: both are sound.
    """
    hidden = [seen for seen in vitals.sites if not seen.site.head and seen.site.layer and seen.site.norm is None]
    for seen in hidden:
        if seen.birth.steps < limits.begun:
            continue
        if began_at_zero(vitals, seen.site.layer):
            if signal(vitals, seen, seen.birth) < MUTE and not is_gate(seen.site.function):
                yield seen, _of_zeros(vitals, [seen])
        elif weight_of(vitals, seen.site.layer) is not None and difference(seen.birth) <= ALIKE:
            yield seen, _of_equals(vitals, [seen])


def blank_share(vitals: Vitals) -> tuple[float, list[ParameterVitals]]:
    """Share of the weights' entries that began all zero or all equal within their tensor, and those tensors.

    The last weight is left out: a head of zeros is a guess. Tensors of which the first rows are not known count as
    sound; so do models with a single weight besides.
    """
    weights = [one for one in vitals.parameters if one.parameter.weight]
    hidden = [one for one in weights if one.parameter.order < max(w.parameter.order for w in weights)]
    blank = [one for one in hidden if one.spread == 0.0 and _entries(one) > 1 and np.isfinite(scale_at_birth(one))]
    every = sum(map(_entries, hidden))
    return (sum(map(_entries, blank)) / every if every and len(hidden) > 1 else 0.0), blank


def _entries(seen: ParameterVitals) -> int:
    return int(np.prod(seen.parameter.shape))


def _is_mute(vitals: Vitals, seen: SiteVitals, finding: Finding) -> bool:
    own = seen.site.name == finding.where and finding.symptom == "dead-units"
    return began_at_zero(vitals, seen.site.layer) and (own or signal(vitals, seen, seen.birth) < MUTE)


def _of_zeros(vitals: Vitals, zero: list[SiteVitals]) -> Cause:
    first = zero[0].site
    more = f", and those of {len(zero) - 1} more" if len(zero) > 1 else ""
    evidence = (
        f"{_weight(vitals, first.layer)} began at all zeros (standard deviation 0), so that {first.title} was the same "
        f"on every sample{more}; units that begin without weights get no gradient, or all the same one."
    )
    return Cause("bad-initialisation", 0.97, evidence)


def _of_equals(vitals: Vitals, alike: list[SiteVitals]) -> Cause:
    first = alike[0]
    more = f", and so did {len(alike) - 1} more" if len(alike) > 1 else ""
    evidence = (
        f"{_weight(vitals, first.site.layer)} began with equal weights for all {first.birth.units} units: in the first "
        f"window their pre-activations at {first.site.title} have the same spread and range "
        f"{in_words(difference(first.birth))}{more}; equal units get equal gradients and stay equal."
    )
    return Cause("bad-initialisation", 0.97, evidence)


def _weight(vitals: Vitals, layer: str | None) -> str:
    weight = weight_of(vitals, layer)
    return weight.parameter.name if weight is not None else f"the weight of {layer}"
