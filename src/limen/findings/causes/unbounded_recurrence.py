"""A state that is fed back through a function without bounds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from limen.findings.causes.registry import fact
from limen.findings.causes.sighting import sighting
from limen.findings.figures import finite, median
from limen.findings.finding import Finding
from limen.findings.thresholds import Thresholds
from limen.vitals import ParameterVitals, SiteVitals, Vitals

GROWING = 1.5
"""Spectral radius from which a ReLU, which passes half of the variance, lets the state grow: above sqrt(2)."""

SLOW = 1.1  # radius that is enough where the state has grown already: the identity, as of Le et al. 2015, has 1


@fact(
    "unbounded-recurrence",
    explains={
        "exploding-activations",
        "exploding-gradient",
        "non-finite",
        "diverging-loss",
        "oscillating-loss",
        "not-learning",
        "slow-learning",
        "dead-units",
        "dying-units",
    },
)
def unbounded_recurrence(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A recurrent layer of ReLU whose weights enlarge its state at every step of the sequence.

    Why it matters: a factor above one is taken to the power of the length of the sequence, in the state and in the
    gradient; only a bounded function, or a gate, holds them.

    How it is measured: the norm of the square weights from state to state over the square root of their width, which
    is the spectral radius of weights drawn independently, in a layer whose gate is an unbounded function: from 1.5 on,
    or from 1.1 on where its pre-activations have a root mean square above 10 already. Weights that began as the
    identity have a radius of 1, and torch's own of 0.58: nothing is said of them.

    Known to misfire: weights with a few large entries, whose radius is smaller than their norm says. Loops that a
    script writes by hand are not known to be loops.

    Answered by: swap-activation, clip-gradients, reinitialise.

    Source: Le, Jaitly & Hinton 2015, arXiv:1504.00941; Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063; Girko's
    circular law for the radius.
    """
    for seen in vitals.sites:
        if seen.site.layer is not None or seen.site.flat_right is not None or seen.birth.samples == 0:
            continue
        for weight in _recurrent_weights(vitals, seen):
            radius = _radius(weight)
            moments = seen.birth.moments
            size = median(np.hypot(moments.mean, moments.std))
            if not (radius >= GROWING or (radius >= SLOW and size >= limits.wild_signal)):
                continue
            yield sighting(
                "unbounded-recurrence",
                "warning",
                weight.parameter.layer,
                f"{weight.parameter.name} feeds the state back through {seen.site.function}, which has no upper bound, "
                f"with a spectral radius of about {radius:.2g}; in the first {seen.birth.steps} steps the "
                f"pre-activations of {seen.site.name} have a root mean square of {size:.3g}.",
                confidence=0.92,
                measured=radius,
                limit=GROWING,
                unit="spectral radius",
                layer=weight.parameter.layer,
            )
            break


def _recurrent_weights(vitals: Vitals, seen: SiteVitals) -> Iterator[ParameterVitals]:
    """From state to state, of the recurrent layer that owns a gate, in the layer that the gate's name tells."""
    owner = seen.site.name.removesuffix("." + ".".join(seen.site.name.split(".")[-2:]))
    level = next((part for part in seen.site.name.split(".") if part.startswith("l") and part[1:2].isdigit()), "")
    for one in vitals.parameters:
        own = one.parameter.layer in (owner, seen.site.path)
        shape = one.parameter.shape
        square = len(shape) == 2 and shape[0] == shape[1]
        if own and square and "weight_hh" in one.parameter.name and one.parameter.name.endswith(level):
            yield one


def _radius(weight: ParameterVitals) -> float:
    norms = finite(weight.history.weight[:1])
    return float(norms[0] / np.sqrt(weight.parameter.shape[0])) if len(norms) else float("nan")
