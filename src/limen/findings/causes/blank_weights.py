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
ROUNDED = 1e-6  # of the numbers' size: the deviation of equal ones, taken in float32, is not exactly zero
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
            mute = signal(vitals, seen, seen.birth) < MUTE and not _returns(vitals, hidden, seen)
            if mute and not is_gate(seen.site.function):
                yield seen, _of_zeros(vitals, [seen])
        elif weight_of(vitals, seen.site.layer) is not None and difference(seen.birth) <= ALIKE:
            yield seen, _of_equals(vitals, [seen])


def _returns(vitals: Vitals, hidden: list[SiteVitals], zero: SiteVitals) -> bool:
    """Whether the signal is back between this layer and another of zeros: it passes their branches by."""
    inside = [one for one in hidden if one.site.model == zero.site.model]
    zeros = [one.site.order for one in inside if began_at_zero(vitals, one.site.layer)]
    between = [one for one in inside if min(zeros) < one.site.order < max(zeros)]
    return any(signal(vitals, one, one.birth) >= MUTE for one in between)


def blank_share(vitals: Vitals) -> tuple[float, list[ParameterVitals]]:
    """Share of the weights' entries that began all zero or all equal within their tensor, and those tensors.

    The last weight is left out: a head of zeros is a guess. So are zeros that stand alone behind a drawn weight: those
    of adapters, of coupling nets and of branches add nothing to the sum they end in, and move at once. Tensors of
    which the first rows are not known count as sound; so do models with a single weight besides.
    """
    weights = sorted((one for one in vitals.parameters if one.parameter.weight), key=lambda one: one.parameter.order)
    hidden = weights[:-1]
    alone = [_is_zero(one) and not any(map(_is_zero, beside)) for one, beside in _neighbours(hidden)]
    blank = [one for one, single in zip(hidden, alone, strict=True) if _is_blank(one) and not single]
    every = sum(map(_entries, hidden))
    return (sum(map(_entries, blank)) / every if every and len(hidden) > 1 else 0.0), blank


def _neighbours(weights: list[ParameterVitals]) -> Iterator[tuple[ParameterVitals, list[ParameterVitals]]]:
    """Each weight with the one before it and the one behind it."""
    for place, one in enumerate(weights):
        yield one, weights[max(place - 1, 0) : place] + weights[place + 1 : place + 2]


def _is_blank(seen: ParameterVitals) -> bool:
    if _entries(seen) < 2 or not np.isfinite(scale_at_birth(seen)):
        return False
    size = float(seen.history.weight[0] / np.sqrt(_entries(seen)))
    return seen.spread <= ROUNDED * size


def _is_zero(seen: ParameterVitals) -> bool:
    return _is_blank(seen) and scale_at_birth(seen) == 0.0


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
