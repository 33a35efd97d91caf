"""The account of one site, kept by the compiled library: one call to read a tensor, one to close a step."""

from __future__ import annotations

import ctypes
import math
import threading
from array import array
from collections.abc import Sequence
from ctypes import Structure, c_double, c_int64, c_void_p
from typing import Any

import numpy as np
from torch import Tensor

from limen.kernels import torch_pass
from limen.kernels.account import Row, too_many, wrong_units
from limen.kernels.compiled_pass import CompiledPass, address_of
from limen.kernels.compiled_tally import CompiledKept, CompiledTally, KeptFields, TallyFields, WholeFields
from limen.kernels.rules import Rules
from limen.kernels.silence import Silence, SilenceFields
from limen.kernels.torch_pass import Integers, Sums
from limen.lasting import Memory

__all__ = ["ROWS", "SCRATCH", "CompiledAccount"]

lasts, fulls = Memory(), Memory()  # counts of either become wider at about the same step everywhere, and go together
ROWS = 7  # of numbers that a reading needs for each unit, and nobody after it
WRONG_UNITS = 1


class AccountFields(Structure):
    """``struct account`` of ``pass.c``."""

    step: TallyFields
    window: TallyFields
    whole: WholeFields
    silence: SilenceFields
    pooled: WholeFields
    windows: int
    last: KeptFields
    full: KeptFields
    wanted: Sequence[int]
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
        ("whole", WholeFields),
        ("gradients", c_int64),
        ("gradient", c_double),
        ("silence", SilenceFields),
        ("pooled", WholeFields),
        ("windows", c_int64),
        ("last", KeptFields),
        ("full", KeptFields),
        ("wanted", c_int64 * 4),
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
        self._roll: Any = library.roll
        self._panel = np.arange(rules.units) if rules.panel is None else np.ascontiguousarray(rules.panel, np.int64)
        self._fields = fields = AccountFields(
            units=rules.units,
            left=math.nan if rules.left is None else rules.left,  # nothing compares with NaN
            right=math.nan if rules.right is None else rules.right,
            dead=rules.dead_left,
            bounded=rules.bounded,
            saturated=rules.saturated,
            panel_size=len(self._panel),
        )
        self.address = ctypes.addressof(fields)
        self._own = array("Q", [self.address])
        self._step = CompiledTally(rules, fields.step, fields.whole)
        self.window = CompiledTally(rules, fields.window, fields.pooled)
        self._last: CompiledKept | None = None
        self._full: CompiledKept | None = None
        self.silence = Silence(rules.units, rules.dead_samples, rules.dead_steps, fields=fields.silence)
        fields.panel = address_of(self._panel)

    @property
    def last(self) -> CompiledKept | None:
        """As of ``Account``; overwritten when the next window is full."""
        return self._last if self._fields.windows else None

    @property
    def full(self) -> CompiledKept | None:
        """As of ``Account``; overwritten when the next window is full."""
        return self._full if self._fields.windows > 1 else None

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

    def roll(self) -> None:
        """As ``Account.roll``."""
        while self._roll(self.address):
            fields, wanted = self._fields, self._fields.wanted
            self._last = self._last or CompiledKept(self.rules, fields.last, lasts)
            self._last.widen(wanted[0], wanted[1])
            if fields.windows:
                self._full = self._full or CompiledKept(self.rules, fields.full, fulls)
                self._full.widen(wanted[2], wanted[3])
