"""A finding: what is wrong, where, since when, how sure, why, and what to do."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["CAUSES", "REMEDIES", "SYMPTOMS", "Cause", "Finding", "Severity"]

Severity = Literal["info", "warning", "error"]

SYMPTOMS = (
    "dead-units",
    "dying-units",
    "saturated-units",
    "vanishing-gradient",
    "exploding-gradient",
    "exploding-activations",
    "non-finite",
    "not-learning",
    "diverging-loss",
    "oscillating-loss",
    "slow-learning",
    "collapsed-representation",
)
"""Names of what is seen. A name is never reused for another meaning."""

CAUSES = (
    "learning-rate-too-high",
    "learning-rate-too-low",
    "bad-initialisation",
    "bad-bias",
    "saturating-activation",
    "wrong-activation",
    "missing-activation",
    "output-loss-mismatch",
    "unscaled-inputs",
    "unscaled-targets",
    "missing-zero-grad",
    "no-gradient-path",
    "too-deep-without-normalisation",
    "unbounded-recurrence",
    "loss-numerics",
    "excess-dropout",
    "normalisation-misuse",
    "dead-from-start",
)
"""Names of why it happens."""

REMEDIES = (
    "swap-activation",
    "reinitialise",
    "revive-units",
    "lower-learning-rate",
    "raise-learning-rate",
    "add-normalisation",
    "clip-gradients",
    "scale-inputs",
    "scale-targets",
    "fix-output-head",
    "fix-loss",
    "fix-training-loop",
    "add-activation",
    "change-optimiser",
    "reduce-dropout",
    "remove-activation",
    "avoid-in-place",
    "fix-normalisation",
)
"""Names of what to do about it."""


@dataclass(frozen=True)
class Cause:
    """Why a symptom appeared.

    Attributes:
        name: one of ``CAUSES``.
        confidence: in [0, 1].
        evidence: one sentence with the measured figures that speak for it.
    """

    name: str
    confidence: float
    evidence: str


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a training.

    Attributes:
        symptom: one of ``SYMPTOMS``; None when only a cause is seen.
        severity: ``error`` when learning is lost, ``warning`` when it is harmed, ``info`` otherwise.
        where: name of the site or parameter; ``model`` when it is the whole.
        layer: dotted path of the layer concerned; None where it is the whole.
        units: indices of the units concerned; empty where it is not about units.
        step: the step since which it holds, from 1; 0 for what is seen before training.
        measured: the figure that passed the limit.
        limit: the limit it passed.
        unit: what both are measured in, for instance ``share of units``.
        confidence: in [0, 1].
        causes: most likely first.
        remedies: names from ``REMEDIES``, best first.
        message: one sentence for a person, with the figures.
        closed: the step at which it was no longer true; None while it holds.
        told: the step of the training at which it was first known; None before ``track`` has seen it.
    """

    symptom: str | None
    severity: Severity
    where: str
    layer: str | None
    units: tuple[int, ...]
    step: int
    measured: float
    limit: float
    unit: str
    confidence: float
    causes: tuple[Cause, ...]
    remedies: tuple[str, ...]
    message: str
    closed: int | None = None
    told: int | None = None

    @property
    def name(self) -> str:
        """The symptom, or the first cause where only a cause is seen."""
        return self.symptom or (self.causes[0].name if self.causes else "unknown")

    @property
    def key(self) -> str:
        """Identity over time: the same name at the same place is the same finding."""
        return f"{self.name} @ {self.where}"
