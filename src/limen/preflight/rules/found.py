"""A finding of a check, in few words."""

from __future__ import annotations

from limen.findings import Cause, Finding, Severity

__all__ = ["found"]


def found(
    cause: str,
    severity: Severity,
    where: str,
    message: str,
    *,
    why: str,
    remedies: tuple[str, ...],
    measured: float = 1.0,
    limit: float = 0.0,
    unit: str = "places",
    confidence: float = 0.95,
    layer: str | None = None,
    units: tuple[int, ...] = (),
) -> Finding:
    """A finding of a cause before training: step 0, no symptom yet.

    Args:
        cause: one of ``CAUSES``.
        severity: ``error`` where nothing can be learned like this, ``warning`` where it does harm.
        where: what was found fault with.
        message: one sentence for a person.
        why: one sentence: what comes of it.
        remedies: best first.
        measured: what passed the limit.
        limit: the limit.
        unit: of both.
        confidence: in [0, 1].
        layer: path of the layer.
        units: indices of the units.
    """
    causes = (Cause(cause, confidence, why),)
    return Finding(None, severity, where, layer, units, 0, measured, limit, unit, confidence, causes, remedies, message)
