"""How the compiled pass walks through a tensor without copying it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Layout"]

Axis = tuple[int, int]
"""Length and stride, in entries."""


class Layout(NamedTuple):
    """Where the numbers of each unit lie; strides in entries.

    Units lie side by side in rows: then ``unit_stride`` and ``run`` are 1. Or each unit has runs of consecutive
    numbers. Rows and runs come in two nested loops.
    """

    units: int
    unit_stride: int
    outer: int
    outer_stride: int
    inner: int
    inner_stride: int
    run: int

    @property
    def samples(self) -> int:
        """Numbers of each unit."""
        return self.outer * self.inner * self.run

    @classmethod
    def of(cls, shape: Sequence[int], strides: Sequence[int], axis: int) -> Layout | None:
        """The walk through a tensor; None where it needs a copy first.

        >>> Layout.of((128, 512), (512, 1), -1)
        Layout(units=512, unit_stride=1, outer=1, outer_stride=0, inner=128, inner_stride=512, run=1)
        >>> Layout.of((8, 32, 5, 5), (800, 25, 5, 1), 1)
        Layout(units=32, unit_stride=25, outer=1, outer_stride=0, inner=8, inner_stride=800, run=25)
        """
        if math.prod(shape) == 0:
            return None
        unit = axis % len(shape)
        units, unit_stride = shape[unit], strides[unit]
        axes = joined([pair for place, pair in enumerate(zip(shape, strides, strict=True)) if place != unit])
        run = next((pair for pair in axes if pair[1] == 1), None)
        if units == 1:
            unit_stride = 1 if run is None else 0
        if unit_stride == 1:
            run = None
        elif run is None:
            return None
        else:
            axes.remove(run)
        if len(axes) > 2:
            return None
        inner = axes.pop() if axes else (1, 0)
        outer = axes.pop() if axes else (1, 0)
        return cls(units, unit_stride, *outer, *inner, 1 if run is None else run[0])


def joined(axes: Sequence[Axis]) -> list[Axis]:
    """The same entries by as few axes as possible, largest stride first."""
    found: list[Axis] = []
    for length, stride in sorted((pair for pair in axes if pair[0] != 1), key=lambda pair: -pair[1]):
        if found and found[-1][1] == length * stride:
            found[-1] = (found[-1][0] * length, stride)
        else:
            found.append((length, stride))
    return found
