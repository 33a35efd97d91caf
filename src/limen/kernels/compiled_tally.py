"""Sums over the samples of a step and over windows of steps, in memory that the compiled library writes."""

from __future__ import annotations

import math
from ctypes import Structure, c_double, c_int64, c_void_p

import numpy as np

from limen.kernels.rules import Rules
from limen.kernels.silence import account_memory
from limen.kernels.tally import Counts, forget, no_counts
from limen.kernels.torch_pass import Floats, Integers
from limen.lasting import LastingArray, Memory

__all__ = ["CompiledKept", "CompiledTally", "KeptFields", "TallyFields", "WholeFields"]


class TallyFields(Structure):
    """``struct tally`` of ``pass.c``."""

    steps: int
    samples: int
    nonfinite: int
    left: int
    right: int | None
    mean: int
    m2: int
    low: int
    high: int
    _fields_ = [("steps", c_int64), ("samples", c_int64), ("nonfinite", c_int64)] + [
        (name, c_void_p) for name in ("left", "right", "mean", "m2", "low", "high")
    ]


class WholeFields(Structure):
    """``struct whole`` of ``pass.c``."""

    flat: int
    mean: float
    m2: float
    low: float
    high: float
    _fields_ = [("flat", c_int64)] + [(name, c_double) for name in ("mean", "m2", "low", "high")]


class NarrowFields(Structure):
    """``struct narrow`` of ``pass.c``."""

    least: int
    width: int
    above: int | None
    _fields_ = [("least", c_int64), ("width", c_int64), ("above", c_void_p)]


class KeptFields(Structure):
    """``struct kept`` of ``pass.c``."""

    sums: TallyFields
    whole: WholeFields
    left: NarrowFields
    right: NarrowFields
    _fields_ = [("sums", TallyFields), ("whole", WholeFields), ("left", NarrowFields), ("right", NarrowFields)]


class CompiledSums:
    """What a tally and what is kept of full windows have in common, in memory that the library writes."""

    def __init__(self, rules: Rules, fields: TallyFields, whole: WholeFields) -> None:
        self.whole = whole
        self._sums = fields
        self._panel = open_panel(rules, fields)

    @property
    def samples(self) -> int:
        """Of each unit."""
        return self._sums.samples

    @property
    def nonfinite(self) -> int:
        """Numbers that are NaN or infinite."""
        return self._sums.nonfinite

    @property
    def mean(self) -> Floats:
        """As of ``Tally``."""
        return rows_of(self._panel)[0]

    @property
    def m2(self) -> Floats:
        """As of ``Tally``."""
        return rows_of(self._panel)[1]

    @property
    def low(self) -> Floats:
        """As of ``Tally``."""
        return rows_of(self._panel)[2]

    @property
    def high(self) -> Floats:
        """As of ``Tally``."""
        return rows_of(self._panel)[3]


class CompiledTally(CompiledSums):
    """As ``Tally``, in memory that the library writes."""

    def __init__(self, rules: Rules, fields: TallyFields, whole: WholeFields) -> None:
        super().__init__(rules, fields, whole)
        self._units = rules.units
        self._left = account_memory.zeros(rules.units, np.uint32)
        self._right = None if rules.right is None else account_memory.zeros(rules.units, np.uint32)
        fields.left, fields.right = self._left.address, None if self._right is None else self._right.address
        self.clear()

    @property
    def left(self) -> Counts:
        """As of ``Tally``."""
        return self._left.open()

    @property
    def right(self) -> Counts:
        """As of ``Tally``."""
        return no_counts(self._units) if self._right is None else self._right.open()

    def clear(self) -> None:
        """Forget all samples."""
        self._sums.steps = self._sums.samples = self._sums.nonfinite = 0
        whole = self.whole
        whole.flat, whole.mean, whole.m2, whole.low, whole.high = 0, 0.0, 0.0, math.inf, -math.inf
        forget(self)


class CompiledKept(CompiledSums):
    """As ``Kept``, in memory that the library writes."""

    def __init__(self, rules: Rules, fields: KeptFields, memory: Memory) -> None:
        super().__init__(rules, fields.sums, fields.whole)
        self._left = NarrowCounts(rules.units, fields.left, memory)
        self._right = NarrowCounts(rules.units, fields.right, memory)

    @property
    def left(self) -> Integers:
        """As of ``Tally``."""
        return self._left.numbers()

    @property
    def right(self) -> Integers:
        """As of ``Tally``."""
        return self._right.numbers()

    def widen(self, left: int, right: int) -> None:
        """Make room for so many bytes a unit."""
        self._left.widen(left)
        self._right.widen(right)


class NarrowCounts:
    """Counts of units, in as few bytes each as hold how far they are above the least."""

    def __init__(self, units: int, fields: NarrowFields, memory: Memory) -> None:
        self._units = units
        self._fields = fields
        self._memory = memory
        self._above: LastingArray | None = None  # none where all are equal

    def numbers(self) -> Integers:
        """``[units]``, a new array."""
        if self._above is None:
            return np.full(self._units, self._fields.least, np.int64)
        return self._above.open().astype(np.int64) + self._fields.least

    def widen(self, width: int) -> None:
        """Go on with the same counts where there is room for so many bytes each."""
        if width <= self._fields.width:
            return
        wide = self._memory.zeros(self._units, f"u{width}")
        if self._above is not None:
            wide.open()[:] = self._above.open()
        self._above = wide
        self._fields.above, self._fields.width = wide.address, width


def open_panel(rules: Rules, fields: TallyFields) -> LastingArray:
    """``[4 · panel]``, memory for the mean, the squares and the extremes of the units in the panel."""
    panel, row = account_memory.zeros(4 * rules.panel_size, np.float64), 8 * rules.panel_size
    fields.mean, fields.m2, fields.low, fields.high = (panel.address + i * row for i in range(4))
    return panel


def rows_of(panel: LastingArray) -> Floats:
    """``[4, panel]``, to be written to."""
    return panel.open().reshape(4, -1)
