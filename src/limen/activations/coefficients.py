"""Parameters that are rows of numbers, as the learned functions have."""

import math
from collections.abc import Iterable

from limen.activations.interface import Activation
from limen.errors import InvalidValue

__all__ = ["settle_numbers"]


def settle_numbers(entry: Activation, parameter: str, *, least: int = 1) -> tuple[float, ...]:
    """Turn a row of numbers, given as any sequence, into a tuple of floats, and refuse what is not one.

    Raises:
        InvalidValue: fewer than ``least``, or something that is not a finite number; says entry, parameter and value.
    """
    given: object = getattr(entry, parameter)
    row = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (math.nan,)
    plain = all(isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in row)
    if not plain or len(row) < least:
        raise InvalidValue(
            f"{entry.name}({parameter}={given!r}): expected a sequence of {least} or more finite numbers."
        )
    numbers = tuple(float(one) for one in row)
    object.__setattr__(entry, parameter, numbers)  # the dataclass is frozen, and this is its construction
    return numbers
