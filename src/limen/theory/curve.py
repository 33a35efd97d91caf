"""A function of one number that the theory can be asked about: a catalogue entry, a module or a user's own."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from limen.activations import Activation, Entry, InDoubles, get, of_module
from limen.errors import InvalidValue

__all__ = ["Curve", "Elementwise", "Floats", "Function", "as_curve", "checked_variance", "derivative"]

Floats = npt.NDArray[np.float64]
Elementwise = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Curve:
    """A function with its slope, for whatever is not in the catalogue.

    Attributes:
        f: the function, from a tensor of any shape to one of the same shape.
        df: its slope likewise; None lets autograd find it.
        kinks: where the slope, or one of its own derivatives, is not continuous. A kink at 0 need not be named. One
            that is missing costs time in one dimension and accuracy in two.
        name: what messages call it.
        entry: the catalogue's entry that it is, if any: that one may have closed forms.
        jumps: where the value itself jumps. No slope tells of it: ``df`` is that of the pieces between. Must be named.

    >>> Curve(torch.sin, torch.cos, name="sin").slope(np.zeros(1))
    array([1.])
    """

    f: Elementwise
    df: Elementwise | None = None
    kinks: tuple[float, ...] = ()
    name: str = "f"
    entry: Activation | None = None
    jumps: tuple[float, ...] = ()

    @property
    def breaks(self) -> tuple[float, ...]:
        """Where quadrature begins anew: the kinks, the jumps, the places where the slope bends, and 0."""
        bends = self.entry.sheet.bends if isinstance(self.entry, Entry) else ()
        return tuple(sorted({0.0, *self.kinks, *self.jumps, *bends}))

    def value(self, x: Floats) -> Floats:
        """``f`` in double precision; InvalidValue where it is not finite or has another shape."""
        with torch.no_grad():
            return self._checked("value", x, self.f(torch.from_numpy(x)))

    def slope(self, x: Floats) -> Floats:
        """``f'`` in double precision, with the same refusals."""
        with torch.no_grad():
            return self._checked("slope", x, (self.df or derivative(self.f))(torch.from_numpy(x)))

    def curvature(self, x: Floats) -> Floats:
        """``f''`` in double precision, with the same refusals: between kinks; jumps of the slope are not seen."""
        known = self.entry.d2f if self.entry else derivative(self.df or derivative(self.f))
        with torch.no_grad():
            return self._checked("curvature", x, known(torch.from_numpy(x)))

    def _checked(self, what: str, x: Floats, y: Tensor) -> Floats:
        if not isinstance(y, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValue(f"The {what} of {self.name} is of type {type(y).__name__}. Expected a tensor.")
        found: Floats = y.detach().double().numpy(force=True)
        if found.shape != x.shape:
            raise InvalidValue(
                f"The {what} of {self.name} at numbers of shape {list(x.shape)} has shape {list(found.shape)}. "
                "Expected a function of each number by itself; softmax and gated units are not."
            )
        if not np.isfinite(found).all():
            at = float(x[~np.isfinite(found)][0])
            raise InvalidValue(
                f"The {what} of {self.name} is not finite at x = {at:.6g}, which this variance reaches. "
                "Ask for a smaller variance, or write the function so that it does not overflow there."
            )
        return found


def derivative(function: Elementwise) -> Elementwise:
    """The slope of a function of each number by itself, found by autograd; it has a derivative in turn."""

    def slope(x: Tensor) -> Tensor:
        with torch.inference_mode(False), torch.enable_grad():
            z = x if x.requires_grad else x.clone().requires_grad_()
            y = function(z)
            return torch.autograd.grad(y.sum(), z, create_graph=True)[0] if y.requires_grad else torch.zeros_like(z)

    return slope


Function = Activation | Curve | Elementwise | str
"""What the theory takes: a catalogue entry or its name, a module, a curve, or a function of a tensor."""


def as_curve(function: Function) -> Curve:
    """Any of them as a curve; modules that the catalogue knows become its entries.

    Raises:
        UnknownName: a name that is not in the catalogue.
        InvalidValue: something that is none of them, or the name of a gated unit or a head.

    >>> as_curve("hardtanh").breaks
    (-1.0, 0.0, 1.0)
    """
    if isinstance(function, Curve):
        return function
    entry = get(function, kind="elementwise") if isinstance(function, str) else function
    if isinstance(entry, nn.Module):
        entry = of_module(entry) or entry
    if isinstance(entry, Activation):
        jumps = entry.sheet.jumps if isinstance(entry, Entry) else ()
        return Curve(InDoubles(entry.f), InDoubles(entry.df), entry.kinks, repr(entry), entry, jumps)
    if callable(entry):
        return Curve(entry, name=getattr(entry, "__name__", type(entry).__name__))
    raise InvalidValue(
        f"Expected an activation, its name, a Curve or a function of a tensor, found {entry!r}. "
        'limen.activations.names(kind="elementwise") lists those of the catalogue.'
    )


def checked_variance(call: str, variance: float) -> float:
    """What a caller gave as the variance of pre-activations, as a plain number.

    Raises:
        InvalidValue: it is not a finite number > 0.
    """
    try:
        number = math.nan if isinstance(variance, bool | str) else float(variance)
    except (TypeError, ValueError):
        number = math.nan
    if math.isfinite(number) and number > 0:
        return number
    constant = " A measured 0.0 means the layer's input is constant." if number == 0 else ""
    raise InvalidValue(
        f"{call}(variance={variance!r}): expected a finite number > 0, the variance of the pre-activations.{constant}"
    )
