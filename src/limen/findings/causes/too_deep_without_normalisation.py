"""Depth that the signal does not survive."""

from __future__ import annotations

from collections.abc import Iterator

from limen.findings.causes.registry import cause, fact
from limen.findings.causes.sighting import sighting
from limen.findings.finding import Cause, Finding
from limen.findings.numbers import number
from limen.findings.profile import PROFILE, Profile, gradient_profiles
from limen.findings.silence import is_gate
from limen.findings.thresholds import Thresholds
from limen.vitals import Vitals

DEEP = 12  # layers: ten of ReLU with torch's own weights, where the gradient shrinks to 1e-4, still train with Adam
BLOWN_UP = 1e6  # gradient at the first site over that at the last from which harm is certain
CHANCE = 0.1  # that one of the layers begins dead, from which it is a reason: widths of 5 to 7
SHARED = 0.5  # of the layers, that may have a normalisation of their own

EXPLAINS = frozenset(
    {
        "vanishing-gradient",
        "exploding-gradient",
        "exploding-activations",
        "not-learning",
        "slow-learning",
        "collapsed-representation",
        "dead-units",
        "dying-units",
    }
)


@fact("too-deep-without-normalisation", explains=EXPLAINS)
def too_deep_without_normalisation_seen(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Many layers in a row whose gradient is gone, or without bounds, from the start."""
    for profile in gradient_profiles(vitals, limits.window):
        gone, blown = 0.0 <= profile.ratio <= limits.gone, profile.ratio >= BLOWN_UP
        if profile.rows < limits.begun or not _is_bare(profile) or abs(profile.order) < limits.ordered:
            continue
        if profile.depth < DEEP or not (gone or blown) or _is_of_gates(profile):
            continue
        first = profile.rungs[0].site
        yield sighting(
            "too-deep-without-normalisation",
            "warning",
            first.name,
            f"{profile.depth} layers in a row without normalisation or shortcut: {_course(profile)}.",
            confidence=0.9,
            measured=profile.ratio,
            limit=limits.gone if gone else BLOWN_UP,
            unit=PROFILE,
            layer=first.layer,
        )


@cause("too-deep-without-normalisation")
def too_deep_without_normalisation(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """So many layers without a normalisation or a shortcut that a small factor of each leaves nothing.

    Why it matters: each layer multiplies the gradient, and the differences between samples, by about the same factor;
    over thirty layers a factor of 0.4 leaves 1e-12. A normalisation holds the scale at each layer, and a shortcut lets
    the gradient past.

    How it is measured: the gradient at the first site over that at the last, of layers of which fewer than half have a
    normalisation, and its fall or growth from layer to layer: a shortcut would show as none. From twelve layers on,
    a ratio below 1e-6 or above 1e6 is a finding by itself; for gradients and losses with a symptom, 1e-2 over eight
    layers is evidence, the more the deeper. A narrow layer of which all units are dead is put down to depth with the
    chance that one of so many layers is: half to the power of its units, for each.

    Known to misfire: nets of sigmoids or with weights at a wrong scale, for which depth is only half of the reason.

    Answered by: add-normalisation, reinitialise.

    Source: Schoenholz et al. 2017, arXiv:1611.01232; Lu et al. 2020, arXiv:1903.06733; He et al. 2016,
    "Deep Residual Learning", arXiv:1512.03385.
    """
    if finding.symptom in ("dead-units", "dying-units"):
        return _narrow(vitals, finding, limits)
    if finding.symptom not in ("vanishing-gradient", "exploding-gradient", "not-learning", "slow-learning"):
        return None
    for profile in gradient_profiles(vitals, limits.window):
        lost = profile.vanishes(limits) or (profile.ratio >= limits.exploded and profile.order <= -limits.ordered)
        if lost and profile.depth >= DEEP * 2 // 3 and _is_bare(profile):
            share = 0.5 if _is_of_gates(profile) else 1.0
            confidence = round(share * min(0.85, 0.3 + 0.02 * profile.depth), 3)
            evidence = (
                f"{profile.depth} layers follow each other without normalisation or shortcut: {_course(profile)}."
            )
            return Cause("too-deep-without-normalisation", confidence, evidence)
    return None


def _narrow(vitals: Vitals, finding: Finding, limits: Thresholds) -> Cause | None:
    """A narrow layer of which all units are dead: the chance that one of so many is, which nothing then passes."""
    seen = vitals.site(finding.where)
    for profile in gradient_profiles(vitals, limits.window):
        own = seen is not None and profile.rungs[0].site.model == seen.site.model
        if seen is None or not own or profile.depth < DEEP or profile.ratio > limits.vanished or not _is_bare(profile):
            continue
        chance = 1.0 - (1.0 - 0.5**seen.site.units) ** profile.depth
        if len(finding.units) == seen.site.units and chance >= CHANCE:
            evidence = (
                f"{profile.depth} layers of about {seen.site.units} units follow each other without normalisation or "
                f"shortcut: with a chance of about {100 * chance:.0f} % all units of one of them are silent."
            )
            return Cause("too-deep-without-normalisation", round(chance, 3), evidence)
    return None


def _is_bare(profile: Profile) -> bool:
    return sum(rung.site.norm is not None for rung in profile.rungs) < SHARED * profile.depth


def _is_of_gates(profile: Profile) -> bool:
    """Whether the slopes of sigmoids are reason enough."""
    return 2 * sum(is_gate(rung.site.function) for rung in profile.rungs) >= profile.depth


def _course(profile: Profile) -> str:
    first, last = profile.rungs[0].site, profile.rungs[-1].site
    return (
        f"the gradient at {first.title} is {number(profile.ratio)} times that at {last.title}, a factor of "
        f"{number(profile.factor, 2)} for each layer"
    )
