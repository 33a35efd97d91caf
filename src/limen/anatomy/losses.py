"""Which loss function made the number on which ``backward`` is called."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass

from torch import Tensor

from limen.anatomy.axes import Node, number_of, operation

__all__ = [
    "LOG_OF_SHARES",
    "Term",
    "is_log_of_shares",
    "leads_back_to",
    "loss_function",
    "loss_term",
    "saved",
    "through_views",
]

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
SCALINGS = ("MulBackward", "DivBackward", "AddBackward", "MeanBackward", "SumBackward", "NegBackward", "SubBackward",
            "RsubBackward")  # fmt: skip
PICKS = ("Gather", "IndexSelect", "Expand", "Diagonal")
OWN = ("NllLoss", "KlDiv")
LOG_OF_SHARES = "log-probability"
"""What -log p is called where p is a softmax or sigmoid and no loss function of torch takes it."""

DEEPEST = 16  # nodes
FARTHEST = 64  # nodes visited before a loss is called unknown


@dataclass(frozen=True, eq=False)
class Term:
    """A loss function in the graph behind a number.

    Attributes:
        function: its name, as ``loss_function`` gives it.
        node: where it ends.
        factor: what it is multiplied by on its way to the number; NaN where that is no constant.
        alone: False where other terms are added on the way, or may be.
    """

    function: str
    node: Node
    factor: float
    alone: bool


def loss_function(loss: Tensor) -> str:
    """Name the loss from the graph behind it, looking through scalings, sums and views; ``other`` where unknown."""
    term = loss_term(loss)
    return "other" if term is None else term.function


def loss_term(loss: Tensor) -> Term | None:
    """The nearest loss function behind a number, looking through scalings, sums and views; None where unknown."""
    queue: deque[tuple[Node, bool, float, bool]] = deque()
    if loss.grad_fn is not None:
        queue.append((loss.grad_fn, False, 1.0, True))
    for _ in range(FARTHEST):
        if not queue:
            break
        node, subtracted, factor, alone = queue.popleft()
        name = name_of(node, subtracted)
        if name is None and alone and not math.isnan(factor) and is_log_of_shares(node):
            name, factor = LOG_OF_SHARES, -factor  # it is -log p that falls
        if name is not None:
            return Term(name, node, factor * entering(node, name), alone)
        kind = operation(node)
        if kind.startswith((*SCALINGS, *VIEWS)):
            subtracted = subtracted or kind.startswith("SubBackward")
            before = [(place, one) for place, (one, _) in enumerate(node.next_functions) if one is not None]
            for place, one in before:
                queue.append((one, subtracted, factor * factor_of(node, place), alone and len(before) == 1))
    return None


def entering(node: Node, name: str) -> float:
    """1 for torch's own loss functions and distances; NaN for sums written by hand, whose sign is not told."""
    return math.nan if name in ("cross-entropy", "kl-div") and not operation(node).startswith(OWN) else 1.0


def factor_of(node: Node, place: int) -> float:
    """What a scaling or view multiplies its input by, as far as the sign goes; NaN where that is no constant."""
    kind = operation(node)
    if kind.startswith(("NegBackward", "RsubBackward")) or (kind.startswith("SubBackward") and place == 1):
        return -1.0
    if not kind.startswith(("MulBackward", "DivBackward")):
        return 1.0
    number = saved(node, "self" if place == 1 else "other")
    if number is None or number.numel() != 1 or not number.is_cpu:
        return math.nan
    value = float(number)
    if place == 1 and kind.startswith("DivBackward"):
        return math.nan
    return value if kind.startswith("MulBackward") else 1.0 / value if value else math.nan


def saved(node: Node, name: str) -> Tensor | None:
    """A tensor that a node keeps; None where it keeps none or the graph was freed.

    Nothing is unpacked: hooks of the script on saved tensors stay still.
    """
    with suppress(RuntimeError):
        kept = getattr(getattr(node, f"_raw_saved_{name}", None), "data", None)
        return kept.detach() if isinstance(kept, Tensor) else None
    return None


def is_log_of_shares(node: Node) -> bool:
    """Whether a node is the logarithm of a softmax or sigmoid, written by hand."""
    if not operation(node).startswith("LogBackward"):
        return False
    source = through_views(node.next_functions[0][0])
    return source is not None and operation(source).startswith(("SoftmaxBackward", "SigmoidBackward"))


def through_views(node: Node | None) -> Node | None:
    """The nearest node behind views and picks of entries; None where several tensors meet."""
    for _ in range(DEEPEST):
        if node is None or not operation(node).startswith((*VIEWS, *PICKS)):
            return node
        before = [one for one, _ in node.next_functions if one is not None]
        node = before[0] if len(before) == 1 else None
    return None


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
