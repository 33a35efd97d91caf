"""The account of one site, kept by the compiled library: one call to read a tensor, one to close a step."""

from __future__ import annotations

import ctypes
import math
import threading
from array import array
from ctypes import Structure, c_double, c_int64, c_void_p
from typing import Any

import numpy as np
from torch import Tensor

from limen.kernels import torch_pass
from limen.kernels.account import Counts, Row, Rules, forget, no_counts, too_many, wrong_units
from limen.kernels.compiled_pass import CompiledPass, address_of
from limen.kernels.silence import Silence, SilenceFields, account_memory
from limen.kernels.torch_pass import Floats, Integers, Sums

__all__ = ["ROWS", "SCRATCH", "CompiledAccount"]

ROWS = 7  # of numbers that a reading needs for each unit, and nobody after it
WRONG_UNITS = 1


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


class AccountFields(Structure):
    """``struct account`` of ``pass.c``."""

    step: TallyFields
    window: TallyFields
    silence: SilenceFields
    _fields_ = [
        ("units", c_int64),
        ("left", c_double),
        ("right", c_double),
        ("dead", c_int64),
        ("bounded", c_int64),
        ("saturated", c_double),
        ("panel_size", c_int64),
        ("panel", c_void_p),
        ("step", TallyFields),
        ("window", TallyFields),
        ("flat", c_int64),
        ("mean", c_double),
        ("m2", c_double),
        ("low", c_double),
        ("high", c_double),
        ("gradients", c_int64),
        ("gradient", c_double),
        ("silence", SilenceFields),
    ]


class Scratch(threading.local):
    """Memory for one reading at a time, one for each thread: the library lets others run meanwhile."""

    def __init__(self) -> None:
        self._memory = np.empty(0)
        self.address = 0

    def room_for(self, units: int) -> int:
        """Where there is room."""
        if len(self._memory) < ROWS * units:
            self._memory = np.empty(ROWS * units)
            self.address = address_of(self._memory)
        return self.address


SCRATCH = Scratch()


class CompiledTally:
    """As ``Tally``, in memory that the library writes."""

    def __init__(self, rules: Rules, fields: TallyFields) -> None:
        self._fields = fields
        self._units = rules.units
        self._left = account_memory.zeros(rules.units, np.uint32)
        self._right = None if rules.right is None else account_memory.zeros(rules.units, np.uint32)
        self._panel = account_memory.zeros(4 * rules.panel_size, np.float64)
        fields.left, fields.right = self._left.address, None if self._right is None else self._right.address
        row = 8 * rules.panel_size
        fields.mean, fields.m2, fields.low, fields.high = (self._panel.address + i * row for i in range(4))
        self.clear()

    @property
    def left(self) -> Counts:
        """As of ``Tally``."""
        return self._left.open()

    @property
    def right(self) -> Counts:
        """As of ``Tally``."""
        return no_counts(self._units) if self._right is None else self._right.open()

    @property
    def mean(self) -> Floats:
        """As of ``Tally``."""
        return self._rows[0]

    @property
    def m2(self) -> Floats:
        """As of ``Tally``."""
        return self._rows[1]

    @property
    def low(self) -> Floats:
        """As of ``Tally``."""
        return self._rows[2]

    @property
    def high(self) -> Floats:
        """As of ``Tally``."""
        return self._rows[3]

    @property
    def _rows(self) -> Floats:
        """``[4, panel]``."""
        return self._panel.open().reshape(4, -1)

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
        self._fields.steps = self._fields.samples = self._fields.nonfinite = 0
        forget(self)


class CompiledAccount:
    """As ``Account``.

    Attributes:
        kernels: what reads for it.
        address: of the ``struct account`` that the library keeps it in.
    """

    def __init__(self, rules: Rules, kernels: CompiledPass) -> None:
        self.rules = rules
        self.kernels = kernels
        library = kernels.library
        self._add: Any = library.add
        self._add_norm: Any = library.add_norm
        self._commit: Any = library.commit
        self._panel = np.arange(rules.units) if rules.panel is None else np.ascontiguousarray(rules.panel, np.int64)
        self._fields = fields = AccountFields(
            units=rules.units,
            left=math.nan if rules.left is None else rules.left,  # nothing compares with NaN
            right=math.nan if rules.right is None else rules.right,
            dead=rules.dead_left,
            bounded=rules.bounded,
            saturated=rules.saturated,
            panel_size=len(self._panel),
            low=math.inf,
            high=-math.inf,
        )
        self.address = ctypes.addressof(fields)
        self._own = array("Q", [self.address])
        self._step, self.window = CompiledTally(rules, fields.step), CompiledTally(rules, fields.window)
        self.silence = Silence(rules.units, rules.dead_samples, rules.dead_steps, fields=fields.silence)
        fields.panel = address_of(self._panel)

    @property
    def last_active(self) -> Integers:
        """As of ``Account``."""
        return self.silence.last_active

    @property
    def silent_steps(self) -> Integers:
        """As of ``Account``."""
        return self.silence.steps

    @property
    def silent_samples(self) -> Integers:
        """As of ``Account``."""
        return self.silence.samples

    def add(self, z: Tensor, axis: int) -> None:
        """As ``Account.add``."""
        plan, z = self.kernels.plan_for(z, axis)
        if plan is not None:
            room = SCRATCH.room_for(self.rules.units)
            if refused := self._add(self.address, plan.address, z.data_ptr(), self.kernels.threads(plan), room):
                raise wrong_units(z, axis, self.rules) if refused == WRONG_UNITS else too_many()
            return
        sums = torch_pass.measure(z, axis, self.rules.left, self.rules.right)
        if len(sums.left) != self.rules.units:
            raise wrong_units(z, axis, self.rules)
        self.add_sums(sums)

    def add_sums(self, sums: Sums) -> None:
        """As ``Account.add_sums``."""
        if sums.samples:
            memory = np.empty((ROWS, self.rules.units))
            counts = (sums.left.view(np.float64), sums.right.view(np.float64))
            memory[:] = *counts, sums.total, sums.squares, sums.shift, sums.low, sums.high
            if self.kernels.library.add_sums(self.address, sums.samples, sums.nonfinite, address_of(memory)):
                raise too_many()

    def add_gradient(self, norm: float) -> None:
        """As ``Account.add_gradient``."""
        self._add_norm(self.address, norm)

    def commit(self, number: int) -> Row | None:
        """As ``Account.commit``."""
        self.silence.tidy()
        found = array("d", bytes(8 * len(Row._fields)))
        self._commit(1, self._own.buffer_info()[0], number, found.buffer_info()[0])
        samples, inactive, dead, saturated, mean, std, low, high, gradient, nonfinite = found
        if not samples:
            return None
        whole = int(samples), inactive, int(dead), int(saturated)
        return Row(*whole, mean, std, low, high, gradient, int(nonfinite))
