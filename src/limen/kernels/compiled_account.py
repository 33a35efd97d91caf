"""The account of one site, kept by the compiled library: one call to read a tensor, one to close a step."""

from __future__ import annotations

import ctypes
import math
from array import array
from ctypes import Structure, c_double, c_int64, c_void_p
from typing import Any

import numpy as np
from torch import Tensor

from limen.kernels import torch_pass
from limen.kernels.account import Row, Rules, wrong_units
from limen.kernels.compiled_pass import CompiledPass, address_of
from limen.kernels.torch_pass import Floats, Integers, Sums

__all__ = ["CompiledAccount"]


class TallyFields(Structure):
    """``struct tally`` of ``pass.c``."""

    samples: int
    nonfinite: int
    _fields_ = [("samples", c_int64), ("nonfinite", c_int64)] + [
        (name, c_void_p) for name in ("left", "right", "mean", "m2", "low", "high")
    ]


class AccountFields(Structure):
    """``struct account`` of ``pass.c``."""

    step: TallyFields
    window: TallyFields
    _fields_ = [
        *((name, c_int64) for name in ("units",)),
        *((name, c_double) for name in ("left", "right")),
        *((name, c_int64) for name in ("dead", "bounded", "dead_samples", "dead_steps")),
        *((name, c_double) for name in ("saturated",)),
        *((name, TallyFields) for name in ("part", "step", "window")),
        *((name, c_void_p) for name in ("total", "squares", "shift", "last_active", "silent_steps", "silent_samples")),
    ]


class CompiledTally:
    """A tally in memory that the library writes."""

    def __init__(self, units: int, fields: TallyFields) -> None:
        self._fields = fields
        self.left: Integers = np.zeros(units, np.int64)
        self.right: Integers = np.zeros(units, np.int64)
        self.mean: Floats = np.zeros(units)
        self.m2: Floats = np.zeros(units)
        self.low: Floats = np.full(units, math.inf)
        self.high: Floats = np.full(units, -math.inf)
        for name in ("left", "right", "mean", "m2", "low", "high"):
            setattr(fields, name, address_of(getattr(self, name)))

    @property
    def samples(self) -> int:
        """Of each unit."""
        return self._fields.samples

    @property
    def nonfinite(self) -> int:
        """Numbers that are NaN or infinite."""
        return self._fields.nonfinite

    def clear(self) -> None:
        """Forget all samples."""
        self._fields.samples = self._fields.nonfinite = 0
        for sums in (self.left, self.right, self.mean, self.m2):
            sums.fill(0)
        self.low.fill(math.inf)
        self.high.fill(-math.inf)


class CompiledAccount:
    """As ``Account``."""

    def __init__(self, rules: Rules, kernels: CompiledPass) -> None:
        self.rules = rules
        self._kernels = kernels
        library = kernels.library
        self._add: Any = library.add
        self._commit: Any = library.commit
        units = rules.units
        self._fields = fields = AccountFields(
            units=units,
            left=math.nan if rules.left is None else rules.left,  # nothing compares with NaN
            right=math.nan if rules.right is None else rules.right,
            dead=rules.dead_left,
            bounded=rules.bounded,
            dead_samples=rules.dead_samples,
            dead_steps=rules.dead_steps,
            saturated=rules.saturated,
        )
        self._address = ctypes.addressof(fields)
        self._row = array("d", bytes(8 * len(Row._fields)))
        self._row_address = self._row.buffer_info()[0]
        self._memory = [CompiledTally(units, fields.part), CompiledTally(units, fields.step)]
        self.window = CompiledTally(units, fields.window)
        self._sums = np.zeros((3, units))
        self.last_active, self.silent_steps, self.silent_samples = silence = np.zeros((3, units), np.int64)
        for name, row in zip(("total", "squares", "shift"), self._sums, strict=True):
            setattr(fields, name, address_of(row))
        for name, row in zip(("last_active", "silent_steps", "silent_samples"), silence, strict=True):
            setattr(fields, name, address_of(row))

    def add(self, z: Tensor, axis: int) -> None:
        """As ``Account.add``."""
        plan, z = self._kernels.plan_for(z, axis)
        if plan is not None:
            if not self._add(self._address, plan.address, z.data_ptr(), self._kernels.threads(plan)):
                raise wrong_units(z, axis, self.rules)
            return
        sums = torch_pass.measure(z, axis, self.rules.left, self.rules.right)
        if len(sums.left) != self.rules.units:
            raise wrong_units(z, axis, self.rules)
        self.add_sums(sums)

    def add_sums(self, sums: Sums) -> None:
        """As ``Account.add_sums``."""
        if sums.samples:
            rows = (sums.total, sums.squares, sums.shift, sums.low, sums.high)
            memory = np.stack([sums.left.view(np.float64), sums.right.view(np.float64), *rows])
            self._kernels.library.add_sums(self._address, sums.samples, sums.nonfinite, address_of(memory))

    def commit(self, number: int) -> Row | None:
        """As ``Account.commit``."""
        if not self._commit(self._address, number, self._row_address):
            return None
        samples, inactive, dead, saturated, mean, std, low, high, nonfinite = self._row
        return Row(int(samples), inactive, int(dead), int(saturated), mean, std, low, high, int(nonfinite))
