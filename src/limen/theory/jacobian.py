"""How unevenly a stack of wide layers passes a gradient on: the spread of the singular values of its Jacobian."""

import numpy as np

from limen.errors import InvalidValue
from limen.theory.curve import Function, as_curve, checked_variance
from limen.theory.quadrature import means

__all__ = ["jacobian_spread"]


def jacobian_spread(activation: Function, depth: int, variance: float = 1.0, *, orthogonal: bool = False) -> float:
    r"""Variance of the squared singular values of the input-output Jacobian, in units of their squared mean.

    ``L (μ_2 / μ_1² - 1 - s_1)`` with ``μ_k = E[f'^{2k}]`` and ``s_1`` = -1 for Gaussian weights, 0 for orthogonal ones.
    0 is dynamical isometry: no direction grows or shrinks more than another. It grows with depth, with Gaussian
    weights at least by 1 per layer, and by a scale of the weights it is not changed.

    Args:
        activation: a catalogue entry or its name, a module, a ``Curve``, or a function of a tensor.
        depth: ``L``, layers that each apply weights and the function. >= 1.
        variance: ``q`` of the pre-activations, the same in all layers. Finite and > 0.
        orthogonal: whether the weights are (scaled) orthogonal matrices, or Gaussian.

    Raises:
        InvalidValue: ``depth`` or ``variance`` out of range, or the function is flat wherever it reaches.

    Accuracy: relative 1e-11 (``tests/theory/test_jacobian.py``).
    Source: Pennington, Schoenholz & Ganguli 2018, arXiv:1802.09979.

    >>> round(jacobian_spread("relu", 10), 9), round(jacobian_spread("relu", 10, orthogonal=True), 9)
    (20.0, 10.0)
    >>> round(jacobian_spread("tanh", 10, 0.01, orthogonal=True), 6)  # almost a straight line
    0.007273
    """
    if not isinstance(depth, int) or isinstance(depth, bool) or depth < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidValue(f"jacobian_spread(depth={depth!r}): expected a whole number >= 1, the layers.")
    curve, q = as_curve(activation), checked_variance("jacobian_spread", variance)
    first, second = means(lambda z: np.stack([curve.slope(z) ** 2, curve.slope(z) ** 4]), q, curve.breaks)
    if first <= 0:
        raise InvalidValue(
            f"jacobian_spread({activation!r}, variance={q!r}): its slope is 0 wherever it reaches, and so is the "
            "Jacobian. Ask at a variance that reaches where the function changes."
        )
    return depth * float(second / first**2 - 1 + (0 if orthogonal else 1))
