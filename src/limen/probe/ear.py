"""How the gradient at a site is heard of in the backward pass."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["ear_for", "listen"]

OnGradient = Callable[[Tensor | None], None]


def ear_for(output: int, on_gradient: OnGradient) -> Tensor:
    """What, given to ``_register_hook_dict`` of a graph node, has that result of the node's gradient told each time.

    This is how torch itself serves ``Tensor.register_hook``: the node takes the hooks and the number of the result from
    a tensor, for which it is usually one of its own results. A tensor that only stands for it can be used again and
    again, and leaves the hooks of the script alone; ``register_prehook`` of the node makes a handle and several calls
    of Python each time.
    """
    ear = torch.zeros(output + 1, device="cpu", requires_grad=True).unbind(0)[output]
    ear._backward_hooks = OrderedDict({0: on_gradient})  # pyright: ignore[reportPrivateUsage]
    return ear


def listen(z: Tensor, on_gradient: OnGradient) -> None:
    """Have a function told of the gradient of a tensor in the backward pass, if there is to be one."""
    if z.grad_fn is not None:
        z.grad_fn._register_hook_dict(ear_for(z.output_nr, on_gradient))  # pyright: ignore[reportPrivateUsage]
