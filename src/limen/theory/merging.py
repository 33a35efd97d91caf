"""How slowly inputs merge at a critical initialisation, where they do so as a power of the depth."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from limen.errors import InvalidValue
from limen.theory.curve import Curve, Function, as_curve, checked_variance
from limen.theory.quadrature import means

__all__ = ["Merging", "merging"]

JUMP = 1e-6
"""A slope that changes by less, between two places as close as double precision tells apart, does not jump."""


@dataclass(frozen=True)
class Merging:
    """After ``l`` layers, ``1 - c`` tends to ``factor / l ** power``, whatever the correlation was at first.

    Attributes:
        power: 1 for smooth functions, 2 for those whose slope jumps: these make inputs alike sooner.
        factor: dimensionless; infinite for a straight line, which keeps every correlation.
    """

    power: Literal[1, 2]
    factor: float


def merging(activation: Function, variance: float) -> Merging:
    r"""The law by which inputs merge in a stack whose ``χ_1`` is 1 at this variance.

    ``2 E[f'²] / (q E[f''²])`` with power 1 where the slope is continuous. Where it jumps by ``J_k`` at ``k``, with the
    density ``p`` of ``N(0, q)``: ``9 π / q · (E[f'²] / Σ J_k² p(k))²`` with power 2.

    Args:
        activation: a catalogue entry or its name, a module, or a ``Curve`` with all its kinks.
        variance: ``q`` of a critical point, as ``edge_of_chaos`` finds them. Finite and > 0.

    Raises:
        InvalidValue: ``variance`` is not a finite number > 0, or the function is flat wherever it reaches.

    Source: Hayou, Doucet & Rousseau 2019, arXiv:1902.06853, there with the factor of a ReLU.

    >>> merging("relu", 1.0).power, math.isclose(merging("relu", 1.0).factor, 9 * math.pi**2 / 2)
    (2, True)
    >>> round(merging("tanh", 0.57004788).factor, 4)
    6.1711
    """
    q, curve = checked_variance("merging", variance), as_curve(activation)
    slope, bend = means(lambda z: np.stack([curve.slope(z) ** 2, curve.curvature(z) ** 2]), q, curve.breaks)
    if slope <= 0:
        raise InvalidValue(
            f"merging({activation!r}, variance={q!r}): its slope is 0 wherever it reaches, so no weights make it "
            "critical. Ask at a variance that reaches where the function changes."
        )
    jumps = _jumps(curve, q)
    if jumps > 0:
        return Merging(2, float(9 * math.pi / q * (slope / jumps) ** 2))
    return Merging(1, float(2 * slope / (q * bend)) if bend > 0 else math.inf)


def _jumps(curve: Curve, variance: float) -> float:
    """The squares of the jumps of the slope, each times the density there."""
    at = np.array(curve.breaks)
    jumps = curve.slope(np.nextafter(at, np.inf)) - curve.slope(np.nextafter(at, -np.inf))
    jumps = np.where(np.abs(jumps) > JUMP, jumps, 0.0)
    return float(jumps**2 @ np.exp(-at * at / (2 * variance))) / math.sqrt(2 * math.pi * variance)
