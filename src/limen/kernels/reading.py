"""The shortest way to read tensors of one form into the account of a site: all that can be known before is known."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import torch
from torch import Tensor

from limen.kernels.account import Account
from limen.kernels.compiled_account import ROWS, CompiledAccount
from limen.kernels.compiled_pass import TYPES, dense
from limen.kernels.loading import may_share

__all__ = ["Reading", "reading_of"]


class Reading(NamedTuple):
    """What the functions of the library are given for tensors of the same shape, strides and type.

    Attributes:
        add: address of ``limen_add``.
        add_gradient: address of ``limen_add_gradient``; 0 where gradients like that have to be copied to be read.
        account: address of that of the site.
        layout: address of the walk through such a tensor.
        room: numbers of memory that ``limen_add`` needs for a while, in doubles.
        entries: of such a tensor.
        kind: its type, as the library numbers them.
        is_shared: whether torch's threads may share the work.
        keeps: what must live as long as the addresses are used.
    """

    add: int
    add_gradient: int
    account: int
    layout: int
    room: int
    entries: int
    kind: int
    is_shared: bool
    keeps: object


def reading_of(account: Account | CompiledAccount, z: Tensor, axis: int) -> Reading | None:
    """A reading of tensors like ``z``, which the account has read; None where the library needs a copy of them."""
    if not isinstance(account, CompiledAccount) or type(z) is not Tensor or z.layout is not torch.strided:
        return None
    plan, read = account.kernels.plan_for(z, axis)
    if plan is None or read is not z:
        return None
    library = account.kernels.library
    return Reading(
        add=address_of_function(library.add),
        add_gradient=address_of_function(library.add_gradient) if dense(z) else 0,
        account=account.address,
        layout=plan.address,
        room=ROWS * account.rules.units,
        entries=z.numel(),
        kind=TYPES[z.dtype],
        is_shared=plan.is_large and may_share(library.has_team),
        keeps=(account, plan),
    )


def address_of_function(function: Any) -> int:
    """Where C finds it."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0
