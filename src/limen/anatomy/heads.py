"""What a loss function was given: the function that made it, its entries, and what they were compared with."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from limen.anatomy.axes import Node, operation
from limen.anatomy.losses import LOG_OF_SHARES, Term, is_log_of_shares, loss_term, saved, through_views
from limen.anatomy.products import CONVOLUTIONS, LINEARS, MATRICES

__all__ = ["Reading", "reading_of"]

HEADS = {
    "SoftmaxBackward": "softmax",
    "LogSoftmaxBackward": "log-softmax",
    "SigmoidBackward": "sigmoid",
    "TanhBackward": "tanh",
    "ReluBackward": "relu",
    "LeakyReluBackward": "leaky_relu",
    "EluBackward": "elu",
    "CeluBackward": "celu",
    "GeluBackward": "gelu",
    "SiluBackward": "silu",
    "MishBackward": "mish",
    "SoftplusBackward": "softplus",
    "HardsigmoidBackward": "hardsigmoid",
    "HardswishBackward": "hardswish",
    "LogSigmoidBackward": "logsigmoid",
    "ExpBackward": "exp",
}
PRODUCTS = (*CONVOLUTIONS, *LINEARS, *MATRICES)
PAIRED = ("MseLoss", "SmoothL1Loss", "HuberLoss", "BinaryCrossEntropy")
"""Losses that keep what they were given and what they compared it with."""


@dataclass(frozen=True, eq=False)
class Reading:
    """The loss function behind a number, and what was put into it.

    Attributes:
        function: as ``loss_function`` names it.
        head: the function that made what it was given; empty where unknown.
        factor: what it is multiplied by on its way to the number; NaN where that is no constant or not all there is.
        given: what it was given; None where the graph does not keep it.
        wanted: what that was compared with, or the difference from it where ``given`` is None; None where neither is
            kept, or each sample has a class.
    """

    function: str
    head: str = ""
    factor: float = math.nan
    given: Tensor | None = None
    wanted: Tensor | None = None


def reading_of(loss: Tensor) -> Reading:
    """Read the graph behind a number on which ``backward`` is about to be called. Nothing is unpacked."""
    term = loss_term(loss)
    if term is None:
        return Reading("other")
    source, place = entry_of(term)
    given, wanted = tensors_of(term, source, place)
    factor = term.factor if term.alone else math.nan
    return Reading(term.function, head_name(source), factor, given, wanted)


def entry_of(term: Term) -> tuple[Node | None, int]:
    """The node that made what a loss was given, behind views, and its place among what the loss compares."""
    kind = operation(term.node)
    node: Node | None = term.node
    if term.function == "cross-entropy":
        node = log_softmax_before(term.node)
    elif kind.startswith(("PowBackward", "AbsBackward")):  # of a difference
        node = term.node.next_functions[0][0]
    elif not kind.startswith(("NllLoss", "LogBackward", *PAIRED)):
        return None, 0
    if node is None:
        return None, 0
    before = [(one, place) for place, (one, _) in enumerate(node.next_functions) if one is not None]
    return (through_views(before[0][0]), before[0][1]) if len(before) == 1 else (None, 0)


def log_softmax_before(node: Node) -> Node | None:
    """The logarithm of a softmax that a cross-entropy contains."""
    sources = [through_views(one) for one, _ in node.next_functions if one is not None]
    return next((one for one in sources if one is not None and operation(one).startswith("LogSoftmax")), None)


def head_name(node: Node | None) -> str:
    """What the function of a node is called; empty for one that is not known."""
    if node is None:
        return ""
    kind = operation(node)
    if not kind:
        return told_by(node)
    if kind.startswith(PRODUCTS) or is_product_with_bias(node):
        return "linear"
    if kind.startswith("HardtanhBackward"):
        return "relu6" if getattr(node, "_saved_min_val", None) == 0 else "hardtanh"
    if kind.startswith("LogBackward"):
        return "log" if is_log_of_shares(node) else ""
    return next((name for start, name in HEADS.items() if kind.startswith(start)), "")


def told_by(node: Node) -> str:
    """What the node of an ``autograd.Function`` says that it applies, as those of ``limen.nn`` do; empty for others."""
    function = getattr(node, "function", "")
    return function if isinstance(function, str) else ""


def is_product_with_bias(node: Node) -> bool:
    """Whether a node adds a leaf to a product of matrices."""
    if not operation(node).startswith("AddBackward"):
        return False
    before = [one for one, _ in node.next_functions if one is not None]
    leaves = [one for one in before if hasattr(one, "variable")]
    made = [through_views(one) for one in before if not hasattr(one, "variable")]
    return bool(leaves) and len(made) == 1 and made[0] is not None and operation(made[0]).startswith(PRODUCTS)


def tensors_of(term: Term, source: Node | None, place: int) -> tuple[Tensor | None, Tensor | None]:
    """What a loss was given and what it compared that with, as far as its graph keeps them.

    Of a distance written by hand the difference stands for the targets where nothing else is kept: outputs begin small.
    """
    kind = operation(term.node)
    if source is None:
        return None, None
    if kind.startswith(PAIRED):
        one, other = saved(term.node, "self"), saved(term.node, "target")
        return (one, other) if place == 0 else (other, one)
    if term.function == LOG_OF_SHARES:
        return saved(term.node, "self"), None
    difference = saved(term.node, "self")
    if term.function in ("mse", "l1") and difference is not None and difference.is_cpu:
        given = saved(source, "result")  # most activations keep what they gave
        wanted = difference if place else -difference
        return (given, given + wanted) if given is not None and given.shape == wanted.shape else (None, wanted)
    return None, None
