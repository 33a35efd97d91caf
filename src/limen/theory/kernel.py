"""What a wide layer makes of two inputs: means of products of a function at two correlated Gaussian numbers."""

import math

from limen.errors import InvalidValue
from limen.theory.curve import Curve, Function, as_curve, checked_variance
from limen.theory.moments import left_slope
from limen.theory.quadrature import Integrand, mean_of_pair, means

__all__ = ["kernel", "slope_kernel"]


def kernel(function: Function, correlation: float, variance: float = 1.0) -> float:
    r"""``E[f(u) f(v)]`` for Gaussian ``u`` and ``v`` of one variance and a given correlation.

    Args:
        function: as in ``moments``.
        correlation: ``c`` in [-1, 1].
        variance: ``q`` of both, in squared activation units. Finite and > 0.

    Returns:
        In squared units of the output. For ReLU the arc-cosine kernel
        ``q (sin θ + (π - θ) cos θ) / 2π`` with ``cos θ = c``.

    Raises:
        InvalidValue: ``correlation`` or ``variance`` out of range, or a function too wild to be integrated.

    Accuracy: 1e-12 of ``E[f²]`` for the catalogue (``tests/theory/test_kernel.py``).
    Source: Cho & Saul 2009, "Kernel Methods for Deep Learning"; Poole et al. 2016, arXiv:1606.05340.

    >>> round(kernel("relu", 0.0), 10) == round(1 / (2 * math.pi), 10)
    True
    """
    curve, q, c = as_curve(function), checked_variance("kernel", variance), _checked("kernel", correlation)
    left = left_slope(curve.entry)
    if left is None:
        return _pair(curve.value, curve, c, q)
    angle = math.acos(c)
    bent = (math.sin(angle) + (math.pi - angle) * c) / (2 * math.pi)
    return q * (left * c + (1 - left) ** 2 * bent)


def slope_kernel(function: Function, correlation: float, variance: float = 1.0) -> float:
    """``E[f'(u) f'(v)]``: by Price's theorem ``1/q`` times the derivative of ``kernel`` by the correlation.

    Arguments, errors and accuracy are those of ``kernel``.

    >>> slope_kernel("relu", 0.0)
    0.25
    """
    curve, q, c = as_curve(function), checked_variance("slope_kernel", variance), _checked("slope_kernel", correlation)
    left = left_slope(curve.entry)
    if left is None:
        return _pair(curve.slope, curve, c, q)
    return left + (1 - left) ** 2 * (math.pi - math.acos(c)) / (2 * math.pi)


def _checked(call: str, correlation: float) -> float:
    if -1 <= correlation <= 1:
        return float(correlation)
    raise InvalidValue(
        f"{call}(correlation={correlation!r}): expected a number in [-1, 1], the cosine between two inputs."
    )


def _pair(g: Integrand, curve: Curve, correlation: float, variance: float) -> float:
    if abs(correlation) < 1:
        return mean_of_pair(g, curve, variance, correlation)
    breaks = (*curve.breaks, *(-kink for kink in curve.breaks))
    return float(means(lambda z: (g(z) * g(correlation * z))[None], variance, breaks)[0])
