"""The gradient from head to first layer, and what it moves there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limen.findings.figures import finite, median, rank_correlation
from limen.findings.once import once
from limen.findings.thresholds import Thresholds
from limen.findings.updates import is_adaptive, relative_gradient
from limen.findings.weights import weight_of
from limen.sites import Site
from limen.vitals import ParameterVitals, SiteVitals, Vitals

__all__ = ["PROFILE", "Profile", "Rung", "gradient_profiles"]

PROFILE = "gradient at first site / last site"  # unit of findings about depth


@dataclass(frozen=True)
class Rung:
    """One layer with its activation, over a window of recorded rows.

    Attributes:
        site: where the layer's output meets its activation.
        weight: name of the layer's weight.
        gradient: median L2 norm of the loss gradient at the site's input.
        relative: median of gradient norm over weight norm of the layer's weight.
        update: median update ratio of that weight; NaN where it was not measured.
        adaptive: True when the optimiser scales steps by the gradient's own history.
        rows: rows with a gradient at the site.
    """

    site: Site
    weight: str
    gradient: float
    relative: float
    update: float
    adaptive: bool
    rows: int


@dataclass(frozen=True)
class Profile:
    """The rungs of one model, first layer first; at least two.

    Attributes:
        rungs: layers that feed a site, in forward order.
    """

    rungs: tuple[Rung, ...]

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.rungs)

    @property
    def ratio(self) -> float:
        """Gradient at the first site over that at the last."""
        return _ratio(self.rungs[0].gradient, self.rungs[-1].gradient)

    @property
    def factor(self) -> float:
        """What the ratio is for each layer, geometrically; NaN where that means nothing."""
        return self.ratio ** (1.0 / (self.depth - 1)) if self.ratio >= 0.0 else float("nan")

    @property
    def starvation(self) -> float:
        """Relative gradient of the first weight over that of the last."""
        return _ratio(self.rungs[0].relative, self.rungs[-1].relative)

    @property
    def slowness(self) -> float:
        """Update ratio of the first weight over that of the last; NaN where either was not measured."""
        return _ratio(self.rungs[0].update, self.rungs[-1].update)

    @property
    def order(self) -> float:
        """Rank correlation of the gradient with depth: 1 when it falls at each layer on the way to the input."""
        return rank_correlation([rung.gradient for rung in self.rungs])

    def vanishes(self, limits: Thresholds) -> bool:
        """True when hardly any gradient is left at the first site, and it falls on the way there."""
        return self.depth >= limits.depth and self.ratio <= limits.vanished and self.order >= limits.ordered

    @property
    def adaptive(self) -> bool:
        """True when an adaptive optimiser updates the first weight."""
        return self.rungs[0].adaptive

    @property
    def rows(self) -> int:
        """Fewest rows behind a rung."""
        return min(rung.rows for rung in self.rungs)


@once
def gradient_profiles(vitals: Vitals, window: int, before: int | None = None) -> tuple[Profile, ...]:
    """The profile of each model over its last ``window`` recorded rows, where at least two layers have a gradient.

    With ``before``, only of rows of earlier steps: what comes after the first NaN says nothing.

    Only weights that feed a site are rungs: an embedding's gradient is small beside its weights in health, too.
    """
    models = dict.fromkeys(one.site.model for one in vitals.sites)
    profiles = [_rungs(vitals, model, window, before) for model in models]
    return tuple(Profile(rungs) for rungs in profiles if len(rungs) >= 2)


def _rungs(vitals: Vitals, model: str, window: int, before: int | None) -> tuple[Rung, ...]:
    rungs: dict[str, Rung] = {}
    for seen in sorted(vitals.sites, key=lambda one: one.site.order):
        layer = seen.site.layer
        weight = weight_of(vitals, layer)
        if seen.site.model != model or layer is None or layer in rungs or weight is None:
            continue
        rung = _rung(vitals, seen, weight, window, before)
        if np.isfinite(rung.gradient) and np.isfinite(rung.relative):
            rungs[layer] = rung
    return tuple(rungs.values())


def _rung(vitals: Vitals, seen: SiteVitals, weight: ParameterVitals, window: int, before: int | None) -> Rung:
    end = np.iinfo(np.int64).max if before is None else before
    gradients = finite(seen.history.gradient[seen.history.step < end])[-window:]
    known = weight.history.step < end
    return Rung(
        site=seen.site,
        weight=weight.parameter.name,
        gradient=median(gradients),
        relative=median(finite(relative_gradient(weight)[known])[-window:]),
        update=median(finite(weight.history.update[known])[-window:]),
        adaptive=is_adaptive(vitals, weight.optimiser),
        rows=len(gradients),
    )


def _ratio(part: float, whole: float) -> float:
    if not (np.isfinite(part) and np.isfinite(whole)):
        return float("nan")
    if whole <= 0.0:
        return 1.0 if part <= 0.0 else float("inf")
    return part / whole
