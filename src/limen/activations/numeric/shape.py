"""The properties of a function as a whole, from values and slopes at many places."""

import math
from typing import Literal

import numpy as np

from limen.activations.places import Curve, Floats
from limen.activations.sheet import Saved

__all__ = ["homogeneous", "limits", "never_falls", "one_sided", "parity", "saved"]

FAR = np.geomspace(1.2345678e6, 1.0987654e15, 9)
"""Where a limit is read: no round numbers, at which a wave or a staircase may happen to be the same."""

CLOSE = 1e-12
"""Share of a number by which rounding may change it."""


def never_falls(value: Floats, slope: Floats) -> bool:
    """Whether no slope is negative and no value is below the one before it, beyond rounding. Places ascend."""
    fall = value[:-1] - value[1:]
    return bool((slope >= -CLOSE * np.abs(slope).max(initial=0.0)).all() and (fall <= CLOSE * np.abs(value[1:])).all())


def one_sided(slope: Floats) -> bool:
    """Whether the slopes never fall from place to place, as those of a convex function. ``[places]``, ascending."""
    size = np.maximum(np.abs(slope[1:]), np.abs(slope[:-1]))
    return bool((slope[1:] >= slope[:-1] - 1e-10 * np.maximum(size, _usual(slope))).all())


def _usual(slope: Floats) -> float:
    return float(np.median(np.abs(slope))) if len(slope) else 0.0


def parity(f: Curve) -> Literal["odd", "even"] | None:
    """Whether the function or its mirror image meets the other half."""
    x = np.concatenate([np.linspace(0.01, 40.0, 1601), np.geomspace(1e-6, 1e3, 101)])
    there, back = f(x), f(-x)
    near = CLOSE * np.maximum(np.abs(there), np.abs(back))
    if bool((np.abs(there + back) <= near).all()):
        return "odd"
    return "even" if bool((np.abs(there - back) <= near).all()) else None


def homogeneous(f: Curve) -> int | None:
    """The ``k`` up to 3 for which ``f(c x) = c^k f(x)``."""
    x = np.linspace(-40.0, 40.0, 801)
    for k in range(4):
        if all(np.allclose(f(c * x), c**k * f(x), rtol=1e-9, atol=0.0) for c in (0.5, 2.0, 7.0)):
            return k
    return None


def limits(f: Curve, nearby: Floats) -> tuple[float | None, float | None]:
    """At minus and plus infinity: settled, growing without end, or None where neither can be said.

    Args:
        f: the function.
        nearby: values at ordinary places, ``[places]``: beside them a limit of 0 is told from a small number.
    """
    usual = float(np.abs(nearby).max(initial=0.0))
    return _limit(f(-FAR), usual), _limit(f(FAR), usual)


def _limit(far: Floats, usual: float) -> float | None:
    last = float(far[-1])
    if np.isnan(far).any():
        return None
    if math.isinf(last):
        return last
    if abs(last) <= CLOSE * usual:  # also where it is still on its way to 0
        return 0.0
    if float(np.ptp(far[3:])) <= 1e-6 * abs(last):
        return last
    steps = np.diff(np.abs(far))
    one_sign = bool((np.sign(far) == math.copysign(1, last)).all())
    return math.copysign(math.inf, last) if one_sign and bool((steps > 0.1 * steps[0]).all()) else None


def saved(slope: Floats) -> Saved:
    """What a backward pass needs of each element, from how many different slopes there are."""
    match len(np.unique(slope)):
        case 0 | 1:
            return "nothing"
        case 2:
            return "mask"
        case 3:
            return "signs"
        case _:
            return "input"
