"""The weights of recurrent layers, of which the gates tell no layer of their own."""

from __future__ import annotations

import numpy as np

from limen.findings.causes.birth import born_stuck
from limen.findings.figures import finite
from limen.findings.finding import Cause
from limen.findings.numbers import number
from limen.findings.silence import is_bounded
from limen.findings.updates import scale_at_birth
from limen.vitals import ParameterVitals, SiteVitals, Vitals

__all__ = ["LARGE", "from_state_to_state", "radius", "stuck_by_weights"]

LARGE = 5.0  # scale sqrt(fan in) * std at birth: torch's own is 0.58, an orthogonal matrix 1, and at 5 a tanh is stuck
STUCK = 0.5  # of the samples of a gate, flat in the first window


def from_state_to_state(vitals: Vitals, seen: SiteVitals) -> ParameterVitals | None:
    """The square weight of the recurrent layer that owns a gate, of the level that the gate's name tells."""
    return next(
        (
            one
            for one in _weights(vitals, seen)
            if "weight_hh" in one.parameter.name and one.parameter.shape[0] == one.parameter.shape[-1]
        ),
        None,
    )


def radius(weight: ParameterVitals) -> float:
    """Spectral radius of a square weight at first, had its entries been drawn independently; NaN where unknown.

    Source: Girko's circular law: sqrt(width) times the standard deviation.
    """
    norms = finite(weight.history.weight[:1])
    return float(norms[0] / np.sqrt(weight.parameter.shape[0])) if len(norms) else float("nan")


def stuck_by_weights(vitals: Vitals, seen: SiteVitals) -> tuple[Cause, float] | None:
    """``bad-initialisation`` of a bounded gate that large weights hold at its bounds, and their scale."""
    if not is_bounded(seen.site) or born_stuck(seen) < STUCK:
        return None
    large = [(scale, one) for one in _weights(vitals, seen) if (scale := scale_at_birth(one)) >= LARGE]
    if not large:
        return None
    scale, weight = max(large, key=lambda pair: pair[0])
    evidence = (
        f"{weight.parameter.name} began with weights of {number(scale, 2)} times one over the root of their fan in, "
        f"where 1 is usual; {100 * born_stuck(seen):.0f} % of the samples of {seen.site.title} were flat in the first "
        "window."
    )
    return Cause("bad-initialisation", 0.92, evidence), scale


def _weights(vitals: Vitals, seen: SiteVitals) -> list[ParameterVitals]:
    """Those of a gate's layer and level, from the input and from the state."""
    if seen.site.layer is not None:
        return []
    parts = seen.site.name.split(".")
    level = next((part for part in parts if part.startswith("l") and part[1:2].isdigit()), "")
    owner = ".".join(parts[: parts.index(level)] if level else parts[:-1])
    return [
        one
        for one in vitals.parameters
        if one.parameter.layer in (owner, seen.site.path)
        and len(one.parameter.shape) == 2
        and one.parameter.name.rpartition(".")[2].startswith(("weight_ih", "weight_hh"))
        and one.parameter.name.endswith(level)
    ]
