"""The chain rule along one path: the model behind most sums that are done by hand about vanishing gradients."""

import math
from collections.abc import Sequence

from limen.errors import InvalidValue

__all__ = ["chain_gradient"]


def chain_gradient(
    depth: int, weight: float = 1.0, slope: float | Sequence[float] = 1.0, *, factors: int | None = None
) -> float:
    r"""What is left, at the first layer, of a gradient of 1 at the output of a chain of single units.

    ``(w f')^k``: each of ``k`` steps down multiplies by one weight and one slope. Texts count the steps differently:
    one per layer (``k = depth``), one per transition (``depth - 1``), or only those between hidden layers
    (``depth - 2``); so ``k`` can be said. A real layer sums over many paths: see ``chi_1`` for what that changes.

    Args:
        depth: number of layers, >= 1.
        weight: ``w``, the same at each step.
        slope: ``f'``, the same at each step, or one for each of the ``k`` steps where functions are mixed.
        factors: ``k``, >= 0; ``depth`` unless said.

    Returns:
        The gradient, dimensionless; 0.0 where it is below 5e-324.

    Raises:
        InvalidValue: ``depth`` or ``factors`` out of range, or not as many slopes as factors.

    Accuracy: that of ``k`` multiplications in double precision.
    Source: Rumelhart, Hinton & Williams 1986, Nature 323.

    Five layers, weights of 0.1, three factors: a ReLU leaves 64 times as much as a sigmoid at its steepest.

    >>> relu, sigmoid = (chain_gradient(5, 0.1, slope, factors=3) for slope in (1.0, 0.25))
    >>> round(relu, 12), round(sigmoid, 12), round(relu / sigmoid, 9)
    (0.001, 1.5625e-05, 64.0)
    >>> chain_gradient(5, 0.5, factors=3)
    0.125
    >>> f"{chain_gradient(20, slope=0.25):.3g}"  # twenty sigmoids
    '9.09e-13'
    >>> chain_gradient(4, slope=[1.0, 0.25, 1.0, 0.25])  # ReLU and sigmoid in turn
    0.0625
    """
    if not _counts(depth, 1):
        raise InvalidValue(f"chain_gradient(depth={depth!r}): expected a whole number >= 1, the layers of the chain.")
    steps = depth if factors is None else factors
    if not _counts(steps, 0):
        raise InvalidValue(
            f"chain_gradient(factors={factors!r}): expected a whole number >= 0, how many weights there "
            "are between the output and layer 1."
        )
    slopes = [float(slope)] * steps if isinstance(slope, int | float) else [float(each) for each in slope]
    if len(slopes) != steps:
        raise InvalidValue(
            f"chain_gradient(slope=…): found {len(slopes)} slopes for {steps} factors. "
            "Give one for each, or one number."
        )
    if not math.isfinite(weight) or not all(map(math.isfinite, slopes)):
        raise InvalidValue(f"chain_gradient(weight={weight!r}, slope={slope!r}): expected finite numbers.")
    return math.prod(weight * each for each in slopes)


def _counts(number: object, least: int) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= least
