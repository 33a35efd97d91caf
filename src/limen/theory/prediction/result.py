"""What a prediction is: one value for each site and each weight, and the numbers of the whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from limen.theory.prediction.table import as_text

__all__ = ["MapFigures", "MapPrediction", "Prediction", "SiteFigures", "SitePrediction", "Source"]

Source = Literal["theory", "measured", "unknown"]
"""Where a prediction is from: the theory alone; some operation before it read from the recorded pass, because there is
no rule for it; or neither, on the meta device."""


@dataclass(frozen=True)
class SiteFigures:
    """One site, predicted or measured.

    Attributes:
        mean: of the pre-activation, over samples, positions and units.
        variance: likewise, around that mean: between units and between samples together.
        active: share of it where the function is not flat (``|f'|`` at least 1 % of the steepest).
        gradient: L2 norm of the gradient at the pre-activation, of the whole batch. Nan where none comes.
    """

    mean: float
    variance: float
    active: float
    gradient: float


@dataclass(frozen=True)
class SitePrediction(SiteFigures):
    """One application of an activation function: the predicted figures, with the measured ones beside them.

    Attributes:
        name: unique in the model: the module's path, or ``block.relu#2`` for its second functional call.
        path: dotted path of the module that owns the call.
        function: name of the activation in the catalogue.
        order: of the operation in the pass, from 0; that of ``maps`` counts alike.
        units: number of units of the pre-activation.
        source: whether the theory alone made it.
        measured: the same figures from one pass forward and back; None without one.
    """

    name: str
    path: str
    function: str
    order: int
    units: int
    source: Source = "theory"
    measured: SiteFigures | None = None


@dataclass(frozen=True)
class MapFigures:
    """One weight at its data, predicted or measured.

    Attributes:
        mean: of the output, over samples, positions and units.
        variance: likewise, around that mean.
        gradient: L2 norm of the gradient at the output, of the whole batch. Nan where none comes.
        weight_gradient: L2 norm of the weight's gradient by this use of it. What is measured is of all its uses.
    """

    mean: float
    variance: float
    gradient: float
    weight_gradient: float


@dataclass(frozen=True)
class MapPrediction(MapFigures):
    """One linear map: a layer's weight, or a bare parameter that data is multiplied by.

    Attributes:
        weight: dotted path of the parameter.
        path: dotted path of the module that applies it.
        order: of the operation in the pass, from 0.
        fan_in: inputs that are summed for one unit.
        fan_out: results that one input is summed into.
        weight_mean: mean of its entries.
        weight_std: their standard deviation.
        bias_mean: mean of the bias; 0 without one.
        bias_std: its standard deviation; 0 without one.
        source: whether the theory alone made it.
        measured: the same figures from one pass forward and back; None without one.
    """

    weight: str
    path: str
    order: int
    fan_in: int
    fan_out: int
    weight_mean: float
    weight_std: float
    bias_mean: float
    bias_std: float
    source: Source = "theory"
    measured: MapFigures | None = None


@dataclass(frozen=True)
class Prediction:
    """What theory says of a model before it runs, site by site and weight by weight.

    Attributes:
        sites: in forward order.
        maps: in forward order.
        samples: size of the batch.
        unruled: operations without a rule, by name and place, whose effect was read from the recorded pass.
        reason: why nothing was measured; None where it was.
    """

    sites: tuple[SitePrediction, ...]
    maps: tuple[MapPrediction, ...]
    samples: int
    unruled: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def forward_factor(self) -> float:
        """By what the variance of the pre-activation is multiplied from one site to the next, on the geometric mean.

        Nan for fewer than two sites.
        """
        return factor([site.variance for site in self.sites])

    @property
    def backward_factor(self) -> float:
        """By what the norm of the gradient is multiplied from one site to the one before it, likewise."""
        return factor([site.gradient for site in reversed(self.sites)])

    @property
    def gradient_ratio(self) -> float:
        """Norm of the gradient at the first site over that at the last."""
        if not self.sites or not self.sites[-1].gradient > 0:
            return math.nan
        return self.sites[0].gradient / self.sites[-1].gradient

    def table(self) -> str:
        """The sites as text, measured figures beside the predicted ones."""
        return as_text(self.sites, self.unruled, self.reason)

    def __str__(self) -> str:
        return self.table()


def factor(numbers: Sequence[float]) -> float:
    """Geometric mean of the ratios of neighbours."""
    if len(numbers) < 2 or not numbers[0] > 0:
        return math.nan
    return float((numbers[-1] / numbers[0]) ** (1 / (len(numbers) - 1)))
