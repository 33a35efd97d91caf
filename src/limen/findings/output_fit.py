"""Which output fits which loss: held once, for what is seen before a training and for what is seen in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from limen.findings.finding import Severity

__all__ = [
    "CLASS_LOSSES",
    "CLIMB",
    "MISFIT",
    "RANGES",
    "RAW_SCORES",
    "REGRESSION",
    "WANTED",
    "Misfit",
    "misfit",
    "outside",
]

CLIMB = "times the loss at the start"
"""The unit by which a loss that is climbed is measured."""

MISFIT = "outputs that do not fit"
"""The unit by which an output is counted that its loss cannot take."""

RAW_SCORES = ("cross-entropy", "bce-with-logits")
"""Losses that take a softmax or sigmoid themselves."""

REGRESSION = ("mse", "l1", "smooth-l1", "huber")
"""Losses that are a distance between an output and its target."""

CLASS_LOSSES = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy_with_logits"}
"""What takes raw scores in place of this head and a distance."""

RANGES: dict[str, tuple[float, float]] = {
    "sigmoid": (0.0, 1.0),
    "hardsigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hardtanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": (0.0, math.inf),
    "relu6": (0.0, 6.0),
    "squared_relu": (0.0, math.inf),
    "softplus": (0.0, math.inf),
    "logsigmoid": (-math.inf, 0.0),
    "log-softmax": (-math.inf, 0.0),
}
"""What a head can give."""

UNBOUNDED = (-math.inf, math.inf)
WANTED = {
    "cross-entropy": "one raw score for each class",
    "bce-with-logits": "a raw score, of which it takes the sigmoid itself",
    "bce": "probabilities",
    "nll": "logarithms of probabilities, from log_softmax",
    "kl-div": "logarithms of probabilities, from log_softmax",
}
"""What a loss expects to be given."""


@dataclass(frozen=True)
class Misfit:
    """What is wrong with a head before a loss.

    Attributes:
        severity: ``error`` where nothing can come of it, ``warning`` where learning is harmed, ``info`` otherwise.
        wanted: what the loss expects.
        why: what comes of it.
    """

    severity: Severity
    wanted: str
    why: str


def misfit(loss: str, head: str) -> Misfit | None:
    """What is wrong with a head before a loss; None where it fits or nothing is known.

    Args:
        loss: as ``LossVitals.function`` names it.
        head: as ``LossVitals.head`` names it.

    Source: the formulas of torch.nn.CrossEntropyLoss, NLLLoss, BCELoss and BCEWithLogitsLoss; Bridle 1990,
    "Probabilistic interpretation of feedforward classification network outputs".

    >>> misfit("cross-entropy", "softmax").severity
    'warning'
    >>> misfit("cross-entropy", "linear") is None
    True
    """
    wanted = WANTED.get(loss)
    if wanted is None:
        return None
    if loss == "cross-entropy" and head == "log-softmax":
        return Misfit("info", wanted, "The log-softmax of a log-softmax is itself: gradients and losses are the same.")
    if loss in RAW_SCORES:
        return Misfit("warning", wanted, scores(head)) if head in RANGES else None
    if loss == "bce":
        fits = head != "linear" and RANGES.get(head, (0.0, 1.0)) == (0.0, 1.0)
        why = "The logarithm of what is not between 0 and 1 does not exist: torch raises, or the loss is not a number."
        return None if fits else Misfit("error", wanted, why)
    if head == "linear":
        why = "Nothing holds raw scores: the loss falls for ever as they grow, without a better answer."
        return Misfit("error", wanted, why)
    if head in ("softmax", "sigmoid", "relu", "tanh"):
        return Misfit("warning", wanted, "The gradient no longer grows where the answer is wrong.")
    return None


def scores(head: str) -> str:
    """What comes of a bounded head before a loss that takes raw scores."""
    if head == "softmax":
        return (
            "The loss takes a softmax of it again: scores between 0 and 1 differ by 1 at most, so that a sure and "
            "right answer still costs something and a wrong one has a small gradient."
        )
    low, high = RANGES[head]
    if math.isinf(high):
        return "Scores that cannot be negative leave no gradient to those that the function has set to zero."
    if math.isinf(low):
        return "Scores that cannot be positive are half of what the loss needs."
    slope = ", and the sigmoid no gradient where it is" if head == "sigmoid" else ""
    return f"Scores between {low:g} and {high:g} leave the loss no way to be sure{slope}."


def outside(head: str, low: float, high: float, room: float) -> float:
    """How far targets from ``low`` to ``high`` leave what a head can give, in their unit; 0 where within ``room``.

    Args:
        head: as ``LossVitals.head`` names it.
        low: the smallest target.
        high: the largest.
        room: by how much they may leave it, in the same unit.
    """
    least, most = RANGES.get(head, UNBOUNDED)
    beyond = max(least - low, high - most)
    return beyond if beyond > room else 0.0
