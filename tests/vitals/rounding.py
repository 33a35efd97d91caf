"""Whether two values are the same but for the rounding of float64 sums that were taken in another order."""

import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from limen.vitals import Moments

ROUNDING = 1e-9  # also of a training of some dozen steps


def unequal(one: Any, other: Any, at: str = "") -> list[str]:
    """Where two values differ: integers in any bit, floats by more than rounding."""
    if isinstance(one, Moments):  # a mean near zero is only known to the rounding of the spread around it
        scale = np.sqrt(np.maximum(one.m2 / max(one.count, 1), one.mean**2))
        off = np.abs(one.mean - other.mean) > ROUNDING * scale
        off |= np.abs(one.m2 - other.m2) > ROUNDING * (scale**2 * one.count)
        return [at] if one.count != other.count or off.any() else []
    if isinstance(one, tuple) and isinstance(other, tuple):
        return all_unequal(one, other)
    if hasattr(one, "__dataclass_fields__"):
        pairs = [(f.name, getattr(one, f.name), getattr(other, f.name)) for f in fields(one)]
        return [found for name, a, b in pairs for found in unequal(a, b, f"{at}.{name}")]
    if isinstance(one, np.ndarray):
        whole = one.dtype.kind == "i"
        same = one.shape == other.shape and (
            np.array_equal(one, other) if whole else np.allclose(one, other, ROUNDING, ROUNDING, equal_nan=True)
        )
        return [] if same and one.dtype == other.dtype else [f"{at}: {one} {other}"]
    if isinstance(one, float):
        return [] if math.isclose(one, other, rel_tol=ROUNDING, abs_tol=ROUNDING) else [f"{at}: {one} {other}"]
    return [] if one == other else [f"{at}: {one} {other}"]


def all_unequal(ones: Sequence[object], others: Sequence[object]) -> list[str]:
    assert len(ones) == len(others) > 0
    return [found for one, other in zip(ones, others, strict=True) for found in unequal(one, other)]
