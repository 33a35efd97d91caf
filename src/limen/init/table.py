"""What ``init_`` did, as a value that prints as a table, and the way back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from limen.init.measure import widened

__all__ = ["Figures", "Initialisation", "Row", "spread"]


@dataclass(frozen=True)
class Figures:
    """What theory predicts of a layer's results.

    Attributes:
        variance: of them, in squared activation units.
        gradient: L2 norm of the gradient at them, for gradients of variance 1 at the outputs of the model.
    """

    variance: float
    gradient: float


@dataclass(frozen=True)
class Row:
    """One weight.

    Attributes:
        name: dotted path of the parameter.
        function: the functions before and after the layer, ``tanh → relu``; ``linear`` for none.
        fan_in: inputs summed for one unit; None for weights that are not summed over.
        old_std: root of the mean square of the entries before, as a spread around 0.
        new_std: the same now.
        rule: what decided: ``variance``, ``critical``, ``half-stable``, ``residual``, ``output``, ``gates``, ``left`` …
        variance: wanted of the layer's results, in squared activation units; None where nothing is.
        remark: anything a reader should know; empty otherwise.
        before: what was to be expected of the layer with the old weights; None without a prediction.
        now: the same with the new weights.
    """

    name: str
    function: str
    fan_in: int | None
    old_std: float
    new_std: float
    rule: str
    variance: float | None
    remark: str
    before: Figures | None = None
    now: Figures | None = None


@dataclass(frozen=True, eq=False)
class Initialisation:
    """The result of ``init_``.

    Attributes:
        mode: what was asked for.
        rows: one for each weight, in the order of first use; then parameters that were left alone.
        notes: what holds for the whole model.
    """

    mode: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    _saved: Sequence[tuple[Tensor, Tensor]] = field(repr=False)

    def undo(self) -> None:
        """Put every parameter back to what it was before, bit for bit. The old values are held until then."""
        with torch.no_grad():
            for parameter, before in self._saved:
                parameter.copy_(before)

    def __str__(self) -> str:
        lines = [HEADS, *(cells(row) for row in self.rows)]
        widths = [max(len(line[place]) for line in lines) for place in range(len(HEADS))]
        if not any(row.now for row in self.rows):
            widths[7] = widths[8] = 0
        right = {2, 3, 4, 6, 7, 8}
        text = [
            "  ".join(
                cell.rjust(width) if place in right else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
                if width
            ).rstrip()
            for line in lines
        ]
        return "\n".join([text[0], "-" * max(map(len, text)), *text[1:], *(f"* {note}" for note in self.notes)])


HEADS = ("weight", "functions", "fan in", "old std", "new std", "rule", "wanted", "variance", "gradient", "remark")


def cells(row: Row) -> tuple[str, ...]:
    """A row as text."""
    return (
        row.name,
        row.function,
        "" if row.fan_in is None else str(row.fan_in),
        number(row.old_std),
        number(row.new_std) if row.rule != "left" else "as before",
        row.rule,
        "" if row.variance is None else number(row.variance),
        *changes(row),
        row.remark,
    )


def changes(row: Row) -> tuple[str, str]:
    """Variance and gradient, before and now."""
    if row.before is None or row.now is None:
        return "", ""
    pairs = (row.before.variance, row.now.variance), (row.before.gradient, row.now.gradient)
    variance, gradient = ("" if math.isnan(old + new) else f"{old:.2g} → {new:.2g}" for old, new in pairs)
    return variance, gradient


def number(value: float) -> str:
    """Four digits."""
    return "nan" if math.isnan(value) else f"{value:.4g}"


def spread(tensors: Iterable[Tensor]) -> float:
    """Root mean square of the entries of tensors; NaN for none."""
    squares, count = 0.0, 0
    for tensor in tensors:
        if tensor.is_floating_point() and not tensor.is_meta:
            squares += float(widened(tensor).square().sum())
            count += tensor.numel()
    return math.sqrt(squares / count) if count else math.nan
