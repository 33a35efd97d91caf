"""The gain that an activation needs: the factor on ``1 / sqrt(fan)`` with which a signal keeps its size."""

import math

from limen.errors import InvalidValue
from limen.theory.curve import Function, checked_variance
from limen.theory.moments import moments

__all__ = ["backward_gain", "centred_gain", "forward_gain"]


def forward_gain(activation: Function, variance: float = 1.0) -> float:
    r"""Gain that keeps the pre-activation variance from one layer to the next.

    With ``z ~ N(0, q)`` and independent zero-mean weights of variance ``g² / fan_in``, the next layer's
    pre-activation variance is ``g² · E[f(z)²]``. Setting it to ``q`` gives ``g = sqrt(q / E[f(z)²])``. Kept does not
    mean attracting: with this gain a GELU, SiLU or Mish drives the variance away from ``q`` (see ``fixed_points``).

    Args:
        activation: a catalogue entry or its name, a module, a ``Curve``, or a function of a tensor.
        variance: ``q``, in squared activation units. Finite and > 0.

    Returns:
        ``g``, dimensionless. ``sqrt(2)`` for ReLU at every ``q``.

    Raises:
        InvalidValue: ``variance`` is not a finite number > 0, or the function is 0 wherever it reaches.

    Accuracy: relative error below 1e-12 for the catalogue (``tests/theory/test_gain.py``).
    Source: He et al. 2015, arXiv:1502.01852, Eq. 10, with ReLU replaced by any ``f``.

    >>> round(forward_gain("relu"), 6)
    1.414214
    >>> round(forward_gain("gelu"), 6)
    1.53353
    """
    variance = checked_variance("forward_gain", variance)
    return _inverse_root("forward_gain", activation, variance, moments(activation, variance).square / variance, "value")


def backward_gain(activation: Function, variance: float = 1.0) -> float:
    r"""Gain that keeps the variance of the gradient from one layer to the one below.

    With independent zero-mean weights of variance ``g² / fan_out`` the gradient's variance is multiplied by
    ``g² · E[f'(z)²]`` on its way through a layer; 1 is ``g = 1 / sqrt(E[f'(z)²])``. It equals ``forward_gain`` only
    for functions straight on both sides of 0; otherwise no one gain keeps both.

    Args:
        activation: as in ``forward_gain``.
        variance: ``q`` of the pre-activations, in squared activation units. Finite and > 0.

    Returns:
        ``g``, dimensionless.

    Raises:
        InvalidValue: ``variance`` is not a finite number > 0, or the function is flat wherever it reaches.

    Accuracy: relative error below 1e-12 for the catalogue (``tests/theory/test_gain.py``).
    Source: He et al. 2015, arXiv:1502.01852, Eq. 14, with ReLU replaced by any ``f``.

    >>> round(backward_gain("tanh"), 6)
    1.467414
    """
    variance = checked_variance("backward_gain", variance)
    return _inverse_root("backward_gain", activation, variance, moments(activation, variance).slope_square, "slope")


def centred_gain(activation: Function, variance: float = 1.0) -> float:
    r"""Gain that gives the outputs, freed of their mean, the variance of the pre-activations.

    ``g = sqrt(q / (E[f²] - E[f]²))``, for weights whose rows sum to 0 (weight standardisation) and so pass no mean on.

    Args:
        activation: as in ``forward_gain``.
        variance: ``q``, in squared activation units. Finite and > 0.

    Returns:
        ``g``, dimensionless.

    Raises:
        InvalidValue: ``variance`` is not a finite number > 0, or the function is constant wherever it reaches.

    Accuracy: relative error below 1e-10 for the catalogue (``tests/theory/test_gain.py``).
    Source: Brock, De & Smith 2021, arXiv:2101.08692, Sec. 3, there by Monte Carlo.

    >>> round(centred_gain("relu"), 6)  # the paper's 1 / sqrt((1 - 1/π) / 2)
    1.712859
    """
    variance = checked_variance("centred_gain", variance)
    share = moments(activation, variance).output_variance / variance
    return _inverse_root("centred_gain", activation, variance, share, "deviation from its mean")


def _inverse_root(call: str, activation: Function, variance: float, share: float, what: str) -> float:
    if share > 0:
        return math.sqrt(1 / share)
    raise InvalidValue(
        f"{call}({activation!r}, variance={variance!r}): the mean square of its {what} is {share:.3g}, so no gain "
        "keeps a signal. Ask at a variance that reaches where the function changes."
    )
