"""Which loss function made the number on which ``backward`` is called."""

from __future__ import annotations

from typing import Any

from torch import Tensor

__all__ = ["loss_function"]

NAMES = {
    "NllLoss": "nll",
    "CrossEntropyLoss": "cross-entropy",
    "MseLoss": "mse",
    "L1Loss": "l1",
    "SmoothL1Loss": "smooth-l1",
    "HuberLoss": "huber",
    "BinaryCrossEntropyWithLogits": "bce-with-logits",
    "BinaryCrossEntropyBackward": "bce",
    "KlDiv": "kl-div",
    "CtcLoss": "ctc",
}
SCALINGS = ("MulBackward", "DivBackward", "AddBackward", "MeanBackward", "SumBackward", "NegBackward", "SubBackward")


def loss_function(loss: Tensor) -> str:
    """Name the loss from the graph behind it, looking through scalings and sums; ``other`` where it is unknown."""
    nodes: list[Any] = [loss.grad_fn] if loss.grad_fn is not None else []
    for _ in range(16):
        if not nodes:
            break
        node = nodes.pop(0)
        kind = type(node).__name__
        name = next((name for start, name in NAMES.items() if kind.startswith(start)), None)
        if name == "nll":
            before = node.next_functions[0][0]
            return "cross-entropy" if type(before).__name__.startswith("LogSoftmax") else "nll"
        if name is not None:
            return name
        if kind.startswith(SCALINGS):
            nodes += [before for before, _ in node.next_functions if before is not None]
    return "other"
