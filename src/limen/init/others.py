"""Parameters that are not summed over: embeddings, and scale and shift of normalisations."""

from __future__ import annotations

import math
from typing import Any

from limen.anatomy.tape import LinearMap, Operation, Value
from limen.init.choices import Choices
from limen.init.operations import above, normalises
from limen.init.settings import Setting

__all__ = ["affine_values", "embedding_setting"]


def embedding_setting(layer: LinearMap, choices: Choices, *, shown: bool) -> Setting:
    """Rows of variance 1, or of ``1 / width`` where embeddings of that width are output layers, too."""
    std = 1 / math.sqrt(layer.units) if shown else 1.0
    blank = layer.operation.argument("padding_idx")
    return Setting(
        layer.weight,
        "uniform" if choices.drawn == "uniform" else "normal",
        std,
        unit_axis=layer.unit_axis,
        input_axis=layer.input_axis,
        blank=blank if isinstance(blank, int) else None,
        function="embedding",
        fan=1,
        variance=std**2,
        rule="embedding",
        remark="1 / width, since an embedding of this width is an output layer too" if shown else "",
    )


def affine_values(operation: Operation) -> list[tuple[Value, float]]:
    """Scale 1 and shift 0 of a normalisation; of one written out, the scale that multiplies its result."""
    held: list[tuple[Any, float]] = []
    if operation.name == "mul":
        scales = [value for value in operation.inputs if value.source == "parameter" and len(value.shape) == 1]
        others = [value for value in operation.inputs if value.source == "operation"]
        if others and (last := list(above(others[0]))) and normalises(last[-1]):
            held = [(scale, 1.0) for scale in scales]
    elif normalises(operation):
        held = [(operation.argument("weight"), 1.0), (operation.argument("bias"), 0.0)]
    return [(value, to) for value, to in held if isinstance(value, Value) and value.source == "parameter"]
