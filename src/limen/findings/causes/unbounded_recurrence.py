"""A state that is fed back through a function without bounds."""

from __future__ import annotations

from collections.abc import Iterator

from limen.findings.causes.birth import size_at_birth
from limen.findings.causes.recurrent_weights import from_state_to_state, radius
from limen.findings.causes.registry import fact
from limen.findings.causes.sighting import sighting
from limen.findings.finding import Finding
from limen.findings.numbers import number
from limen.findings.thresholds import Thresholds
from limen.vitals import Vitals

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
        weight = from_state_to_state(vitals, seen)
        if weight is None:
            continue
        grows, size = radius(weight), size_at_birth(seen)
        if not (grows >= GROWING or (grows >= SLOW and size >= limits.wild_signal)):
            continue
        yield sighting(
            "unbounded-recurrence",
            "warning",
            weight.parameter.layer,
            f"{weight.parameter.name} feeds the state back through {seen.site.function}, which has no upper bound, "
            f"with a spectral radius of about {number(grows, 2)}; in the first {seen.birth.steps} steps the "
            f"pre-activations of {seen.site.name} have a root mean square of {number(size)}.",
            confidence=0.92,
            measured=grows,
            limit=GROWING,
            unit="spectral radius",
            layer=weight.parameter.layer,
        )
