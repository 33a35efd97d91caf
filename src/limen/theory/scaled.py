# ruff: noqa: D102 - the interface says what each method is
"""A function with another scale and place of its argument and its value, and the maps of a layer that applies it."""

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from limen.activations import Activation
from limen.errors import InvalidValue
from limen.theory.curve import Curve, as_curve, derivative
from limen.theory.quadrature import rule

__all__ = ["LocalMaps", "Scaled", "local_maps"]


@dataclass(frozen=True)
class Scaled(Activation):
    """``output_scale · (f(input_scale · x + input_shift) + output_shift)``: an activation like those of the catalogue.

    Attributes:
        base: ``f``.
        input_scale: > 0.
        input_shift: in units of the argument of ``f``.
        output_scale: > 0.
        output_shift: in units of the value of ``f``.

    >>> import torch
    >>> Scaled(as_curve("tanh").entry, 1.0, 0.0, 2.0, 0.5).f(torch.zeros(1))
    tensor([1.])
    """

    base: Activation | Curve
    input_scale: float
    input_shift: float
    output_scale: float
    output_shift: float

    name = "scaled"
    source = "Martens et al. 2021, arXiv:2110.01765"

    def __post_init__(self) -> None:
        for scale in ("input_scale", "output_scale"):
            value = getattr(self, scale)
            if not (math.isfinite(value) and value > 0):
                raise InvalidValue(f"Scaled({scale}={value!r}): expected a finite number > 0.")

    @property
    def kinks(self) -> tuple[float, ...]:
        return tuple((kink - self.input_shift) / self.input_scale for kink in self.base.kinks)

    @property
    def monotone(self) -> bool:
        return isinstance(self.base, Activation) and self.base.monotone

    def f(self, x: Tensor) -> Tensor:
        return self.output_scale * (self.base.f(self._inner(x)) + self.output_shift)

    def df(self, x: Tensor) -> Tensor:
        slope = self.base.df or derivative(self.base.f)
        return self.output_scale * self.input_scale * slope(self._inner(x))

    def d2f(self, x: Tensor) -> Tensor:
        base = self.base
        curvature = base.d2f if isinstance(base, Activation) else derivative(base.df or derivative(base.f))
        return self.output_scale * self.input_scale**2 * curvature(self._inner(x))

    def __call__(self, x: Tensor) -> Tensor:
        """``f(x)``."""
        return self.f(x)

    def _inner(self, x: Tensor) -> Tensor:
        return self.input_scale * x + self.input_shift


@dataclass(frozen=True)
class LocalMaps:
    """What a wide layer makes of inputs of variance 1: weights of variance ``1 / fan_in``, no biases.

    Attributes:
        variance: ``Q(1)``, of the value length map.
        chi_q: ``Q'(1)``.
        correlation: ``C(0)``, of the correlation map.
        chi_1: ``C'(1)``.
        curvature: ``C''(1)``; infinite where the slope of the function jumps.
    """

    variance: float
    chi_q: float
    correlation: float
    chi_1: float
    curvature: float


JUMP = 1e-6
"""Integrals by parts that differ by more than this share show that a slope jumps."""


def local_maps(function: Scaled) -> LocalMaps:
    """The local maps of a function, by quadrature between its kinks.

    Accuracy: relative 1e-12, less what is lost where ``output_scale`` times the value is large beside the result.
    """
    curve = as_curve(function)
    breaks = (*function.kinks, -function.input_shift / function.input_scale, 0.0)
    z, weight = rule(breaks, 1.0, min(1.0, 1 / function.input_scale))
    value, slope, bend = curve.value(z), curve.slope(z), curve.curvature(z)
    averages = np.stack([value, value**2, slope**2, z * value * slope, bend**2]) @ weight
    mean, square, slope_square, chi_q, bend_square = (float(each) for each in averages)
    by_parts = np.stack([z * slope - bend, (z * z - 1) * slope - z * bend]) @ weight
    jumps = bool(np.abs(by_parts).max() > JUMP * math.sqrt(slope_square))
    curvature = math.inf if jumps else bend_square / square
    return LocalMaps(square, chi_q, mean**2 / square, slope_square / square, curvature)
