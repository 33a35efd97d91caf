"""Activations on NumPy arrays: for teaching, and to compare other implementations with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from limen.errors import WrongType

__all__ = ["OnArrays"]

KEPT = ("float16", "float32", "float64")


@dataclass(frozen=True)
class OnArrays:
    """Value, slope and curvature of one activation, from arrays to arrays.

    They are the catalogue's own, with the same bits: a copy of the array is handed to torch, and the result handed
    back. Half, single and double precision are kept; integers become doubles, as NumPy's own functions make them; a
    number gives a number. Nothing is recorded for autograd.

    Raises:
        WrongType: complex numbers, truth values, text and whatever else is no real number (also a ``TypeError``).

    >>> from limen.activations import ReLU
    >>> ReLU().numpy.f(np.array([-3.0, -1.0, 0.0, 0.5]))
    array([0. , 0. , 0. , 0.5])
    >>> float(ReLU().numpy.df(3))
    1.0
    """

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    curvature: Callable[[Tensor], Tensor]

    def f(self, x: npt.ArrayLike) -> Any:
        """Value, in the shape and type of ``x``."""
        return _applied(self.value, x)

    def df(self, x: npt.ArrayLike) -> Any:
        """Slope."""
        return _applied(self.slope, x)

    def d2f(self, x: npt.ArrayLike) -> Any:
        """Curvature."""
        return _applied(self.curvature, x)


def _applied(function: Callable[[Tensor], Tensor], x: npt.ArrayLike) -> Any:
    given = np.asarray(x)
    kind = given.dtype.newbyteorder("=")
    if kind.kind in "iu":
        kind = np.dtype(np.float64)
    if kind.name not in KEPT:
        raise WrongType(
            f".numpy.{function.__name__}(x): expected real numbers in half, single or double precision, "
            f"found {given.dtype}. `np.asarray(x, dtype=float)` makes doubles."
        )
    with torch.no_grad():
        y = function(torch.from_numpy(np.array(given, dtype=kind, order="C")))
    return y.numpy()[()]  # which makes a number of an array without axes
