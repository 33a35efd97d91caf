"""How a cause that is seen by itself is told."""

from __future__ import annotations

from limen.findings.finding import Cause, Finding, Severity

__all__ = ["sighting"]


def sighting(
    cause: str,
    severity: Severity,
    where: str,
    evidence: str,
    *,
    confidence: float,
    measured: float,
    limit: float,
    unit: str,
    message: str = "",
    layer: str | None = None,
    step: int = 1,
) -> Finding:
    """A finding without a symptom, of one cause; ``evidence`` is its message too where there is none of its own."""
    return Finding(
        symptom=None,
        severity=severity,
        where=where,
        layer=layer,
        units=(),
        step=step,
        measured=measured,
        limit=limit,
        unit=unit,
        confidence=confidence,
        causes=(Cause(cause, confidence, evidence),),
        remedies=(),
        message=message or evidence,
    )
