"""Which findings call for a treatment: what the advice promises, the plan of the treatments does."""

from __future__ import annotations

from limen.findings.causes.blank_weights import began_blank
from limen.findings.finding import Finding
from limen.vitals import Vitals

__all__ = ["blames_the_rate", "is_safe"]

RATE_SYMPTOMS = frozenset({"dead-units", "dying-units", "exploding-gradient", "exploding-activations"})
"""Symptoms for which a learning rate is lowered, where it is the cause."""

REVIVABLE_CAUSES = frozenset({"learning-rate-too-high", "bad-initialisation", "bad-bias", "dead-from-start"})
"""Causes that are over once the rate is lowered or the unit's own weights are drawn anew. Under any other (unscaled
inputs, say) revived units would die again."""

LEADING = 0.5  # confidence from which a learning rate is treated beside a likelier cause


def is_safe(remedy: str, finding: Finding, vitals: Vitals | None = None) -> bool:
    """Whether ``--treat safe`` would apply a remedy to a finding: the network's function is kept, and it would last.

    Args:
        remedy: One of ``finding.remedies``.
        finding: What is to be mended.
        vitals: What was seen: units of a layer without chance in its weights have nothing to be drawn from.
    """
    if remedy not in finding.remedies or finding.severity == "info" or finding.closed is not None:
        return False
    if remedy == "lower-learning-rate":
        return finding.symptom in RATE_SYMPTOMS and blames_the_rate(finding)
    over = not finding.causes or finding.causes[0].name in REVIVABLE_CAUSES
    blank = vitals is not None and began_blank(vitals, finding) is not None
    return remedy == "revive-units" and finding.symptom == "dead-units" and over and not blank


def blames_the_rate(finding: Finding) -> bool:
    """Whether a learning rate that is too high is the most likely cause, or likely enough beside it."""
    return any(
        cause.name == "learning-rate-too-high" and (rank == 0 or cause.confidence >= LEADING)
        for rank, cause in enumerate(finding.causes)
    )
