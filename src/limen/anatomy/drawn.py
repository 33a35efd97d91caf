"""Whether a weight looks as initialisations draw it, so that nothing can have trained it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["looks_drawn"]

FEWEST = 16  # entries: of fewer, many a trained weight would pass torch's own bound
TELLING = 256  # entries: with fewer, one of ten other bounds and deviations, each some per cent wide, fits by chance
UNLIKELY = 1.95  # of Kolmogorov's statistic D sqrt(n): larger once in a thousand draws
BEYOND = 7.0  # over n: the share by which the largest of n uniform numbers stays below the bound, once in 1,100 draws
ROUNDING = 1e-2  # of a bound: half precision rounds by 2**-8 of a number at most

Floats = npt.NDArray[np.float64]


def looks_drawn(shape: Sequence[int], values: npt.ArrayLike) -> bool:
    """Whether entries of a weight are spread as torch, Glorot, He or LeCun would have drawn them.

    A trained weight keeps its size, but not a sharp bound, nor a standard deviation that is a formula of its shape.

    Args:
        shape: of the weight, outputs first.
        values: some of its entries, or all.

    Source: ``torch.nn.Linear.reset_parameters`` and its kin; ``torch.nn.init``; Massey 1951, "The Kolmogorov-Smirnov
    Test for Goodness of Fit".
    """
    drawn = np.sort(np.asarray(values, dtype=np.float64).ravel())
    if len(shape) < 2 or 0 in shape or len(drawn) < FEWEST or not np.isfinite(drawn).all():
        return False
    largest = float(max(-drawn[0], drawn[-1]))
    if largest == 0.0:
        return False
    least = 1.0 - BEYOND / len(drawn) - ROUNDING
    for bound in (*own_bounds(shape), *(other_bounds(shape) if len(drawn) >= TELLING else ())):
        if least * bound <= largest <= (1.0 + ROUNDING) * bound and _is_uniform(drawn, bound):
            return True
    if len(drawn) < TELLING:
        return False
    spread, error = float(drawn.std()), 4.0 / math.sqrt(2.0 * len(drawn))  # four standard errors of a deviation
    return any(abs(spread / one - 1.0) <= error and _is_normal(drawn, one) for one in deviations(shape))


def own_bounds(shape: Sequence[int]) -> Iterator[float]:
    """Largest entries of the uniform draws of torch's layers."""
    into, _ = fans(shape)
    yield 1.0 / math.sqrt(into)  # linear layers and convolutions
    if len(shape) == 2:
        for gates in (1, 3, 4):  # recurrent layers: by the size of their state
            if shape[0] % gates == 0:
                yield 1.0 / math.sqrt(shape[0] // gates)


def other_bounds(shape: Sequence[int]) -> Iterator[float]:
    """Largest entries of the uniform draws of He, Glorot and LeCun."""
    into, out = fans(shape)
    yield math.sqrt(6.0 / into)
    yield math.sqrt(6.0 / (into + out))
    yield math.sqrt(3.0 / into)


def deviations(shape: Sequence[int]) -> Iterator[float]:
    """Standard deviations of normal draws."""
    into, out = fans(shape)
    yield 1.0  # torch's embeddings
    yield math.sqrt(2.0 / into)
    yield math.sqrt(2.0 / out)
    yield math.sqrt(2.0 / (into + out))
    yield 1.0 / math.sqrt(into)
    yield 0.02  # transformers


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Inputs of an output and outputs of an input, as ``torch.nn.init`` counts them."""
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def _is_uniform(drawn: Floats, bound: float) -> bool:
    return _fits(np.clip((drawn / bound + 1.0) / 2.0, 0.0, 1.0))


def _is_normal(drawn: Floats, deviation: float) -> bool:
    return _fits(np.array([0.5 * math.erfc(-one / (deviation * math.sqrt(2.0))) for one in drawn]))


def _fits(share: Floats) -> bool:
    """Whether sorted values of a distribution function are spread evenly over [0, 1]."""
    n = len(share)
    above, below = np.arange(1, n + 1) / n - share, share - np.arange(n) / n
    return float(max(above.max(), below.max())) * math.sqrt(n) < UNLIKELY
