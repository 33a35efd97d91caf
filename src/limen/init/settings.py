"""What one parameter is to become, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from limen.anatomy.tape import Value
from limen.init.choices import Distribution

__all__ = ["Setting", "Way"]

Way = Distribution | Literal["constant", "identity", "left"]


@dataclass(frozen=True, eq=False)
class Setting:
    """One parameter and its new values.

    Attributes:
        value: the parameter.
        way: how its values are drawn; ``left`` if it stays as it is.
        std: of the drawn values.
        constant: value of all others.
        unit_axis: axis of the units made.
        input_axis: axis of the units read.
        groups: groups of a convolution.
        blocks: matrices that lie one below the other along ``unit_axis``: gates, or query, key and value.
        tapped: whether the axes from 2 on are places of a kernel.
        centred: whether the entries of each unit sum to 0.
        blank: a row that is 0: the padding index of an embedding.
        special: entries along axis 0 with a value of their own: first, last, value.
        weights: whether it has a line of its own in the table.
        function: the functions before and after the layer.
        fan: inputs summed for one unit.
        variance: expected of the layer's results, in squared activation units; None where it is not known.
        rule: what decided.
        remark: anything a reader should know.
    """

    value: Value
    way: Way
    std: float = 0.0
    constant: float = 0.0
    unit_axis: int = 0
    input_axis: int = 1
    groups: int = 1
    blocks: int = 1
    tapped: bool = False
    centred: bool = False
    blank: int | None = None
    special: tuple[int, int, float] | None = None
    weights: bool = True
    function: str = ""
    fan: int | None = None
    variance: float | None = None
    rule: str = ""
    remark: str = ""
