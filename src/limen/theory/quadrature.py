"""Means over Gaussian numbers, by Gauss-Legendre panels that never straddle a kink.

Plain Gauss-Hermite is off by up to 8 % for slopes that jump (hard tanh, 64 nodes) and for steep functions at large
variances. Here the line is cut at the kinks, at each unit of the standard deviation and, ever wider, around each kink
in units of the function's own argument; so a step that is narrow beside the variance is not overlooked.
"""

from collections.abc import Callable

import numpy as np

from limen.errors import InvalidValue
from limen.theory.curve import Curve, Floats

__all__ = ["Integrand", "mean_of_pair", "means", "rule"]

Integrand = Callable[[Floats], Floats]

NODES, WEIGHTS = (array.astype(np.float64) for array in np.polynomial.legendre.leggauss(16))
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
                f"At variance {variance:.6g} the function changes too fast to be integrated ({len(low)} panels are not "
                "enough), is random, or is not computed in double precision. Ask for a smaller variance, or give a "
                "function of each number by itself, in double precision."
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
        InvalidValue: these panels do not find ``E[g]`` and ``E[g²]``: a kink is not named, or the function oscillates.

    Accuracy: 1e-12 of ``E[g²]`` (``tests/theory/test_kernel.py``).
    """
    spread = float(np.sqrt(variance))
    rest = float(np.sqrt((1 - correlation) * (1 + correlation)))
    breaks = {*curve.breaks, *(kink / correlation for kink in curve.breaks if correlation)}
    z, weight = rule(tuple(breaks), spread, min(1.0, rest * spread))
    once = integrand(spread * z)
    _check(np.array([once @ weight, once**2 @ weight]), integrand, curve, variance)
    places = _around(curve.breaks, spread, 1.0)
    met = np.clip((places - correlation * z[:, None]) / rest, -FARTHEST, FARTHEST)
    cuts = np.sort(np.concatenate([met, np.broadcast_to(EVEN, (len(z), len(EVEN)))], axis=1))  # [u, edges]
    inner, inner_weight = _nodes(cuts[:, :-1], cuts[:, 1:])  # [u, panels, nodes]
    v = spread * (correlation * z[:, None, None] + rest * inner)
    given = (integrand(v.ravel()).reshape(v.shape) * inner_weight).sum((1, 2))
    return float((once * weight) @ given)


def rule(breaks: tuple[float, ...], spread: float, finest: float = 1.0) -> tuple[Floats, Floats]:
    """Places in standard deviations, and their weights, for means over panels that are not halved.

    Args:
        breaks: where a function or one of its derivatives jumps, in units of its argument, whose mean is 0.
        spread: the standard deviation of the argument.
        finest: the width of the panels beside each break, in units of the argument.
    """
    edges = _edges(breaks, spread, finest)
    z, weight = _nodes(edges[:-1], edges[1:])
    return z.ravel(), weight.ravel()


def _nodes(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Places and weights, ``[..., nodes]``, in standard deviations; the weights hold the density."""
    half = (high - low)[..., None] / 2
    z = (low + high)[..., None] / 2 + half * NODES
    return z, half * WEIGHTS * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)


def _edges(breaks: tuple[float, ...], spread: float, finest: float) -> Floats:
    """Where panels meet, in standard deviations."""
    return np.unique(np.concatenate([EVEN, _around(breaks, spread, finest)]))


def _around(breaks: tuple[float, ...], spread: float, finest: float) -> Floats:
    """The breaks and, on both sides of each, places ever farther from it, beginning at ``finest`` in its own units."""
    doublings = max(0, int(np.ceil(np.log2(2 * FARTHEST * spread / finest))))
    steps = finest * 2.0 ** np.arange(doublings)
    near = (np.array(breaks)[:, None] + np.concatenate([[0.0], steps, -steps])).ravel() / spread
    return near[np.abs(near) < FARTHEST]


def _check(found: Floats, integrand: Integrand, curve: Curve, variance: float) -> None:
    """Whether panels that are not halved find the mean and the square of ``g`` as well as those that are."""
    exact = means(lambda x: np.stack([integrand(x), integrand(x) ** 2]), variance, curve.breaks)
    scale = np.array([np.sqrt(exact[1]), exact[1]])
    if (np.abs(found - exact) > 1e-10 * scale).any():
        raise InvalidValue(
            f"{curve.name} at variance {variance:.6g}: panels in two dimensions find the mean square {found[1]:.12g}, "
            f"those in one {exact[1]:.12g}, and the means {found[0]:.12g} and {exact[0]:.12g}. Name all its kinks in a "
            "Curve; if it oscillates, ask for a smaller variance."
        )
