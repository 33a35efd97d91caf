"""Layers that no update reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from limen.findings.causes.registry import fact
from limen.findings.causes.sighting import sighting
from limen.findings.finding import Finding, Severity
from limen.findings.thresholds import Thresholds
from limen.findings.words import listed
from limen.vitals import ParameterVitals, SiteVitals, Untrained, Vitals

MOST = 0.5  # of the weights before the last layer: with less, the others can make up for it
FEWEST = 6  # steps at which a site was seen without a gradient before it never gets one

WHY = {
    "no-optimiser": "they get gradients, and no optimiser holds them",
    "no-gradient": "the forward pass runs through them, and no backward pass has reached them",
}
UNSEEN = "an optimiser holds them, and no backward pass has reached them"


@fact("no-gradient-path", explains={"not-learning", "slow-learning", "vanishing-gradient", "collapsed-representation"})
def no_gradient_path(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Layers that are used and stay as they were drawn: no gradient reaches them, or no optimiser holds them.

    Why it matters: all else is trained on the noise that random layers make of the input. A detach, a number taken out
    with item(), an optimiser that was given the last layer alone or made before the model was: nothing raises.

    How it is measured: parameters that require gradients and stand still, entry by entry, though steps are taken:
    those that get gradients and are in no optimiser, and those in one that no backward pass has reached while their
    layer ran forward. Where no activation function was seen at all, as none is under ``no_grad``, nothing tells that it
    ran, and only half of all entries or more are told. Weights that do not look as initialisations draw them were
    trained before, and are left out. What remains is a warning where it holds half of all entries before the last
    trained layer, those trained before among them: beside these, one that looks drawn may look so by chance. It is an
    error where nothing is trained, and a remark otherwise.

    Known to misfire: random layers that are meant to stay and were not given ``requires_grad = False``; a branch whose
    loss sets in later.

    Answered by: fix-training-loop.

    Source: the documentation of torch.autograd and torch.optim.
    """
    labels = {seen.site.model for seen in vitals.sites if seen.site.model}
    for label in sorted(labels) if len(labels) > 1 else [""]:
        untrained = [one for one in vitals.program.untrained if belongs(one.name, label)]
        weights = [one for one in vitals.parameters if one.parameter.weight and belongs(one.parameter.name, label)]
        neglect = neglected(untrained, vitals.sites, weights)
        if neglect is not None:
            yield _finding(neglect, label or "model")


@dataclass(frozen=True)
class Neglect:
    """What of one model stays as it was drawn.

    Attributes:
        layers: by reason.
        trained: layers of weights that do not.
        share: of the entries before the last trained layer, in [0, 1].
        ran: whether a site shows that those without a gradient are in use.
    """

    layers: dict[str, list[str]]
    trained: int
    share: float
    ran: bool


def neglected(
    untrained: Iterable[Untrained], sites: Iterable[SiteVitals], weights: list[ParameterVitals]
) -> Neglect | None:
    """The fresh weights among the untrained ones that are in use; None where there is none."""
    reached = {one.parameter.name for one in weights if is_reached(one)}  # some since they were looked through
    every = [one for one in untrained if one.reason != "no-gradient" or one.name not in reached]
    fresh = [one for one in every if one.as_drawn]
    cut = [one for one in fresh if one.reason == "no-gradient"]
    known_sites = list(sites)
    mute = [seen for seen in known_sites if is_mute(seen)] if cut else []
    if known_sites and not any(is_of(seen, one.layer) for one in cut for seen in mute):
        fresh = [one for one in fresh if one.reason == "no-optimiser"]
    if not fresh:
        return None
    known = {one.name for one in fresh}
    trained = [one for one in weights if one.parameter.name not in known and is_reached(one)]
    last = max((one.parameter.order for one in trained), default=0)
    others = sum(int(np.prod(one.parameter.shape)) for one in trained if one.parameter.order != last)
    others += sum(one.entries for one in every if not one.as_drawn)
    entries = sum(one.entries for one in fresh)
    share = entries / max(entries + others, 1)
    if cut and not known_sites and share < MOST:
        return None
    layers = {reason: list(dict.fromkeys(one.layer for one in fresh if one.reason == reason)) for reason in WHY}
    return Neglect(layers, len({one.parameter.layer for one in trained}), share, bool(known_sites))


def is_mute(seen: SiteVitals) -> bool:
    """Whether a site was seen forward and never backward."""
    return len(seen.history.gradient) >= FEWEST and bool(np.isnan(seen.history.gradient).all())


def is_of(seen: SiteVitals, layer: str) -> bool:
    """Whether a layer leads to a site, or holds it, as recurrent ones do."""
    return seen.site.layer == layer or seen.site.name.startswith(f"{layer}.")


def is_reached(seen: ParameterVitals) -> bool:
    """Whether it ever had a gradient."""
    return bool(np.isfinite(seen.history.gradient).any())


def belongs(name: str, label: str) -> bool:
    """Whether a parameter is one of a model; of a single model, all are."""
    return not label or name.startswith(f"{label}.")


def _finding(neglect: Neglect, where: str) -> Finding:
    reasons = WHY if neglect.ran else WHY | {"no-gradient": UNSEEN}
    told = [f"{reasons[reason]} ({listed(layers)})" for reason, layers in neglect.layers.items() if layers]
    many = sum(map(len, neglect.layers.values()))
    severity: Severity = "info" if neglect.share < MOST else "warning" if neglect.trained else "error"
    message = f"{many} of {many + neglect.trained} layers stay as they were drawn: {'; '.join(told)}."
    evidence = (
        f"{message[:-1]}; they hold {100 * neglect.share:.0f} % of the weights before the last layer that is trained."
        if neglect.trained
        else message
    )
    return sighting(
        "no-gradient-path",
        severity,
        where,
        evidence,
        confidence=0.95 if neglect.share >= MOST else 0.5,
        measured=neglect.share,
        limit=MOST,
        unit="share of weights",
        message=message,
    )
