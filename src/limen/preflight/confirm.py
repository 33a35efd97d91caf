"""What theory says of a gradient that was seen to vanish or explode."""

from __future__ import annotations

import math
from dataclasses import replace

from torch import nn

from limen.anatomy.tape import Sample
from limen.errors import LimenError
from limen.findings import Finding
from limen.preflight.limits import Limits
from limen.preflight.rules.scale import RATIO
from limen.theory import predict

__all__ = ["confirmed"]

ALIKE = 100.0  # factor by which what was seen on one sample may differ from what is expected of all


def confirmed(finding: Finding, model: nn.Module, sample: Sample, limits: Limits) -> Finding:
    """The finding with what theory predicts from the weights' means and variances.

    Where theory sees no fault, the sample or a single unlucky draw may have made it: a remark then.
    """
    ratio, layers = predicted_ratio(model, sample) if finding.unit == RATIO else (math.nan, 0)
    if not ratio > 0.0 or layers < 2:
        return finding
    (cause,) = finding.causes
    factor = ratio ** (1 / (layers - 1))
    told = f"{cause.evidence} Theory predicts {ratio:.2g} for weights of this scale, {factor:.2g} for each layer."
    agrees = 1 / ALIKE < ratio / finding.measured < ALIKE
    confidence = 0.95 if agrees else 0.6
    faultless = limits.vanished < ratio < limits.exploded
    return replace(
        finding,
        severity="info" if faultless else finding.severity,
        confidence=confidence,
        causes=(replace(cause, confidence=confidence, evidence=told),),
    )


def predicted_ratio(model: nn.Module, sample: Sample) -> tuple[float, int]:
    """Predicted gradient at the first layer over that at the last, and the number of layers; NaN where not known."""
    try:
        found = predict(model, sample, measure=False)
    except (LimenError, RuntimeError, ValueError, TypeError):  # a model that theory cannot walk is no fault of its own
        return math.nan, 0
    sizes = [one.gradient for one in found.maps if one.gradient > 0.0 and math.isfinite(one.gradient)]
    return (sizes[0] / sizes[-1], len(sizes)) if sizes else (math.nan, 0)
