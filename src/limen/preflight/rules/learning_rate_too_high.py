"""A learning rate whose first step leaves nothing of the initialisation."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from limen.findings import Finding
from limen.preflight.flight import Flight
from limen.preflight.limits import Limits
from limen.preflight.numbers import size_of
from limen.preflight.rules.found import found
from limen.preflight.rules.registry import check


@check("learning-rate-too-high")
def learning_rate_too_high(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """A learning rate at which the first step of an adaptive optimiser is as large as the weights themselves.

    Why it matters: Adam and its kin move each entry by about the learning rate in their first steps, whatever the
    gradient. At 0.1, weights of 0.05 are replaced twice over, and an initialisation made with care is gone.

    How it is measured: the learning rate over the root mean square of the weights, the median over the layers of
    weights, above 1. For plain descent the step depends on gradients that change within a few steps; a single pass
    does not tell, and nothing is said.

    Known to misfire: optimisers that scale a step by the size of the weights; a warm-up that is not yet set.

    Answered by: lower-learning-rate.

    Source: Kingma & Ba 2015, arXiv:1412.6980, section 2.1: the first step of Adam is bounded by the learning rate.
    """
    for optimiser in flight.optimisers or ():
        if not any(name in optimiser.kind for name in ("Adam", "RMSprop", "NAdam", "RAdam")):
            continue
        shares: list[float] = []
        rates: list[float] = []
        for one in flight.maps:
            leaf = one.weight.leaf
            if leaf is None or leaf.is_meta or id(leaf) not in optimiser.rates:
                continue
            size = size_of(leaf)
            if size > 0.0:
                rates.append(optimiser.rates[id(leaf)])
                shares.append(rates[-1] / size)
        if not shares or statistics.median(shares) <= limits.first_step:
            continue
        yield found(
            "learning-rate-too-high",
            "warning",
            "model",
            f"{optimiser.kind} with a learning rate of {statistics.median(rates):.3g} moves the weights by "
            f"{statistics.median(shares):.3g} times their size in its first step.",
            why="It moves each entry by about the learning rate, whatever the gradient: the initialisation is gone.",
            remedies=("lower-learning-rate",),
            measured=statistics.median(shares),
            limit=limits.first_step,
            unit="first step over the weights' root mean square",
            confidence=0.85,
        )
