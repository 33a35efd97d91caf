"""Functions between layers that are none to be there."""

from __future__ import annotations

from collections.abc import Iterator

from limen.findings.causes.registry import fact
from limen.findings.causes.sighting import sighting
from limen.findings.finding import Finding
from limen.findings.thresholds import Thresholds
from limen.findings.words import listed
from limen.vitals import Interposed, Vitals

SEVERAL = {"softmax": 2, "exp": 2, "sinh": 2, "cosh": 2, "pow": 3}
"""By function: layers from which it is no device of one place (shares of topics, log-linear units), but the hidden
activation."""

WHY = {
    "softmax": "the units of a layer share a sum of 1, so that each is small and the slopes are smaller",
    "pow": "each layer raises the scale to a power, and the gradient with it",
}
GROWS = "it grows faster than any power, and {count} in a row leave the range of floating-point numbers"


@fact(
    "wrong-activation",
    explains={
        "non-finite",
        "exploding-activations",
        "exploding-gradient",
        "diverging-loss",
        "oscillating-loss",
        "not-learning",
        "slow-learning",
        "vanishing-gradient",
        "collapsed-representation",
    },
)
def wrong_activation(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A hidden activation that no hidden layer should have: an exponential, a high power, or a softmax.

    Why it matters: what grows faster than its input grows without end over several layers. A softmax makes the units
    of a layer share a sum of 1: of many, each is nearly zero, and hardly any gradient passes.

    How it is measured: in the graph of the first backward pass, what a layer of weights is given is followed back
    through changes of shape, dropout and normalisation to exp, sinh, cosh, a power of two or more, or a softmax over
    the units, applied to what another layer of weights made. Softmax of attention, of gates and of outputs multiplies
    other values or ends in the loss, and is not meant. In one place only (of a power, in two), or behind a
    normalisation, it is a remark.

    Known to misfire: nets of polynomials that are meant as such.

    Answered by: swap-activation.

    Source: Zhang et al. 2021, "AutoTrainer", ICSE, for exponential activations; the ranges of the functions.
    """
    for function in dict.fromkeys(one.function for one in vitals.program.interposed):
        places = [one for one in vitals.program.interposed if one.function == function]
        bare = [one for one in places if not one.norm]
        yield _finding(function, places, harms=len(bare) >= SEVERAL.get(function, 2))


def _finding(function: str, places: list[Interposed], *, harms: bool) -> Finding:
    count = len(places)
    where = listed([one.before for one in places])
    why = WHY.get(function, GROWS.format(count=count))
    return sighting(
        "wrong-activation",
        "warning" if harms else "info",
        places[0].before,
        f"{function} is the hidden activation behind {where}: {why}."
        if harms
        else f"{function} stands between {places[0].before} and {places[0].behind}; as a hidden activation it is rare.",
        confidence=0.9 if harms else 0.4,
        measured=float(count),
        limit=float(SEVERAL.get(function, 2)),
        unit="layers",
        layer=places[0].before,
    )
