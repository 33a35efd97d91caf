"""Which activation a call is: what a ``TorchFunctionMode`` sees when a forward pass uses functions and methods."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from limen.activations.algebraic import Softsign
from limen.activations.clipped import Hardsigmoid
from limen.activations.exponential import CELU, ELU, SELU, LogSigmoid, Softplus
from limen.activations.from_module import cached, clamped, mean_slope, stepped
from limen.activations.gated import GELUTanh, SiLU
from limen.activations.interface import Activation
from limen.activations.learnable_slopes import RReLU
from limen.activations.mish import Mish
from limen.activations.normal import GELU
from limen.activations.parabolic import Hardswish
from limen.activations.rectified import LeakyReLU, PReLU, ReLU, ReLU6
from limen.activations.shrinkage import Hardshrink, Softshrink, Tanhshrink
from limen.activations.sigmoidal import Sigmoid, Tanh

__all__ = ["of_call", "register_call"]

Arguments = Sequence[Any]
Named = Mapping[str, Any]
Reader = Callable[[Arguments, Named], Activation | None]


def argument(arguments: Arguments, named: Named, position: int, name: str, default: Any) -> Any:
    """An argument that may be given by position or by name."""
    return arguments[position] if len(arguments) > position else named.get(name, default)


def is_number(value: object) -> bool:
    """Whether a limit or parameter is a plain number, not a tensor or nothing."""
    return isinstance(value, int | float)


def always(entry: type[Activation]) -> Reader:
    """A function without parameters."""
    found = cached(entry)
    return lambda _arguments, _named: found


def scaled(entry: type[Activation], name: str, default: float) -> Reader:
    """A function with one parameter, its second argument."""

    def read(arguments: Arguments, named: Named) -> Activation | None:
        value = argument(arguments, named, 1, name, default)
        return cached(entry, value) if is_number(value) else None

    return read


def gelu(arguments: Arguments, named: Named) -> Activation | None:
    """``gelu(input, *, approximate="none")``."""
    return cached(GELUTanh if argument(arguments, named, 1, "approximate", "none") == "tanh" else GELU)


def prelu(arguments: Arguments, named: Named) -> Activation | None:
    """``prelu(input, weight)``."""
    weight = argument(arguments, named, 1, "weight", None)
    return cached(PReLU, mean_slope(weight)) if isinstance(weight, Tensor) else None


def rrelu(arguments: Arguments, named: Named) -> Activation | None:
    """``rrelu(input, lower=1/8, upper=1/3, training=False)``; in training with the mean of the slopes it draws."""
    lower, upper = argument(arguments, named, 1, "lower", 1 / 8), argument(arguments, named, 2, "upper", 1 / 3)
    return cached(RReLU, lower, upper) if is_number(lower) and is_number(upper) else None


def hardtanh(arguments: Arguments, named: Named) -> Activation | None:
    """``hardtanh(input, min_val=-1.0, max_val=1.0)``; this is also what ``nn.ReLU6`` calls."""
    low = argument(arguments, named, 1, "min_val", -1.0)
    high = argument(arguments, named, 2, "max_val", 1.0)
    return clamped(low, high) if is_number(low) and is_number(high) else None


def threshold(arguments: Arguments, named: Named) -> Activation | None:
    """``threshold(input, threshold, value)``; a ReLU when both are 0."""
    edge = argument(arguments, named, 1, "threshold", None)
    value = argument(arguments, named, 2, "value", None)
    return stepped(edge, value) if is_number(edge) and is_number(value) else None


def clamp(arguments: Arguments, named: Named) -> Activation | None:
    """``clamp(input, min=None, max=None)``: only with the limits of a known activation; others guard numerics."""
    low = argument(arguments, named, 1, "min", None)
    high = argument(arguments, named, 2, "max", None)
    if not is_number(low) or not (high is None or is_number(high)):
        return None
    if high is None:
        return cached(ReLU) if low == 0 else None
    return clamped(low, high) if (low, high) in ((0, 6), (-1, 1)) else None


def clamp_min(arguments: Arguments, named: Named) -> Activation | None:
    """``clamp_min(input, min)``."""
    low = argument(arguments, named, 1, "min", None)
    return cached(ReLU) if is_number(low) and low == 0 else None


def _functions() -> dict[Reader, tuple[Any, ...]]:
    """Every function object that the mode sees, by what reads its arguments."""
    return {
        always(ReLU): (F.relu, F.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_),
        always(ReLU6): (F.relu6,),
        scaled(LeakyReLU, "negative_slope", 0.01): (F.leaky_relu, F.leaky_relu_),
        prelu: (F.prelu, torch.prelu, Tensor.prelu),
        rrelu: (F.rrelu, F.rrelu_, torch.rrelu, torch.rrelu_),
        threshold: (F.threshold, torch.threshold, torch.threshold_),
        clamp: (
            torch.clamp,
            torch.clamp_,
            torch.clip,
            torch.clip_,
            Tensor.clamp,
            Tensor.clamp_,
            Tensor.clip,
            Tensor.clip_,
        ),
        clamp_min: (torch.clamp_min, torch.clamp_min_, Tensor.clamp_min, Tensor.clamp_min_),
        scaled(ELU, "alpha", 1.0): (F.elu, F.elu_),
        scaled(CELU, "alpha", 1.0): (F.celu, F.celu_, torch.celu, torch.celu_),
        always(SELU): (F.selu, F.selu_, torch.selu, torch.selu_),
        gelu: (F.gelu,),
        always(SiLU): (F.silu,),
        always(Mish): (F.mish,),
        always(Hardswish): (F.hardswish,),
        always(Sigmoid): (torch.sigmoid, torch.sigmoid_, Tensor.sigmoid, Tensor.sigmoid_, torch.special.expit),
        always(LogSigmoid): (F.logsigmoid,),
        always(Hardsigmoid): (F.hardsigmoid,),
        always(Tanh): (torch.tanh, torch.tanh_, Tensor.tanh, Tensor.tanh_),
        hardtanh: (F.hardtanh, F.hardtanh_),
        always(Softsign): (F.softsign,),
        always(Tanhshrink): (F.tanhshrink,),
        scaled(Hardshrink, "lambd", 0.5): (F.hardshrink, torch.hardshrink, Tensor.hardshrink),
        scaled(Softshrink, "lambd", 0.5): (F.softshrink,),
        scaled(Softplus, "beta", 1.0): (F.softplus,),
    }


_READERS: dict[Any, Reader] = {function: read for read, functions in _functions().items() for function in functions}


def register_call(function: Any, read: Reader) -> None:
    """Let ``of_call`` know one more function.

    Args:
        function: what ``TorchFunctionMode`` is given as ``func``; its first argument is the pre-activation.
        read: from the positional and the keyword arguments of a call to the activation; None for none.
    """
    _READERS[function] = read


def of_call(function: Any, arguments: Arguments, named: Named | None = None) -> tuple[Activation, Tensor] | None:
    """The activation that a call applies and the pre-activation it applies it to.

    Made for ``TorchFunctionMode.__torch_function__``, which sees every torch call: anything but an activation costs
    one look into a table. In-place calls overwrite the returned tensor, so read it before the call is made.

    Args:
        function: what the mode was given as ``func``.
        arguments: the positional arguments.
        named: the keyword arguments.

    Returns:
        None for another function, for parameters that the catalogue cannot express (``clamp`` with other limits than
        a ReLU, ReLU6 or hardtanh), and for tensors that are not floating point.

    >>> act, z = of_call(torch.clamp, (torch.tensor([-1.0, 2.0]),), {"min": 0})
    >>> act
    ReLU()
    """
    read = _READERS.get(function)
    if read is None:
        return None
    named = named or {}
    z = arguments[0] if arguments else named.get("input", named.get("x"))
    if not isinstance(z, Tensor) or not z.is_floating_point():
        return None
    entry = read(arguments, named)
    return None if entry is None else (entry, z)
