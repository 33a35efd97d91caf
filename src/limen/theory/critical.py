"""Initialisations at which neither gradients nor small differences between inputs grow or decay with depth."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from limen.errors import InvalidValue
from limen.theory.curve import Curve, Function, as_curve
from limen.theory.fixed_points import Stability, roots, slope_at_zero, stability_of
from limen.theory.moments import Moments, moments

__all__ = ["CriticalPoint", "edge_of_chaos", "half_stable_points"]


@dataclass(frozen=True)
class CriticalPoint:
    """Weights and biases, and the variance they keep, for which ``χ_1 = 1``.

    Attributes:
        weight_variance: ``σ_w²``, the variance of a weight times ``fan_in``.
        bias_variance: ``σ_b²``, in squared activation units.
        variance: ``q*`` of the pre-activations; 0 where it is only reached in the limit of small signals.
        chi_q: slope of the length map there.
    """

    weight_variance: float
    bias_variance: float
    variance: float
    chi_q: float

    @property
    def stability(self) -> Stability:
        """Whether a stack with these weights and biases comes to that variance by itself."""
        return stability_of(self.chi_q)


def edge_of_chaos(activation: Function, bias_variance: float = 0.0) -> tuple[CriticalPoint, ...]:
    """The weights that, with biases of this variance, put a stack between order and chaos.

    ``χ_1 = 1`` asks for ``σ_w² = 1 / E[f'²]``, and to keep ``q`` for ``q = σ_b² + E[f²] / E[f'²]``.

    Args:
        activation: a catalogue entry or its name, a module, a ``Curve``, or a function of a tensor.
        bias_variance: ``σ_b²``, in squared activation units. Finite and >= 0.

    Returns:
        Every such point at 0 and between the variances 1e-6 and 1e6, ascending; none where there is none. One that
        ``repels`` exists on paper: a stack leaves it, layer by layer.

    Raises:
        InvalidValue: ``bias_variance`` is not a finite number >= 0, or the function is not finite up to variance 1e6.

    Accuracy: relative 1e-9 (``tests/theory/test_critical.py``).
    Source: Schoenholz et al. 2017, arXiv:1611.01232, Sec. 3; Hayou et al. 2019, arXiv:1902.06853.

    >>> [(round(p.weight_variance, 6), p.stability) for p in edge_of_chaos("tanh", 0.05)]
    [(1.760955, 'attracts')]
    >>> edge_of_chaos("relu")
    (CriticalPoint(weight_variance=2.0, bias_variance=0.0, variance=0.0, chi_q=1.0),)
    >>> edge_of_chaos("softplus")
    ()
    """
    if not (math.isfinite(bias_variance) and bias_variance >= 0):
        raise InvalidValue(
            f"edge_of_chaos(bias_variance={bias_variance!r}): expected a finite number >= 0, the variance of a bias."
        )
    curve = as_curve(activation)

    def missing(q: float) -> float:
        """The bias variance that the point at ``q`` lacks, as a share of ``q``."""
        return (_bias(moments(curve, q)) - bias_variance) / q

    at_zero = _small_signals(curve) if bias_variance == 0 else ()
    points = (replace(_point(moments(curve, q)), bias_variance=float(bias_variance)) for q in roots(missing))
    return (*at_zero, *points)


def half_stable_points(activation: Function) -> tuple[CriticalPoint, ...]:
    """Where a stack is critical for length and angle at once: ``χ_q = χ_1 = 1``.

    For functions such as GELU, SiLU and Mish the variance that ``forward_gain`` keeps repels. This is the best there is
    for them: variances close by on one side of ``q*`` come closer, slowly, those on the other leave, slowly. They need
    not get far: with the weights of SiLU's point, another one 2 % above attracts.

    Returns:
        The points between the variances 1e-6 and 1e6 with ``σ_b² >= 0``, ascending; none for tanh, ELU or sigmoid, nor
        for functions straight on both sides of 0, for which every variance is one.

    Raises:
        InvalidValue: the function is not finite at variances up to 1e6.

    Accuracy: relative 1e-8 (``tests/theory/test_critical.py``).
    Source: Roberts, Yaida & Hanin 2022, arXiv:2106.10165, Sec. 5.3.4.

    >>> (gelu,) = half_stable_points("gelu")
    >>> round(gelu.weight_variance, 8), round(gelu.bias_variance, 8), math.isclose(gelu.variance, (3 + 17**0.5) / 2)
    (1.98305826, 0.17292239, True)
    """
    curve = as_curve(activation)

    def excess(q: float) -> float:
        found = moments(curve, q)
        return _over(found.growth, found.slope_square) - 1

    points = (_point(moments(curve, q)) for q in roots(excess))
    return tuple(point for point in points if point.bias_variance >= 0)


def _bias(found: Moments) -> float:
    return found.variance - _over(found.square, found.slope_square)


def _over(moment: float, slope_square: float) -> float:
    """A ratio; no number where the function is flat wherever this variance reaches, as a shrinkage is around 0."""
    return moment / slope_square if slope_square > 0 else math.nan


def _point(found: Moments) -> CriticalPoint:
    return CriticalPoint(1 / found.slope_square, _bias(found), found.variance, found.growth / found.slope_square)


def _small_signals(curve: Curve) -> Iterator[CriticalPoint]:
    """The critical point that every function through 0 has there, unless it is flat."""
    if curve.value(np.zeros(1))[0] == 0 and (square := slope_at_zero(curve)) > 0:
        yield CriticalPoint(1 / square, 0.0, 0.0, 1.0)
