"""A learning rate whose first step leaves nothing of the initialisation."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from limen.findings import Finding
from limen.preflight.flight import Flight, OptimiserFacts
from limen.preflight.limits import Limits
from limen.preflight.numbers import size_of
from limen.preflight.rules.found import found
from limen.preflight.rules.registry import check


@check("learning-rate-too-high")
def learning_rate_too_high(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """A learning rate whose first step is far beyond what the weights or the loss allow.

    Why it matters: Adam and its kin move each entry by about the learning rate in their first steps, whatever the
    gradient. At 0.1, weights of 0.05 are replaced twice over, and an initialisation made with care is gone. Plain
    descent goes as far as the gradient is steep, and throws the weights out where the loss is.

    How it is measured: for adaptive optimisers the learning rate over the root mean square of the weights, the median
    over the layers of weights, above 1. For others the fall of the loss that the gradient promises for the first step,
    the learning rate times its squared norm: more than a hundred times the whole loss cannot be had, as no loss of the
    known kinds goes below zero. Momentum, which makes it worse, is left out.

    Known to misfire: optimisers that scale a step by the size of the weights; a warm-up that is not yet set.

    Answered by: lower-learning-rate.

    Source: Kingma & Ba 2015, arXiv:1412.6980, section 2.1: the first step of Adam is bounded by the learning rate;
    Polyak 1987, "Introduction to Optimization": the step that a loss with least value 0 allows is loss / gradient².
    """
    for optimiser in flight.optimisers or ():
        if any(name in optimiser.kind for name in ("Adam", "RMSprop")):
            yield from of_adaptive(flight, optimiser, limits)
        elif not optimiser.adaptive:
            yield from of_plain(flight, optimiser, limits)


def of_adaptive(flight: Flight, optimiser: OptimiserFacts, limits: Limits) -> Iterator[Finding]:
    """A first step as long as the weights."""
    sized = {
        id(leaf): size_of(leaf) for one in flight.maps if (leaf := one.weight.leaf) is not None and not leaf.is_meta
    }
    known = [(optimiser.rates[key], size) for key, size in sized.items() if size > 0.0 and key in optimiser.rates]
    if not known:
        return
    rate = statistics.median(rate for rate, _ in known)
    share = statistics.median(rate / size for rate, size in known)
    if share > limits.first_step:
        yield found(
            "learning-rate-too-high",
            "warning",
            "model",
            f"{optimiser.kind} with a learning rate of {rate:.3g} moves the weights by {share:.3g} times their size in "
            "its first step.",
            why="It moves each entry by about the learning rate, whatever the gradient: the initialisation is gone.",
            remedies=("lower-learning-rate",),
            measured=share,
            limit=limits.first_step,
            unit="first step over the weights' root mean square",
            confidence=0.85,
        )


def of_plain(flight: Flight, optimiser: OptimiserFacts, limits: Limits) -> Iterator[Finding]:
    """A first step that promises more than there is to gain."""
    if not flight.losses or flight.loss is None or not flight.loss > 0.0:
        return
    fall = sum(optimiser.rates[key] * square for key, square in flight.squares.items() if key in optimiser.rates)
    share = fall / flight.loss
    if share > limits.first_fall:
        size = sum(flight.squares.values()) ** 0.5
        yield found(
            "learning-rate-too-high",
            "warning",
            "model",
            f"With the gradient of this sample (norm {size:.3g}), the first step of {optimiser.kind} would take "
            f"{share:.3g} times the whole loss of {flight.loss:.3g} off.",
            why="The loss cannot fall below zero: the step ends far beyond the valley that it points into.",
            remedies=("lower-learning-rate", "clip-gradients"),
            measured=share,
            limit=limits.first_fall,
            unit="promised fall of the loss over the loss",
            confidence=0.8,
        )
