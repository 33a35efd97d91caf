"""The shortest way to read tensors of one form into the account of a site: all that can be known before is known."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from limen.kernels.account import Account, too_many
from limen.kernels.compiled_account import SCRATCH, CompiledAccount
from limen.kernels.compiled_pass import TYPES, CompiledPass, Plan, dense, has_memory

__all__ = ["Reading", "reading_of"]


class Reading:
    """Reads tensors of the same shape, strides and type as one that the account has read."""

    def __init__(self, account: CompiledAccount, kernels: CompiledPass, plan: Plan, z: Tensor) -> None:
        self._shape, self._strides, self._type = z.shape, z.stride(), z.dtype
        self._kernels, self._plan, self._account = kernels, plan, account
        self._add: Any = kernels.library.add
        self._add_gradient: Any = kernels.library.add_gradient
        self._into, self._layout, self._units = account.address, plan.address, account.rules.units
        self._is_dense = dense(z)
        self._entries, self._kind = z.numel(), TYPES[z.dtype]

    def fits(self, z: Tensor) -> bool:
        """Whether a tensor is of this form, and its numbers lie in memory as they are."""
        return (
            type(z) is Tensor
            and z.is_cpu
            and z.dtype is self._type
            and z.shape == self._shape
            and z.layout is torch.strided
            and z.stride() == self._strides
            and not z.is_neg()
            and has_memory(z)
        )

    def add(self, z: Tensor) -> None:
        """Read a tensor that fits, as one call of the site within the current step."""
        room = SCRATCH.room_for(self._units)
        if self._add(self._into, self._layout, z.data_ptr(), self._kernels.threads(self._plan), room):
            raise too_many()

    def add_gradient(self, z: Tensor | None) -> bool:
        """Enter the norm of the loss gradient at the input of one call.

        Returns whether that was done: not for a tensor that does not fit, or cannot be read in one go.
        """
        if z is None or not (self._is_dense and self.fits(z)):
            return False
        threads = self._kernels.threads(self._plan)
        return not self._add_gradient(self._into, self._entries, self._kind, z.data_ptr(), threads)


def reading_of(account: Account | CompiledAccount, z: Tensor, axis: int) -> Reading | None:
    """A reading of tensors like ``z``, which the account has read; None where the library needs a copy of them."""
    if not isinstance(account, CompiledAccount) or type(z) is not Tensor or z.layout is not torch.strided:
        return None
    plan, read = account.kernels.plan_for(z, axis)
    reading = None if plan is None or read is not z else Reading(account, account.kernels, plan, z)
    return reading if reading is not None and reading.fits(z) else None
