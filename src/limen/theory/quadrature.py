"""Means over Gaussian numbers, by Gauss-Legendre panels that never straddle a kink.

Plain Gauss-Hermite is off by up to 8 % for slopes that jump (hard tanh, 64 nodes) and for steep functions at large
variances. Here the line is cut at the kinks, at each unit of the standard deviation and, ever wider, around each kink
in units of the function's own argument; so a step that is narrow beside the variance is not overlooked.
"""

from collections.abc import Callable

import numpy as np

from limen.errors import InvalidValue
from limen.theory.curve import Curve, Floats

__all__ = ["Integrand", "mean_of_pair", "means"]

Integrand = Callable[[Floats], Floats]

NODES, WEIGHTS = (array.astype(np.float64) for array in np.polynomial.legendre.leggauss(20))
FARTHEST = 14.0
"""Standard deviations; the density beyond is below 1e-43."""

CLOSE = 1e-14
"""A panel is good when halving it changes the mean by less than this share of the mean of the magnitudes."""

DEEPEST = 60
MOST_PANELS = 20_000
EVEN: Floats = np.linspace(-FARTHEST, FARTHEST, 29)


def means(integrand: Integrand, variance: float, breaks: tuple[float, ...]) -> Floats:
    """``E[g(z)]`` for ``z ~ N(0, variance)``, of several ``g`` at once.

    Panels are halved until that changes nothing, so a kink that is not among the breaks costs time, not accuracy.

    Args:
        integrand: from ``[points]`` to ``[functions, points]``.
        variance: of ``z``, finite and > 0.
        breaks: where a ``g`` or one of its derivatives jumps.

    Returns:
        ``[functions]``. Accuracy: 1e-13 of ``E|g|`` for functions given with their breaks.

    Raises:
        InvalidValue: the function oscillates too fast to be integrated.
    """
    spread = float(np.sqrt(variance))

    def panels(low: Floats, high: Floats) -> tuple[Floats, Floats]:
        z, weight = _nodes(low, high)
        found = integrand(spread * z.ravel()).reshape(-1, *z.shape) * weight
        return found.sum(-1), np.abs(found).sum((-1, -2))

    edges = _edges(breaks, spread, 1.0)
    low, high = edges[:-1], edges[1:]
    whole, size = panels(low, high)
    total = np.zeros(len(whole))
    for _ in range(DEEPEST):
        middle = (low + high) / 2
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        halves, _ = panels(low, high)
        both = halves.reshape(len(whole), 2, -1)
        unsettled = (np.abs(both.sum(1) - whole) > CLOSE * size[:, None]).any(0)
        total += both[:, :, ~unsettled].sum((1, 2))
        again = np.tile(unsettled, 2)
        low, high, whole = low[again], high[again], halves[:, again]
        if not len(low):
            return total
        if len(low) > MOST_PANELS:
            raise InvalidValue(
                f"At variance {variance:.6g} the function changes too fast to be integrated: {len(low)} panels are "
                "not enough. Ask for a smaller variance, or name its kinks in a Curve."
            )
    return total + whole.sum(1)


def mean_of_pair(integrand: Integrand, curve: Curve, variance: float, correlation: float) -> float:
    """``E[g(u) g(v)]`` for Gaussian ``u`` and ``v`` of one variance and a correlation strictly between -1 and 1.

    ``v`` is integrated first, for each ``u``, with panels cut where ``v`` meets a break; then ``u``, whose panels
    shrink to the width in which that smooths a kink.

    Args:
        integrand: ``g``, from ``[points]`` to ``[points]``.
        curve: whose breaks ``g`` has.
        variance: of both, finite and > 0.
        correlation: ``c``.

    Raises:
        InvalidValue: the panels do not even find ``E[g²]`` to 1e-10: a kink is not named, or the function oscillates.

    Accuracy: 1e-12 of ``E[g²]`` (``tests/theory/test_kernel.py``).
    """
    spread = float(np.sqrt(variance))
    rest = float(np.sqrt((1 - correlation) * (1 + correlation)))
    breaks = {*curve.breaks, *(kink / correlation for kink in curve.breaks if correlation)}
    edges = _edges(tuple(breaks), spread, min(1.0, rest * spread))
    z, weight = (array.ravel() for array in _nodes(edges[:-1], edges[1:]))
    once = integrand(spread * z) * weight
    _check_square(float(once @ integrand(spread * z)), integrand, curve, variance)
    met = np.clip((_edges(curve.breaks, spread, 1.0) - correlation * z[:, None]) / rest, -FARTHEST, FARTHEST)
    cuts = np.sort(np.concatenate([met, np.broadcast_to(EVEN, (len(z), len(EVEN)))], axis=1))  # [u, edges]
    inner, inner_weight = _nodes(cuts[:, :-1], cuts[:, 1:])  # [u, panels, nodes]
    v = spread * (correlation * z[:, None, None] + rest * inner)
    given = (integrand(v.ravel()).reshape(v.shape) * inner_weight).sum((1, 2))
    return float(once @ given)


def _check_square(found: float, integrand: Integrand, curve: Curve, variance: float) -> None:
    (exact,) = means(lambda x: integrand(x)[None] ** 2, variance, curve.breaks)
    if abs(found - exact) > 1e-10 * exact:
        raise InvalidValue(
            f"{curve.name} at variance {variance:.6g}: two-dimensional panels give E[g²] = {found:.12g}, exact is "
            f"{exact:.12g}. Name all its kinks in a Curve; if it oscillates, ask for a smaller variance."
        )


def _nodes(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Places and weights, ``[..., nodes]``, in standard deviations; the weights hold the density."""
    half = (high - low)[..., None] / 2
    z = (low + high)[..., None] / 2 + half * NODES
    return z, half * WEIGHTS * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)


def _edges(breaks: tuple[float, ...], spread: float, finest: float) -> Floats:
    """Where panels meet, in standard deviations; around each break from ``finest``, in units of the argument, on."""
    doublings = max(0, int(np.ceil(np.log2(2 * FARTHEST * spread / finest))))
    steps = finest * 2.0 ** np.arange(doublings)
    around = np.concatenate([[0.0], steps, -steps])
    near = (np.array(breaks)[:, None] + around).ravel() / spread
    return np.unique(np.concatenate([EVEN, near[np.abs(near) < FARTHEST]]))
