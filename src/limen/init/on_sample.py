"""Layer-sequential unit variance: each layer's scale is set by what it makes of the sample."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from limen.anatomy.tape import Operation, Sample, linear_map_of, record
from limen.init.measure import widened
from limen.init.settings import Setting

__all__ = ["Fitted", "fit_to_sample"]

PASSES = 10


@dataclass(eq=False)
class Fitted:
    """How far each layer's variance was from what is wanted, as a ratio, in the last pass; by name of its weights."""

    passes: int = 0
    ratios: dict[str, float] = field(default_factory=dict)


def fit_to_sample(model: nn.Module, sample: Sample, settings: Mapping[str, Setting], tolerance: float) -> Fitted:
    """Scale weights, in the order of their first use, until each layer's results have the variance of its setting.

    A layer is scaled while the pass runs, together with its results, so that all that follow see what they will see:
    one pass does it for a model without noise. It is repeated until no layer is off by more than the tolerance, at
    most ten times. Biases are scaled with their weights.

    Source: Mishkin & Matas 2016, arXiv:1511.06422, there with a pass for each layer.
    """
    fitted = Fitted()
    while fitted.passes < PASSES:
        ratios: dict[str, float] = {}

        def see(operation: Operation, _given: tuple[Tensor, ...], made: tuple[Tensor, ...]) -> None:
            layer = linear_map_of(operation)
            if layer is None or layer.data is None or layer.weight.name in ratios:  # noqa: B023
                return
            setting = settings.get(layer.weight.name)
            if setting is None or setting.variance is None or layer.weight.leaf is None:
                return
            measured = float(widened(made[0]).var(correction=0))
            if not (math.isfinite(measured) and measured > 0 and setting.variance > 0):
                ratios[layer.weight.name] = math.nan  # noqa: B023
                return
            ratio = measured / setting.variance
            ratios[layer.weight.name] = ratio  # noqa: B023
            if abs(ratio - 1) > tolerance:
                factor = 1 / math.sqrt(ratio)
                made[0].data.mul_(factor)
                layer.weight.leaf.data.mul_(factor)
                if layer.bias is not None and layer.bias.leaf is not None and layer.bias.leaf.requires_grad:
                    layer.bias.leaf.data.mul_(factor)

        with torch.enable_grad():  # a forward pass may ask for gradients itself
            record(model, sample, see=see)
        fitted.passes += 1
        fitted.ratios = ratios
        if all(abs(ratio - 1) <= tolerance or math.isnan(ratio) for ratio in ratios.values()):
            break
    return fitted
