"""A user's function as three curves in double precision, once it is sure that it is a function of each number alone."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from limen.activations.interface import Activation
from limen.activations.numeric.breaks import fine
from limen.activations.places import Bools, Curve, Floats, even
from limen.errors import InvalidValue

__all__ = ["Elementwise", "Subject", "disagreement", "subject"]

Elementwise = Callable[[Tensor], Tensor]

STEP = 1e-7
"""Half the distance over which differences are taken where autograd knows no slope."""

WAY_OUT = "Expected a function of each number by itself, such as torch.tanh; softmax and gated units are none."


@dataclass(frozen=True, eq=False)
class Subject:
    """A function with its slope and curvature, from arrays to arrays of double precision.

    Attributes:
        name: what messages call it.
        f: the value.
        df: the slope, by autograd where that is the slope of ``f``, else by differences.
        d2f: the curvature, likewise.
        autograd: the slope that a training would use; None where autograd has none.
        apart: how far from each other two places must be to be told apart.
    """

    name: str
    f: Curve
    df: Curve
    d2f: Curve
    autograd: Curve | None
    apart: Curve


def subject(given: Activation | nn.Module | Elementwise) -> Subject:
    """What was given, as a subject.

    Raises:
        InvalidValue: it is not callable, raises, or is not a function of each number by itself in double precision.
    """
    name, function = _function(given)
    _check(name, function)
    value = _unrecorded(function)
    slope = _slope(function)
    usable = _try(slope)
    if usable and _agree(value, slope):
        curvature = _slope(lambda x: _graph(function, x))
        second = curvature if _try(curvature) else _differences(slope)
        return Subject(name, value, slope, second, slope, fine)
    by_differences = _differences(value)
    second = _differences(by_differences, 1e-4)
    return Subject(name, value, by_differences, second, slope if usable else None, coarse)


def coarse(x: Floats) -> Floats:
    """How far from each other two places must be to be told apart where slopes are differences."""
    return 10 * STEP * np.maximum(1.0, np.abs(x))


def _function(given: Any) -> tuple[str, Elementwise]:
    """What to call it, and the function; a module is copied to double precision, and left as it is."""
    if isinstance(given, Activation):
        return repr(given), given.f
    if isinstance(given, nn.Module):
        return type(given).__name__, copy.deepcopy(given).double().cpu()
    if callable(given):
        return getattr(given, "__name__", type(given).__name__), cast(Elementwise, given)
    raise InvalidValue(f"describe({given!r}): a {type(given).__name__} cannot be called. {WAY_OUT}")


def _check(name: str, function: Elementwise) -> None:
    """Refuse what is no function of each number by itself."""
    x = torch.linspace(-8.0, 8.0, 256, dtype=torch.float64) + 1 / 300
    whole = _asked(name, function, x)
    if not torch.equal(whole.nan_to_num(), _asked(name, function, x).nan_to_num()):
        raise InvalidValue(
            f"describe({name}): two calls with the same numbers give different ones. Describe it without its "
            "randomness: a module after .eval()."
        )
    if not bool(whole.isfinite().any()):
        raise InvalidValue(f"describe({name}): it is finite nowhere from -8 to 8, so nothing can be told of it.")
    parts = {
        "alone": torch.cat([_asked(name, function, x[i : i + 1]) for i in range(0, 256, 16)]),
        "in another order": _asked(name, function, x.flip(0)).flip(0)[::16],
        "as a matrix": _asked(name, function, x.reshape(16, 16)).reshape(-1)[::16],
    }
    for how, found in parts.items():
        same = torch.isclose(found, whole[::16], rtol=1e-9, atol=1e-12, equal_nan=True)
        if not bool(same.all()):
            at = int((~same).int().argmax())
            raise InvalidValue(
                f"describe({name}): at x = {float(x[::16][at]):.4g} it gives {float(whole[::16][at]):.6g} among other "
                f"numbers and {float(found[at]):.6g} {how}. {WAY_OUT}"
            )


def _asked(name: str, function: Elementwise, x: Tensor) -> Tensor:
    """What the function makes of a copy of some doubles."""
    try:
        with torch.no_grad():
            y: Any = function(x.clone())
    except Exception as error:
        words = str(error).strip().split("\n")[0].rstrip(".")
        raise InvalidValue(
            f"describe({name}): it raised {type(error).__name__} for doubles of shape {list(x.shape)}: {words}. "
            f"{WAY_OUT}"
        ) from error
    if not isinstance(y, Tensor) or y.shape != x.shape:
        kind = type(y).__name__
        article = "an" if kind[0] in "aeiou" else "a"
        found = f"a tensor of shape {list(y.shape)}" if isinstance(y, Tensor) else f"{article} {kind}"
        raise InvalidValue(f"describe({name}): it made {found} of one of shape {list(x.shape)}. {WAY_OUT}")
    if y.dtype != torch.float64:
        raise InvalidValue(
            f"describe({name}): it made {y.dtype} of doubles, which are too coarse to find kinks and slopes in. Keep "
            "the type of the input: numbers of its own as torch.tensor(..., dtype=x.dtype)."
        )
    return y


def _unrecorded(function: Elementwise) -> Curve:
    def value(x: Floats) -> Floats:
        with torch.no_grad():
            return function(torch.from_numpy(x.copy())).numpy(force=True).copy()

    return value


def _graph(function: Elementwise, x: Tensor) -> Tensor:
    """The slope at the places ``x``, which themselves take part in a graph."""
    y = function(x.clone())  # a function in place may not change a leaf
    if not y.requires_grad:
        return torch.zeros_like(x)
    # unused where it depends on parameters, but not on x
    (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True, allow_unused=True, materialize_grads=True)
    return slope


def _slope(function: Elementwise) -> Curve:
    """The slope of a function by autograd."""

    def slope(x: Floats) -> Floats:
        with torch.inference_mode(False), torch.enable_grad():
            found = _graph(function, torch.from_numpy(x.copy()).requires_grad_())
        return found.numpy(force=True).copy()

    return slope


def _try(slope: Curve) -> bool:
    """Whether autograd has a slope at all."""
    try:
        slope(np.linspace(-2.0, 2.0, 9))
    except Exception:  # what autograd cannot do it says in many ways
        return False
    return True


def _differences(curve: Curve, step: float = STEP) -> Curve:
    def slope(x: Floats) -> Floats:
        width = step * np.maximum(1.0, np.abs(x))
        above, below = x + width, x - width
        return (curve(above) - curve(below)) / (above - below)

    return slope


def _agree(value: Curve, slope: Curve) -> bool:
    """Whether a slope is that of the function at nearly all places; at kinks it may be another."""
    x = even() + 1 / 300
    with np.errstate(invalid="ignore", over="ignore"):
        wrong = disagreement(value, slope, x)
    return float(wrong.mean()) < 0.01


def disagreement(value: Curve, slope: Curve, x: Floats) -> Bools:
    """Where a slope is not that of the differences of the function. ``[places]``."""
    found, seen = slope(x), _differences(value, 1e-5)(x)
    known = np.isfinite(found) & np.isfinite(seen)
    usual = np.abs(found[known & (np.abs(x) <= 1)]).max(initial=0.0)
    rounding = 1e-10 * np.abs(value(x))  # of the two values, over their distance
    return known & (np.abs(found - seen) > 1e-4 * np.maximum(np.abs(seen), usual) + rounding)
