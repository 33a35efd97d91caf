"""By what a loss was divided before ``backward``: gradients are accumulated over parts of a batch."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

import torch
from torch import Tensor

from limen.anatomy.axes import Node

__all__ = ["divisors_of", "is_scaling"]

SCALINGS = ("DivBackward", "MulBackward", "ToCopy")
FARTHEST = 8  # nodes


def divisors_of(loss: Tensor) -> list[Tensor]:
    """The constants, of one entry each, by which the number on which ``backward`` is called was divided last.

    Only scalings by constants are looked through. Nothing is unpacked: hooks of the script on saved tensors stay still.

    >>> import torch
    >>> x = torch.ones(3, requires_grad=True)
    >>> divisors_of(x.sum() / 4 * 2)
    [tensor(4)]
    """
    found: list[Tensor] = []
    node: Node = loss.grad_fn
    for _ in range(FARTHEST):
        if node is None or not is_scaling(type(node)):
            break
        before = [source for source, _ in node.next_functions if source is not None]
        if len(before) != 1:
            break
        if type(node).__name__.startswith("DivBackward"):
            with suppress(RuntimeError):  # a second pass through a graph that was freed
                divisor = getattr(getattr(node, "_raw_saved_other", None), "data", None)
                if isinstance(divisor, Tensor) and divisor.numel() == 1 and not divisor.requires_grad:
                    found.append(divisor)
        node = before[0]
    return found


@lru_cache(256)
def is_scaling(kind: type) -> bool:
    """Whether graph nodes of a class are torch's own for a product, a quotient or another type."""
    return not issubclass(kind, torch.autograd.function.BackwardCFunction) and kind.__name__.startswith(SCALINGS)
