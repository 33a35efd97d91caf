"""Which activation a module is: torch's own by class, others by the name of their class."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from torch import Tensor, nn

from limen.activations.algebraic import Softsign
from limen.activations.clipped import Hardsigmoid, Hardtanh
from limen.activations.exponential import CELU, ELU, SELU, LogSigmoid, Softplus
from limen.activations.gated import GELUTanh, QuickGELU, SiLU
from limen.activations.interface import Activation
from limen.activations.learnable_slopes import RReLU
from limen.activations.mish import Mish
from limen.activations.normal import GELU
from limen.activations.parabolic import Hardswish, SquaredReLU
from limen.activations.rectified import Identity, LeakyReLU, PReLU, ReLU, ReLU6
from limen.activations.shrinkage import Hardshrink, Softshrink, Tanhshrink, Threshold
from limen.activations.sigmoidal import Sigmoid, Tanh
from limen.errors import InvalidValue

__all__ = ["cached", "clamped", "composite", "mean_slope", "of_class_name", "of_module", "stepped"]


@lru_cache(maxsize=1024)
def cached(entry: type[Activation], *parameters: float) -> Activation | None:
    """The entry with these parameters, the same object each time; None where it cannot take them."""
    try:
        return entry(*parameters)
    except InvalidValue:
        return None


def clamped(low: float, high: float) -> Activation | None:
    """The entry that keeps its input between two limits."""
    return cached(ReLU6) if (low, high) == (0, 6) else cached(Hardtanh, low, high)


def stepped(threshold: float, value: float) -> Activation | None:
    """The entry that keeps what is above a threshold."""
    return cached(ReLU) if threshold == value == 0 else cached(Threshold, threshold, value)


def mean_slope(weight: Tensor) -> float:
    """Mean over the channels of a PReLU's slopes; waits for the device that holds them. 0.25 without storage."""
    try:
        return float(weight.detach().mean())
    except RuntimeError:  # a tensor without data, of the meta device or of the compiler
        return 0.25


_MODULES: dict[type[nn.Module], Callable[[Any], Activation | None]] = {
    nn.Identity: lambda _: cached(Identity),
    nn.ReLU: lambda _: cached(ReLU),
    nn.ReLU6: lambda _: cached(ReLU6),
    nn.LeakyReLU: lambda module: cached(LeakyReLU, module.negative_slope),
    nn.RReLU: lambda module: cached(RReLU, module.lower, module.upper),
    nn.PReLU: lambda module: cached(PReLU, mean_slope(module.weight)),
    nn.Threshold: lambda module: stepped(module.threshold, module.value),
    nn.Hardshrink: lambda module: cached(Hardshrink, module.lambd),
    nn.Softshrink: lambda module: cached(Softshrink, module.lambd),
    nn.Tanhshrink: lambda _: cached(Tanhshrink),
    nn.ELU: lambda module: cached(ELU, module.alpha),
    nn.CELU: lambda module: cached(CELU, module.alpha),
    nn.SELU: lambda _: cached(SELU),
    nn.GELU: lambda module: cached(GELUTanh if module.approximate == "tanh" else GELU),
    nn.SiLU: lambda _: cached(SiLU),
    nn.Mish: lambda _: cached(Mish),
    nn.Hardswish: lambda _: cached(Hardswish),
    nn.Sigmoid: lambda _: cached(Sigmoid),
    nn.LogSigmoid: lambda _: cached(LogSigmoid),
    nn.Hardsigmoid: lambda _: cached(Hardsigmoid),
    nn.Tanh: lambda _: cached(Tanh),
    nn.Hardtanh: lambda module: clamped(module.min_val, module.max_val),
    nn.Softsign: lambda _: cached(Softsign),
    nn.Softplus: lambda module: cached(Softplus, module.beta),
}


def of_module(module: nn.Module) -> Activation | None:
    """The activation that a ``torch.nn`` module applies, with its parameters of this moment.

    Subclasses count as long as they keep the ``forward`` of torch's class. Modules of ``limen.nn``, and a user's own
    that do the same, say so themselves: their ``entry`` is the answer.

    Returns:
        None for a module that is no activation, or one the catalogue cannot express, as ``nn.Softmax``.

    >>> of_module(nn.LeakyReLU(0.2))
    LeakyReLU(negative_slope=0.2)
    """
    kind = type(module)
    if not kind.__module__.startswith("torch."):
        said = _said(module)
        if said is not None:
            return said
    for ancestor in kind.__mro__:
        if ancestor in _MODULES:
            entry = cast(type[nn.Module], ancestor)
            return _MODULES[entry](module) if kind.forward is entry.forward else None
    return None


def _said(module: nn.Module) -> Activation | None:
    """The ``entry`` of a module; None where it has none, or has changed ``forward`` since it was said."""
    first = next(kind for kind in type(module).__mro__ if vars(kind).keys() & {"entry", "forward"})
    if "entry" not in vars(first):
        return None
    try:
        entry: object = getattr(module, "entry", None)
    except InvalidValue:  # its parameters have become such that there is none
        return None
    return entry if isinstance(entry, Activation) else None


_CLASS_NAMES: dict[str, type[Activation]] = {
    # transformers.activations
    "AccurateGELUActivation": GELUTanh,
    "ClippedGELUActivation": GELU,  # clipped far outside the range in which units differ, by default ±10
    "FastGELUActivation": GELUTanh,
    "GELUActivation": GELU,
    "GELUTanh": GELUTanh,
    "LinearActivation": Identity,
    "MishActivation": Mish,
    "NewGELUActivation": GELUTanh,
    "PytorchGELUTanh": GELUTanh,
    "QuickGELUActivation": QuickGELU,
    "ReLUSquaredActivation": SquaredReLU,
    "SiLUActivation": SiLU,
    # the same functions in CLIP, timm and models that copy them
    "QuickGELU": QuickGELU,
    "SquaredReLU": SquaredReLU,
    "SqReLU": SquaredReLU,
    "NewGELU": GELUTanh,
}


def of_class_name(name: str) -> Activation | None:
    """The activation that a class of this name applies in Hugging Face's libraries and models copied from them.

    None for any other name. The class itself is never imported.

    >>> of_class_name("NewGELUActivation")
    GELUTanh()
    """
    entry = _CLASS_NAMES.get(name)
    return None if entry is None else cached(entry)


def composite(module: nn.Module) -> Activation | None:
    """The activation that a class outside of torch computes, maybe in several calls: as it says, or by its class name.

    >>> composite(nn.ReLU()) is None  # one call, seen as such
    True
    """
    if type(module).__module__.startswith("torch."):
        return None
    said = _said(module)
    if said is not None or of_module(module) is not None:
        return said
    return of_class_name(type(module).__name__)
