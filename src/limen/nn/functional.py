"""The functions of the catalogue as calls, under torch's names and with torch's arguments where torch has them.

``exact=True`` asks for correctly rounded kernels instead of fast ones, where there are two. Where no kernel serves,
fast is torch's own operator, with its numerics; exact is always the catalogue's. ``inplace=True`` overwrites the input,
and is refused where the backward pass needs it. The page of each, with formula, range and hazards, is that
of the entry of the same name: ``limen.explain("gelu")``.
"""

from __future__ import annotations

import math

from torch import Tensor

from limen import activations
from limen.nn.applying import apply
from limen.nn.like_torch import gelu_name
from limen.nn.prelu import prelu

__all__ = [
    "abs",
    "arctan",
    "asinh",
    "bent_identity",
    "celu",
    "elu",
    "erf",
    "gaussian",
    "gelu",
    "gelu_tanh",
    "hard_mish",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "isrlu",
    "isru",
    "leaky_relu",
    "lecun_tanh",
    "lisht",
    "logish",
    "logsigmoid",
    "mish",
    "phish",
    "prelu",
    "quick_gelu",
    "relu",
    "relu6",
    "scaled_tanh",
    "selu",
    "serf",
    "sigmoid",
    "silu",
    "sin",
    "smish",
    "snake",
    "softplus",
    "softshrink",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sqnl",
    "squared_relu",
    "squareplus",
    "star_relu",
    "tanh",
    "tanhexp",
    "tanhshrink",
    "threshold",
]

# ruff: noqa: D103 - what each function is stands on the page of its entry


def gelu(input: Tensor, approximate: str = "none", *, exact: bool = False) -> Tensor:
    """``gelu``, or ``gelu_tanh`` for ``approximate="tanh"``."""
    return apply((gelu_name(approximate), ()), input, exact=exact)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0, *, exact: bool = False) -> Tensor:
    """``softplus``; ``threshold`` is accepted for torch's sake and without effect: nothing overflows here."""
    return apply(("softplus", (beta,)), input, exact=exact)


def relu(input: Tensor, inplace: bool = False, *, exact: bool = False) -> Tensor:
    return apply(("relu", ()), input, exact=exact, inplace=inplace)


def relu6(input: Tensor, inplace: bool = False, *, exact: bool = False) -> Tensor:
    return apply(("relu6", ()), input, exact=exact, inplace=inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False, *, exact: bool = False) -> Tensor:
    return apply(("leaky_relu", (negative_slope,)), input, exact=exact, inplace=inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False, *, exact: bool = False) -> Tensor:
    return apply(("threshold", (threshold, value)), input, exact=exact, inplace=inplace)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, *, exact: bool = False
) -> Tensor:
    return apply(("hardtanh", (min_val, max_val)), input, exact=exact, inplace=inplace)


def hardsigmoid(input: Tensor, inplace: bool = False, *, exact: bool = False) -> Tensor:
    return apply(("hardsigmoid", ()), input, exact=exact, inplace=inplace)


def hardswish(input: Tensor, inplace: bool = False, *, exact: bool = False) -> Tensor:
    return apply(("hardswish", ()), input, exact=exact, inplace=inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False, *, exact: bool = False) -> Tensor:
    return apply(("elu", (alpha,)), input, exact=exact, inplace=inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False, *, exact: bool = False) -> Tensor:
    return apply(("celu", (alpha,)), input, exact=exact, inplace=inplace)


def selu(input: Tensor, inplace: bool = False, *, exact: bool = False) -> Tensor:
    return apply(("selu", ()), input, exact=exact, inplace=inplace)


def silu(input: Tensor, inplace: bool = False, *, exact: bool = False) -> Tensor:
    return apply(("silu", ()), input, exact=exact, inplace=inplace)


def mish(input: Tensor, inplace: bool = False, *, exact: bool = False) -> Tensor:
    return apply(("mish", ()), input, exact=exact, inplace=inplace)


def hardshrink(input: Tensor, lambd: float = 0.5, *, exact: bool = False) -> Tensor:
    return apply(("hardshrink", (lambd,)), input, exact=exact)


def softshrink(input: Tensor, lambd: float = 0.5, *, exact: bool = False) -> Tensor:
    return apply(("softshrink", (lambd,)), input, exact=exact)


def tanhshrink(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("tanhshrink", ()), input, exact=exact)


def logsigmoid(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("logsigmoid", ()), input, exact=exact)


def sigmoid(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("sigmoid", ()), input, exact=exact)


def tanh(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("tanh", ()), input, exact=exact)


def softsign(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("softsign", ()), input, exact=exact)


def abs(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("abs", ()), input, exact=exact)


def arctan(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("arctan", ()), input, exact=exact)


def asinh(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("asinh", ()), input, exact=exact)


def bent_identity(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("bent_identity", ()), input, exact=exact)


def erf(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("erf", ()), input, exact=exact)


def gaussian(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("gaussian", ()), input, exact=exact)


def gelu_tanh(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("gelu_tanh", ()), input, exact=exact)


def hard_mish(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("hard_mish", ()), input, exact=exact)


def isrlu(input: Tensor, alpha: float = 1.0, *, exact: bool = False) -> Tensor:
    return apply(("isrlu", (alpha,)), input, exact=exact)


def isru(input: Tensor, alpha: float = 1.0, *, exact: bool = False) -> Tensor:
    return apply(("isru", (alpha,)), input, exact=exact)


def lecun_tanh(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("lecun_tanh", ()), input, exact=exact)


def lisht(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("lisht", ()), input, exact=exact)


def logish(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("logish", ()), input, exact=exact)


def phish(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("phish", ()), input, exact=exact)


def quick_gelu(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("quick_gelu", ()), input, exact=exact)


def scaled_tanh(input: Tensor, low: float = -1.0, high: float = 1.0, *, exact: bool = False) -> Tensor:
    return apply(("scaled_tanh", (low, high)), input, exact=exact)


def serf(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("serf", ()), input, exact=exact)


def sin(input: Tensor, w0: float = 1.0, *, exact: bool = False) -> Tensor:
    return apply(("sin", (w0,)), input, exact=exact)


def smish(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("smish", ()), input, exact=exact)


def snake(input: Tensor, alpha: float = 1.0, *, exact: bool = False) -> Tensor:
    return apply(("snake", (alpha,)), input, exact=exact)


def sparse_plus(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("sparse_plus", ()), input, exact=exact)


def sparse_sigmoid(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("sparse_sigmoid", ()), input, exact=exact)


def sqnl(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("sqnl", ()), input, exact=exact)


def squared_relu(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("squared_relu", ()), input, exact=exact)


def squareplus(input: Tensor, b: float = 4.0, *, exact: bool = False) -> Tensor:
    return apply(("squareplus", (b,)), input, exact=exact)


def star_relu(
    input: Tensor, scale: float = 2 / math.sqrt(5), bias: float = -1 / math.sqrt(5), *, exact: bool = False
) -> Tensor:
    return apply(("star_relu", (scale, bias)), input, exact=exact)


def tanhexp(input: Tensor, *, exact: bool = False) -> Tensor:
    return apply(("tanhexp", ()), input, exact=exact)


for _name in __all__:
    _function = globals()[_name]
    _function.__doc__ = _function.__doc__ or activations.get(_name).__doc__
