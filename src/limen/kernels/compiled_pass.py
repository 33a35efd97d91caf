"""The same readings as ``torch_pass``, by the compiled library; what it cannot read is left to torch."""

from __future__ import annotations

import ctypes
import math
from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from limen.kernels import torch_norms, torch_pass
from limen.kernels.layout import Layout
from limen.kernels.library import Library
from limen.kernels.loading import team_size
from limen.kernels.torch_pass import Integers, Sums

__all__ = ["CompiledPass"]

TYPES = {torch.float32: 0, torch.float64: 1, torch.bfloat16: 2, torch.float16: 3}
PLAIN = (Tensor, nn.Parameter)
WORTH_SHARING = 1 << 15  # entries from which torch, too, shares its work among threads
MOST_PLANS = 4096  # layouts remembered; more than any model has that does not change its shapes all the time
NO_SIDE = math.nan  # nothing compares with it


class Plan:
    """All that depends on shape, strides and type only."""

    __slots__ = ("address", "doubles", "is_large", "layout", "samples")

    def __init__(self, layout: Layout, kind: torch.dtype) -> None:
        self.layout = array("q", (TYPES[kind], *layout))
        self.address = self.layout.buffer_info()[0]
        self.samples = layout.samples
        self.is_large = layout.units * layout.samples > WORTH_SHARING
        self.doubles = (7, layout.units)


class CompiledPass:
    """``measure``, ``histogram`` and ``norms`` with the library."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._call: Any = library.measure
        self._plans: dict[tuple[Any, ...], Plan] = {}

    def measure(self, z: Tensor, axis: int, left: float | None, right: float | None) -> Sums:
        """As ``torch_pass.measure``."""
        plan, z = self.plan_for(z, axis)
        if plan is None:
            return torch_pass.measure(z, axis, left, right)
        memory = np.empty(plan.doubles)
        nonfinite = self._call(
            plan.address,
            z.data_ptr(),
            NO_SIDE if left is None else left,
            NO_SIDE if right is None else right,
            self.threads(plan),
            address_of(memory),
        )
        left_count, right_count = memory[:2].view(np.int64)
        total, squares, shift, low, high = memory[2:]
        return Sums(plan.samples, left_count, right_count, total, squares, shift, low, high, nonfinite)

    def histogram(self, z: Tensor) -> Integers:
        """As ``torch_pass.histogram``."""
        plan, z = self.plan_for(z, -1)
        if plan is None:
            return torch_pass.histogram(z)
        cells = np.empty(1024, np.int64)
        self.library.histogram(plan.address, z.data_ptr(), address_of(cells))
        return cells

    def norms(self, tensors: Sequence[Tensor]) -> list[float]:
        """As ``torch_norms.norms``."""
        if not all(readable(tensor) and dense(tensor) for tensor in tensors):
            return torch_norms.norms(tensors)
        pointers = array("q", [tensor.data_ptr() for tensor in tensors])
        entries = array("q", [tensor.numel() for tensor in tensors])
        kinds = array("q", [TYPES[tensor.dtype] for tensor in tensors])
        found = array("d", bytes(8 * len(tensors)))
        addresses = (numbers.buffer_info()[0] for numbers in (pointers, entries, kinds))
        threads = self._team() if sum(entries) > WORTH_SHARING else 1
        if self.library.norms(len(tensors), *addresses, threads, found.buffer_info()[0]):
            return torch_norms.norms(tensors)
        return found.tolist()

    def norm(self, tensor: Tensor) -> float:
        """The norm of one tensor, sooner than ``norms`` of a list has begun."""
        if not (readable(tensor) and dense(tensor)):
            return torch_norms.norms([tensor])[0]
        entries = tensor.numel()
        given = array("q", (tensor.data_ptr(), entries, TYPES[tensor.dtype]))
        found = array("d", (0.0,))
        at = given.buffer_info()[0]
        threads = self._team() if entries > WORTH_SHARING else 1
        if self.library.norms(1, at, at + 8, at + 16, threads, found.buffer_info()[0]):
            return torch_norms.norms([tensor])[0]
        return found[0]

    def plan_for(self, z: Tensor, axis: int) -> tuple[Plan | None, Tensor]:
        """How to read a tensor, or a copy of it where that is needed; None for what the library cannot read."""
        if not readable(z):
            return None, z
        key = (z.dtype, axis, z.shape, z.stride())
        plan = self._plans.get(key)
        if plan is not None:
            return plan, z
        if z.numel() == 0:
            return None, z
        if z.ndim == 0:
            return self.plan_for(z.detach().reshape(1), 0)
        layout = Layout.of(z.shape, z.stride(), axis)
        if layout is None:
            return self.plan_for(z.detach().contiguous(), axis)
        if len(self._plans) >= MOST_PLANS:
            self._plans.clear()
        plan = self._plans[key] = Plan(layout, z.dtype)
        return plan, z

    def threads(self, plan: Plan) -> int:
        """How many of torch's threads are to share the work."""
        return self._team() if plan.is_large else 1

    def _team(self) -> int:
        return team_size(self.library.has_team)


def readable(z: Tensor) -> bool:
    """Whether the memory of a tensor can be read from here, and holds its numbers as they are."""
    return (
        type(z) in PLAIN
        and z.is_cpu
        and z.dtype in TYPES
        and z.layout is torch.strided
        and not z.is_neg()
        and has_memory(z)
    )


def address_of(memory: Any) -> int:
    """Where an array lies; ``memory.ctypes.data`` takes five times as long."""
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def has_memory(z: Tensor) -> bool:
    """Not those of ``torch.func`` nor the fake zeros of forward differentiation."""
    try:
        return z.data_ptr() != 0 or z.numel() == 0
    except RuntimeError:
        return False


def dense(tensor: Tensor) -> bool:
    """Whether the entries lie one after the other, in whatever order."""
    return tensor.is_contiguous() or (tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last))
