"""Where a function of one number crosses zero."""

import math
from collections.abc import Callable

__all__ = ["crossing"]


def crossing(function: Callable[[float], float], low: float, high: float) -> float:
    """A zero of a continuous function that has different signs at two places, to the last digits.

    NaN if the function is NaN where it is asked on the way.

    Source: Ridders 1979, IEEE Transactions on Circuits and Systems 26.

    >>> crossing(lambda x: x * x - 2, 0.0, 2.0) == math.sqrt(2)
    True
    """
    below, above = function(low), function(high)
    if below == 0 or above == 0:
        return low if below == 0 else high
    last = math.nan
    while True:
        middle = (low + high) / 2
        if not min(low, high) < middle < max(low, high):
            return middle
        at_middle = function(middle)
        if math.isnan(at_middle):
            return math.nan
        bend = math.sqrt(at_middle * at_middle - below * above)
        guess = middle + (middle - low) * math.copysign(1, below - above) * at_middle / bend
        at_guess = function(guess)
        if math.isnan(at_guess):
            return math.nan
        if at_middle == 0 or at_guess == 0 or abs(guess - last) <= 2e-16 * abs(guess):
            return middle if at_middle == 0 else guess
        last = guess
        if (at_guess > 0) != (at_middle > 0):
            low, below, high, above = middle, at_middle, guess, at_guess
        elif (at_guess > 0) != (below > 0):
            high, above = guess, at_guess
        else:
            low, below = guess, at_guess
