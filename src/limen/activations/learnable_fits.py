"""Coefficients of learned functions fitted to a named shape, so that training begins with a function that is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from limen.activations.base import get
from limen.activations.gated import SiLU
from limen.activations.interface import Activation
from limen.activations.learnable_slopes import APL
from limen.activations.learnable_splines import KANSpline, LinearSpline, bell, centres, even
from limen.errors import InvalidValue

__all__ = ["fitted_bells", "fitted_hinges", "fitted_quotient", "fitted_spline", "sampled", "shape_at", "shape_named"]

Floats = npt.NDArray[np.floating[Any]]

POINTS = 2001
"""Evenly spaced places at which a shape and its fit are compared."""


def shape_named(call: str, shape: str | Activation) -> Activation:
    """The entry that a shape is or is named after.

    Raises:
        UnknownName: no entry bears the name.
        InvalidValue: an entry of several inputs, or of none.
    """
    entry: Any = get(shape) if isinstance(shape, str) else shape
    if isinstance(entry, Activation):
        return entry
    raise InvalidValue(
        f"{call}(init={shape!r}): expected an elementwise function of limen.activations or its name, such as 'relu'."
    )


def shape_at(shape: Activation, places: Floats) -> Floats:
    """The values of a shape at some places, in double precision."""
    with torch.inference_mode(False), torch.no_grad():
        return shape.f(torch.from_numpy(np.ascontiguousarray(places))).numpy()


def sampled(shape: Activation, *, knots: int, low: float, high: float) -> LinearSpline:
    """The linear spline that has the values of a shape at its knots."""
    values = shape_at(shape, np.array(even(low, high, knots)))
    return LinearSpline(tuple(values.tolist()), low, high)


def fitted_hinges(shape: Activation, hinges: Sequence[float], *, reach: float = 5.0) -> APL:
    """The adaptive piecewise linear function with these hinges that is nearest to a shape between ``±reach``."""
    flat = APL((0.0,) * len(hinges), tuple(hinges))  # which refuses hinges that are none
    x = np.linspace(-reach, reach, POINTS)
    basis = np.maximum(np.array(flat.hinges) - x[:, None], 0)  # [points, hinges]
    slopes = np.linalg.lstsq(basis, shape_at(shape, x) - np.maximum(x, 0), rcond=None)[0]
    return APL(tuple(slopes.tolist()), flat.hinges)


def fitted_bells(values: Floats, x: Floats, *, count: int, low: float, high: float) -> Floats:
    """The coefficients of the cubic spline on a grid that is nearest to some values: ``[..., count]``.

    Args:
        values: ``[..., points]``.
        x: ``[points]``, where they are.
        count: of coefficients.
        low: the first place of the grid.
        high: its last.
    """
    step = (high - low) / (count - 3)
    places = (x[:, None] - np.array(centres(low, high, count))) / step  # [points, count]
    basis = bell(torch.from_numpy(places)).numpy()
    return np.linalg.lstsq(basis, values.reshape(-1, len(x)).T, rcond=None)[0].T.reshape(*values.shape[:-1], count)


def fitted_spline(shape: Activation, *, count: int, low: float, high: float) -> KANSpline:
    """``silu`` and the cubic spline with which it is nearest to a shape on a grid."""
    x = np.linspace(low, high, POINTS)
    rest = shape_at(shape, x) - shape_at(SiLU(), x)
    coefficients = fitted_bells(rest, x, count=count, low=low, high=high)
    return KANSpline(tuple(coefficients.tolist()), low, high)


def fitted_quotient(shape: Activation, *, reach: float = 5.0) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Numerator and denominator, of degrees 5 and 4, of the quotient nearest to a shape between ``±reach``.

    Nearest in the mean square, among those with an even denominator ``1 + r2² x² + r4² x⁴``, which have no kinks. For
    shapes that are odd or even but for a straight line, as ReLU, GELU, SiLU and tanh are, an odd part would not help.

    Gauss-Newton steps, damped after Marquardt 1963; given the denominator the numerator is linear (Golub & Pereyra
    1973, SIAM J. Numer. Anal. 10).

    Args:
        shape: what to fit.
        reach: half the width of the interval. The paper has 3, outside which the fit to GELU would grow as ``x²``.
    """
    x = np.linspace(-reach, reach, POINTS)
    target = shape_at(shape, x)
    roots, damping = np.array([1.0, 0.3]), 1e-3  # of b2 and b4
    numerator, off = _given(roots, x, target)
    for _ in range(200):
        slopes = _slopes_of_the_rest(roots, numerator, x)
        normal, gradient = slopes.T @ slopes, slopes.T @ off
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-12), gradient)
        tried, rest = _given(roots - step, x, target)
        if rest @ rest < off @ off:
            gained = 1 - (rest @ rest) / (off @ off)
            roots, numerator, off, damping = roots - step, tried, rest, damping / 4
            if gained < 1e-14:
                break
        else:
            damping *= 5
            if damping > 1e8:
                break
    b2, b4 = (float(root**2) for root in roots)
    return tuple(numerator.tolist()), (0.0, b2, 0.0, b4)


def _basis(roots: Floats, x: Floats) -> Floats:
    """The powers of ``x`` over the denominator: ``[points, 6]``."""
    denominator = 1 + roots[0] ** 2 * x**2 + roots[1] ** 2 * x**4
    return np.stack([x**power for power in range(6)], axis=1) / denominator[:, None]


def _given(roots: Floats, x: Floats, target: Floats) -> tuple[Floats, Floats]:
    """The best numerator for a denominator, and what is left of the target, with the sign of the fit."""
    basis = _basis(roots, x)
    numerator = np.linalg.lstsq(basis, target, rcond=None)[0]
    return numerator, basis @ numerator - target


def _slopes_of_the_rest(roots: Floats, numerator: Floats, x: Floats) -> Floats:
    """How the rest moves with the two roots while the numerator follows: ``[points, 2]`` (Kaufman 1975)."""
    basis = _basis(roots, x)
    share = (basis @ numerator)[:, None] / (1 + roots[0] ** 2 * x**2 + roots[1] ** 2 * x**4)[:, None]
    slopes = -share * np.stack([2 * roots[0] * x**2, 2 * roots[1] * x**4], axis=1)
    return slopes - basis @ np.linalg.lstsq(basis, slopes, rcond=None)[0]
