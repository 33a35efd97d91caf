"""Functions whose slope goes to zero on both sides."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from limen.findings.causes.birth import born_stuck
from limen.findings.causes.registry import cause, fact
from limen.findings.causes.sighting import sighting
from limen.findings.finding import Cause, Finding
from limen.findings.numbers import number
from limen.findings.profile import PROFILE, gradient_profiles
from limen.findings.silence import is_bounded, is_gate
from limen.findings.thresholds import Thresholds
from limen.findings.words import samples_of
from limen.sites import Site
from limen.vitals import Vitals

STEEPEST = {
    "sigmoid": 0.25,
    "hardsigmoid": 1.0 / 6.0,
    "hardsigmoid_keras2": 0.2,
    "sparse_sigmoid": 0.5,
    "gaussian": math.sqrt(2 / math.e),
    "erf": 2 / math.sqrt(math.pi),
    "lecun_tanh": 1.7159 * 2 / 3,
}
"""Largest slope of the bounded functions of the catalogue where it is not 1; a test compares them with their entries,
which would load torch here."""

MANY = 8  # sigmoids, of which the slopes alone leave 1e-5
GONE_OF_MANY = 1e-4  # of the gradient, behind so many
CLEAR_LOSS = 0.5  # gradient factor for each layer from which the slopes are to blame


@cause("saturating-activation")
def saturating_activation(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """An activation that is bounded on both sides, so that its slope is small, or small nearly everywhere.

    Why it matters: the gradient is multiplied by a slope at each layer; a sigmoid's is 1/4 at best, and ten such
    layers leave less than a millionth.

    How it is measured: the share of the hidden sites whose function is bounded on both sides, with the factor by
    which the gradient shrinks for each layer; for stuck units, the function of the layer itself.

    By itself it is seen where three quarters of the hidden layers are sigmoids without a normalisation and the gradient
    shrinks to half at each: a warning where less than 1e-6 of it, or 1e-4 behind eight sigmoids and more, is left at
    the first site, now or in the first steps, and a remark below 1 %.

    Known to misfire: tanh with weights at the critical scale keeps its gradient over hundreds of layers.

    Answered by: swap-activation, add-normalisation, reinitialise.

    Source: Glorot & Bengio 2010; Hochreiter et al. 2001, "Gradient flow in recurrent nets".
    """
    if finding.symptom == "saturated-units":
        return _of_stuck_units(vitals, finding)
    if finding.symptom not in ("vanishing-gradient", "not-learning"):
        return None
    for profile in gradient_profiles(vitals, limits.window):
        bounded = [rung.site for rung in profile.rungs if is_bounded(rung.site)]
        if 2 * len(bounded) < profile.depth or profile.ratio > limits.vanished:
            continue
        gate = [site for site in bounded if is_gate(site.function)]
        base = 0.9 if gate and profile.factor <= CLEAR_LOSS else 0.6
        evidence = (
            f"{len(bounded)} of {profile.depth} hidden layers use {_names(bounded)}{_slopes(bounded)}; the gradient "
            f"shrinks by a factor of {number(profile.factor, 2)} at each layer."
        )
        return Cause("saturating-activation", round(base * len(bounded) / profile.depth, 3), evidence)
    return None


@fact("saturating-activation", explains={"vanishing-gradient", "not-learning", "slow-learning"})
def saturating_activation_seen(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Hidden sigmoids in a row that have left nothing of the gradient."""
    early = gradient_profiles(vitals, limits.window, before=limits.window + 1)
    begun = {profile.rungs[0].site.model: profile.ratio for profile in early}
    for profile in gradient_profiles(vitals, limits.window):
        gates = [rung.site for rung in profile.rungs if is_gate(rung.site.function) and rung.site.norm is None]
        most = 4 * len(gates) >= 3 * profile.depth and profile.factor <= CLEAR_LOSS
        if not most or profile.rows < limits.begun or not profile.vanishes(limits):
            continue
        limit = GONE_OF_MANY if len(gates) >= MANY else limits.gone
        gone = min(profile.ratio, begun.get(profile.rungs[0].site.model, 1.0)) <= limit
        first = profile.rungs[0].site
        yield sighting(
            "saturating-activation",
            "warning" if gone else "info",
            first.name,
            f"{len(gates)} of {profile.depth} hidden layers use {_names(gates)}{_slopes(gates)}; the gradient at "
            f"{first.title} is {number(profile.ratio)} times that at {profile.rungs[-1].site.title}.",
            confidence=0.9 if gone else 0.5,
            measured=profile.ratio,
            limit=limit if gone else limits.vanished,
            unit=PROFILE,
            layer=first.layer,
        )


def _of_stuck_units(vitals: Vitals, finding: Finding) -> Cause | None:
    seen = vitals.site(finding.where)
    if seen is None or not is_bounded(seen.site):
        return None
    stuck = born_stuck(seen)
    share = f"{100 * stuck:.0f} % of its {samples_of(seen.site)} were flat in the first window"
    evidence = f"{seen.site.function} is bounded on both sides; {share}."
    return Cause("saturating-activation", 0.4, evidence)


def _steepest(site: Site) -> float:
    return STEEPEST.get(site.function, 1.0)


def _slopes(sites: list[Site]) -> str:
    """What their slopes leave of a gradient at best, where that is less than all of it."""
    steepest = max(map(_steepest, sites))
    left = float(np.prod([_steepest(site) for site in sites]))
    return (
        f", whose slope is at most {number(steepest, 2)}: {len(sites)} in a row leave {number(left, 1)} at best"
        if left < 1
        else ""
    )


def _names(sites: list[Site]) -> str:
    return ", ".join(np.unique([site.function for site in sites]).tolist())
