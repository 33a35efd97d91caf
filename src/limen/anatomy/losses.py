"""Which loss function made the number on which ``backward`` is called."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Sequence

from torch import Tensor

from limen.anatomy.axes import Node, number_of, operation

__all__ = ["leads_back_to", "loss_function"]

NAMES = {
    "MseLoss": "mse",
    "L1Loss": "l1",
    "SmoothL1Loss": "smooth-l1",
    "HuberLoss": "huber",
    "BinaryCrossEntropyWithLogits": "bce-with-logits",
    "BinaryCrossEntropyBackward": "bce",
    "KlDiv": "kl-div",
    "CtcLoss": "ctc",
}
VIEWS = ("View", "UnsafeView", "Squeeze", "Unsqueeze", "ToCopy", "Clone", "Stack", "Cat", "Select", "Slice", "Index",
         "MaskedSelect", "MaskedFill", "Where", "Transpose", "Permute", "TBackward")  # fmt: skip
SCALINGS = ("MulBackward", "DivBackward", "AddBackward", "MeanBackward", "SumBackward", "NegBackward", "SubBackward")
FARTHEST = 64  # nodes visited before a loss is called unknown


def loss_function(loss: Tensor) -> str:
    """Name the loss from the graph behind it, looking through scalings, sums and views; ``other`` where unknown."""
    queue: deque[tuple[Node, bool]] = deque([(loss.grad_fn, False)] if loss.grad_fn is not None else [])
    for _ in range(FARTHEST):
        if not queue:
            break
        node, subtracted = queue.popleft()
        name = name_of(node, subtracted)
        if name is not None:
            return name
        kind = operation(node)
        if kind.startswith((*SCALINGS, *VIEWS)):
            subtracted = subtracted or kind.startswith("SubBackward")
            queue += [(before, subtracted) for before, _ in node.next_functions if before is not None]
    return "other"


def leads_back_to(roots: Sequence[Tensor], numbers: Container[int]) -> int | None:
    """The first of some graph nodes of which tensors are only multiples, sums and views; None where there is none.

    Args:
        roots: where to begin.
        numbers: of the nodes looked for, as ``_sequence_nr`` tells them.
    """
    queue: deque[Node] = deque(root.grad_fn for root in roots if root.grad_fn is not None)
    for _ in range(FARTHEST):
        if not queue:
            break
        node = queue.popleft()
        number = number_of(node)
        if number is not None and number in numbers:
            return number
        if operation(node).startswith((*SCALINGS, *VIEWS)):
            queue += [before for before, _ in node.next_functions if before is not None]
    return None


def name_of(node: Node, subtracted: bool) -> str | None:
    """The loss that ends at this node, or None; ``subtracted`` tells that it enters a difference further on."""
    kind = operation(node)
    name = next((name for start, name in NAMES.items() if kind.startswith(start)), None)
    if name is not None:
        return name
    source = source_of(node)
    if kind.startswith("NllLoss"):
        while source.startswith(VIEWS):
            node = node.next_functions[0][0]
            source = source_of(node)
        return "cross-entropy" if source.startswith("LogSoftmax") else "nll"
    if source.startswith("SubBackward"):  # of an output and its target: what torch has no node of its own for
        if kind.startswith("AbsBackward"):
            return "l1"
        if kind.startswith("PowBackward") and getattr(node, "_saved_exponent", None) == 2:
            return "mse"
    constant = sum(before is not None for before, _ in node.next_functions) == 1
    if kind.startswith(("MulBackward", "SubBackward")) and constant and "LogSoftmax" in sources_of(node):
        # shares as targets: - sum p log q, and with sum p log p added the divergence
        return "kl-div" if subtracted or kind.startswith("SubBackward") else "cross-entropy"
    return None


def source_of(node: Node) -> str:
    """The kind of the first input of a node; empty where there is none."""
    return operation(node.next_functions[0][0]) if node.next_functions and node.next_functions[0][0] is not None else ""


def sources_of(node: Node) -> list[str]:
    """The kinds of all inputs of a node, without their ending."""
    return [operation(before).partition("Backward")[0] for before, _ in node.next_functions if before is not None]
