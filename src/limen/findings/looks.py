"""What looking again and again costs: how many standard errors a difference must have to be none of chance."""

from __future__ import annotations

__all__ = ["BEYOND", "margin"]

BEYOND = 4.0
"""Standard errors beyond which a difference is told.

A training is examined at step 20, every 10 steps until step 100, and from then on each time it has grown by a tenth: 58
times in 10,000 steps, 106 times in a million, 155 times in a hundred million. A normal variable exceeds 4 standard
errors with a chance of 3.2e-5, so that by Bonferroni's inequality chance alone is told in less than 0.5 % of runs of
any length, however the looks hang together.
"""

FEW_ROWS = 14.0  # rows; from the 3.2e-5 quantiles of a million simulated courses of 16 to 500 rows: 8.1 to 4.5


def margin(rows: int) -> float:
    """``BEYOND``, and more where the noise itself had to be estimated from few rows.

    Args:
        rows: of the loss, at least 1.

    >>> margin(14), margin(1400)
    (8.0, 4.04)
    """
    return BEYOND * (1.0 + FEW_ROWS / rows)
