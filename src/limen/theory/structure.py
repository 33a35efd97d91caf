"""How the layers of a network are joined, as far as it decides what the network makes of two inputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from limen.errors import InvalidValue

__all__ = ["Chain", "Series", "Structure", "Sum", "largest", "residual"]


@dataclass(frozen=True)
class Chain:
    """Layers one after the other, each a linear map and an activation.

    Attributes:
        depth: how many; 0 is a path that changes nothing, such as a shortcut.
    """

    depth: int

    def __post_init__(self) -> None:
        if not isinstance(self.depth, int) or isinstance(self.depth, bool) or self.depth < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValue(
                f"Chain(depth={self.depth!r}): expected a whole number >= 0, the activations on the path."
            )


@dataclass(frozen=True)
class Series:
    """Structures one after the other.

    Attributes:
        parts: in the order in which a signal passes them.
    """

    parts: tuple[Structure, ...]


@dataclass(frozen=True)
class Sum:
    """Paths that begin at one place and are added up, or laid side by side, where they end.

    Attributes:
        parts: the paths.
        shares: of the variance (or of the channels) that each of them brings, >= 0, with the sum 1.
    """

    parts: tuple[Structure, ...]
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        fair = all(share >= 0 for share in self.shares) and math.isclose(math.fsum(self.shares), 1, abs_tol=1e-9)
        if len(self.parts) != len(self.shares) or not fair:
            raise InvalidValue(
                f"Sum(shares={self.shares!r}): expected a number >= 0 for each of the {len(self.parts)} paths, the "
                "share of the variance that it brings, with the sum 1."
            )


Structure = Chain | Series | Sum


UNCHANGED = Chain(0)


def residual(branch: Structure, weight: float, shortcut: Structure = UNCHANGED) -> Sum:
    """A residual block ``weight · shortcut(x) + sqrt(1 - weight²) · branch(x)``, which keeps the variance.

    A plain ``x + branch(x)`` whose paths bring the same variance is one of weight ``sqrt(1/2)``, once it is divided by
    ``sqrt(2)``.

    Raises:
        InvalidValue: ``weight`` is not a number in [0, 1].

    >>> residual(Chain(2), 0.6).shares
    (0.36, 0.64)
    """
    if not 0 <= weight <= 1:
        raise InvalidValue(f"residual(weight={weight!r}): expected a number in [0, 1], the factor of the shortcut.")
    return Sum((shortcut, branch), (weight * weight, 1 - weight * weight))


def largest(structure: Structure, local: Callable[[float], float], start: float) -> float:
    """The most that the network, or any part of it with one way in and one way out, makes of ``start``.

    With the correlation map of a layer as ``local``, that is the largest correlation that any part leads to. With
    multiplication by a number it is the largest slope of such a map at 1, with addition of one the largest curvature
    there, as slopes multiply and curvatures (at slope 1) add when maps follow each other.

    Args:
        structure: the network.
        local: what one layer does to a number; rising, and never to less than it was.
        start: where all parts begin.

    Source: Martens et al. 2021, arXiv:2110.01765, and Zhang, Botev & Martens 2022, arXiv:2203.08120 (there the maximal
    slope, curvature and subnetwork functions).

    >>> largest(Series((residual(Chain(2), 0.6), Chain(1))), lambda slope: 2 * slope, 1.0)
    5.84
    >>> largest(residual(Chain(2), 0.6), lambda slope: 2 * slope, 1.0)  # its branch alone
    4.0
    """
    whole = _through(structure, local, start)
    inner = structure.parts if isinstance(structure, Series | Sum) else ()
    return max([whole, *(largest(part, local, start) for part in inner)])


def _through(structure: Structure, local: Callable[[float], float], x: float) -> float:
    match structure:
        case Chain(depth):
            for _ in range(depth):
                x = local(x)
        case Series(parts):
            for part in parts:
                x = _through(part, local, x)
        case Sum(parts, shares):
            return math.fsum(share * _through(part, local, x) for part, share in zip(parts, shares, strict=True))
    return x
