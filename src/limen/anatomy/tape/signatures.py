"""Names of the arguments of torch functions: by inspection where they are Python, from a table where they are not."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["called", "named_arguments", "opened"]

CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
TRANSPOSED = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation")
RECURRENT = ("input", "hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional", "batch_first")
PACKED = ("input", "batch_sizes", "hx", *RECURRENT[2:-1])
POOL = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode")
CELL = ("input", "hx", "w_ih", "w_hh", "b_ih", "b_hh")
BUILT_IN: dict[str, tuple[str, ...]] = {
    "linear": ("input", "weight", "bias"),
    "bilinear": ("input1", "input2", "weight", "bias"),
    **{f"conv{axes}d": CONVOLUTION for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": TRANSPOSED for axes in (1, 2, 3)},
    "addmm": ("input", "mat1", "mat2"),
    "baddbmm": ("input", "batch1", "batch2"),
    "matmul": ("input", "other"),
    "mm": ("input", "mat2"),
    "bmm": ("input", "mat2"),
    "mv": ("input", "vec"),
    **dict.fromkeys(("add", "sub", "rsub", "mul", "div", "true_divide", "maximum", "minimum"), ("input", "other")),
    "scaled_dot_product_attention": ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale"),
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), RECURRENT),
    **{f"{name}_cell": CELL for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")},
    **dict.fromkeys(("mean", "sum", "amax", "amin", "var", "std", "logsumexp"), ("input", "dim", "keepdim")),
    **{f"max_pool{axes}d": POOL for axes in (1, 2, 3)},
    **{f"avg_pool{axes}d": (*POOL[:4], "ceil_mode", "count_include_pad") for axes in (1, 2, 3)},
    **{f"adaptive_{kind}_pool{axes}d": ("input", "output_size") for kind in ("max", "avg") for axes in (1, 2, 3)},
    "softmax": ("input", "dim"),
    "log_softmax": ("input", "dim"),
    "cat": ("tensors", "dim"),
    "concat": ("tensors", "dim"),
    "stack": ("tensors", "dim"),
    "flatten": ("input", "start_dim", "end_dim"),
    "transpose": ("input", "dim0", "dim1"),
    "unsqueeze": ("input", "dim"),
    "squeeze": ("input", "dim"),
    "chunk": ("input", "chunks", "dim"),
    "split": ("input", "split_size_or_sections", "dim"),
}


def called(function: Any) -> str:
    """What torch calls a function, without the marks of methods, in-place variants and attributes.

    >>> called(Tensor.relu_), called(torch.relu), called(Tensor.__rsub__), called(Tensor.T.__get__)
    ('relu', 'relu', 'rsub', 'T')
    """
    name = getattr(function, "__name__", type(function).__name__)
    if name == "__get__":
        name = getattr(getattr(function, "__self__", None), "__name__", name)
    return name.strip("_")


def named_arguments(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name; those whose name torch does not tell by position, but for ``input``."""
    names = BUILT_IN.get(called(function))
    if names is None and isinstance(function, FunctionType):
        try:
            bound = _signature(function).bind(*args, **kwargs).arguments
            return {"input" if name == "self" else name: argument for name, argument in bound.items()}
        except (TypeError, ValueError):  # the call itself will say what is wrong with it; torch wraps some built-ins
            pass
    names = names or ("input",)
    if names is RECURRENT and len(args) > 1 and isinstance(args[1], Tensor) and args[1].dtype == torch.int64:
        names = PACKED
    positions = [*names, *map(str, range(len(names), len(args)))]
    return {**dict(zip(positions, args, strict=False)), **kwargs}


@functools.cache
def _signature(function: FunctionType) -> inspect.Signature:
    return inspect.signature(function)


OPENED = frozenset({F.multi_head_attention_forward})
"""Functions that are of interest for the calls they make."""


def opened(function: Any) -> Callable[..., Any] | None:
    """For a function of which the inner calls matter: the same function, which lets a mode see them.

    Torch's Python functions hand themselves over to a mode as a whole and then run without it. The twin believes that
    there is no mode, so that it makes its calls one by one.
    """
    return _opened(function) if isinstance(function, FunctionType) and function in OPENED else None


@functools.cache
def _opened(function: FunctionType) -> Callable[..., Any]:
    spaces = {name: _never if name.startswith("has_torch_function") else v for name, v in function.__globals__.items()}
    twin = FunctionType(function.__code__, spaces, function.__name__, function.__defaults__, function.__closure__)
    twin.__kwdefaults__ = cast("dict[str, Any]", function.__kwdefaults__)
    return twin


def _never(*_arguments: object) -> bool:
    return False
