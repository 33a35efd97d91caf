"""The weight and the bias of a layer."""

from __future__ import annotations

from limen.findings.once import once
from limen.vitals import ParameterVitals, Vitals

__all__ = ["bias_of", "weight_of"]


def weight_of(vitals: Vitals, layer: str | None) -> ParameterVitals | None:
    """The first weight of a layer, or None."""
    return _weights(vitals).get(layer)


@once
def _weights(vitals: Vitals) -> dict[str | None, ParameterVitals]:
    return {one.parameter.layer: one for one in reversed(vitals.parameters) if one.parameter.weight}


def bias_of(vitals: Vitals, layer: str | None) -> ParameterVitals | None:
    """The bias of a layer, or None."""
    own = [one for one in vitals.parameters if one.parameter.layer == layer and not one.parameter.weight]
    return next((one for one in own if one.parameter.name.endswith("bias")), None)
