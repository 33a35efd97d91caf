# ruff: noqa: D102 - the interface says what each method is
"""Functions of square roots, and the two whose slope is one: no exponential, and slopes that fall as powers."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations.base import register
from limen.activations.interface import Entry, check_number
from limen.activations.pieces import keep_nan
from limen.activations.rounding import exact, fine, leaning
from limen.activations.sheet import Sheet
from limen.activations.twofold import Number, alike, clamp, magnitude, near, sqrt, where

__all__ = ["ISRLU", "ISRU", "Asinh", "BentIdentity", "Softsign", "SquarePlus"]

HUGE = 1e200
"""Where a quotient of two numbers that grow alike may stop growing: it is constant to the last place by then."""

REACH = 2.0**100
"""Where a power of ``1 + x²`` is one of ``x`` to the last place, and its square does not overflow yet."""


def held_back(x: Number) -> tuple[Number, Number]:
    """``|x|``, but ``REACH`` beyond that, and there by how much it was made smaller; else 1."""
    return clamp(magnitude(x), 0.0, REACH), alike(x, REACH / near(x).abs().clamp(min=REACH))


def radius(x: Tensor, other: float = 1.0) -> Tensor:
    """``sqrt(x² + other²)``; does not overflow, and unlike ``hypot`` finds the same bits at every place of a tensor."""
    size = x.abs()
    return torch.where(size > 2.0**500, size, torch.sqrt(size.clamp(max=2.0**500).square() + other * other))


@register("softsign")
@dataclass(frozen=True)
class Softsign(Entry):
    """``f(x) = x / (1 + |x|)``.

    Range: (-1, 1); odd; rises everywhere; slope ``1 / (1 + |x|)²``, 1 at 0, falling much slower than that of tanh.
    Hazards: torch's operator gives NaN at both infinities and a slope of 0 from |x| = 9.2e18 in single precision.
    """

    source = "Bergstra et al. 2009, Quadratic Polynomials Learn Better Image Features"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(-1.0, 1.0),
            limits=(-1.0, 1.0),
            monotone=True,
            lipschitz=1.0,
            year=2009,
            bends=(0.0,),
            parity="odd",
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        return torch.where(x.isinf(), torch.sign(x), x / (1 + x.abs()))

    @fine
    def df(self, x: Number) -> Number:
        inner, beyond = held_back(x)
        inverse = 1 / (1 + inner)
        return inverse * inverse * (beyond * beyond)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return -2 * torch.sign(x) * (1 / (1 + x.abs())).pow(3)


def isru(x: Tensor, alpha: float) -> Tensor:
    """``x / sqrt(1 + alpha x²)``."""
    near = x.clamp(-HUGE, HUGE)
    return near / radius(math.sqrt(alpha) * near)


def isru_slope(x: Number, alpha: float) -> Number:
    """``(1 + alpha x²)^(-3/2)``."""
    inner, beyond = held_back(x)
    square = 1 + inner * inner * alpha
    return 1 / (square * sqrt(square)) * (beyond * beyond * beyond)


def isru_curvature(x: Tensor, alpha: float) -> Tensor:
    """``-3 alpha x (1 + alpha x²)^(-5/2)``."""
    near = x.clamp(-HUGE, HUGE)
    inverse = 1 / radius(math.sqrt(alpha) * near)
    return -3 * alpha * (near * inverse) * inverse.square().square()


@register("isru")
@dataclass(frozen=True)
class ISRU(Entry):
    """``f(x) = x / sqrt(1 + alpha x²)``.

    Range: (-1 / sqrt(alpha), 1 / sqrt(alpha)); odd; rises everywhere; slope ``(1 + alpha x²)^(-3/2)``, 1 at 0.
    Hazards: flat on both sides; ``x²`` overflows where it is not held back.
    """

    alpha: float = 1.0
    source = "Carlile et al. 2017, arXiv:1710.09967, Eq. 3"

    def __post_init__(self) -> None:
        check_number(self, "alpha", above=0)

    @property
    def sheet(self) -> Sheet:
        end = 1 / math.sqrt(self.alpha)
        return Sheet(range=(-end, end), limits=(-end, end), monotone=True, lipschitz=1.0, year=2017, parity="odd")

    @exact
    def f(self, x: Tensor) -> Tensor:
        return isru(x, self.alpha)

    @fine
    def df(self, x: Number) -> Number:
        return isru_slope(x, self.alpha)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return isru_curvature(x, self.alpha)


@register("isrlu")
@dataclass(frozen=True)
class ISRLU(Entry):
    """``f(x) = x`` for ``x >= 0``, else ``x / sqrt(1 + alpha x²)``.

    Range: (-1 / sqrt(alpha), inf); rises everywhere; slope ``(1 + alpha x²)^(-3/2)`` on the left, 1 on the right.
    Hazards: a large ``alpha`` makes it a ReLU, flat and about zero on the left.
    """

    alpha: float = 1.0
    source = "Carlile et al. 2017, arXiv:1710.09967, Eq. 1"

    def __post_init__(self) -> None:
        check_number(self, "alpha", above=0)

    @property
    def sheet(self) -> Sheet:
        end = -1 / math.sqrt(self.alpha)
        return Sheet(
            range=(end, math.inf),
            limits=(end, math.inf),
            monotone=True,
            lipschitz=1.0,
            year=2017,
            convex=True,
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        return torch.where(x >= 0, x, isru(x.clamp(max=0), self.alpha))

    @fine
    def df(self, x: Number) -> Number:
        return isru_slope(clamp(x, -math.inf, 0.0), self.alpha)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return isru_curvature(x.clamp(max=0), self.alpha) + 0.0  # no negative zero


@register("squareplus")
@dataclass(frozen=True)
class SquarePlus(Entry):
    """``f(x) = (x + sqrt(x² + b)) / 2``.

    Range: (0, inf); rises everywhere; convex; slope ``(1 + x / sqrt(x² + b)) / 2``.
    Hazards: all digits cancel on the left in the form above; there it is ``b / (2 (sqrt(x² + b) - x))``. Its outputs
    are positive: their mean grows from layer to layer.
    """

    b: float = 4.0
    source = "Barron 2021, arXiv:2112.11687, Eq. 1"

    def __post_init__(self) -> None:
        check_number(self, "b", above=0)

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(0.0, math.inf),
            limits=(0.0, math.inf),
            monotone=True,
            lipschitz=1.0,
            year=2021,
            convex=True,
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        r = radius(x, math.sqrt(self.b))
        return torch.where(x < 0, self.b / (2 * (r + x.abs())), x / 2 + r / 2)

    @fine
    def df(self, x: Number) -> Number:
        inner, beyond = held_back(x)
        square = inner * inner + self.b
        left = self.b / (2 * (square + inner * sqrt(square))) * (beyond * beyond)
        return where(near(x) < 0, left, 1 - left)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return self.b / 2 * (1 / radius(x, math.sqrt(self.b))).pow(3)


def below_half_more(x: Tensor) -> Tensor:
    """``3 x / 2`` may be a middle between two numbers, and the truth is 1/2 less (see ``rounding.leaning``)."""
    return -(x > 2.0**40).to(x.dtype)


@register("bent_identity")
@dataclass(frozen=True)
class BentIdentity(Entry):
    """``f(x) = (sqrt(x² + 1) - 1) / 2 + x``.

    Range: all reals; rises everywhere; convex; slope ``1 + x / (2 sqrt(x² + 1))``, between 1/2 and 3/2.
    Hazards: nearly linear: layers of it add little to what one layer can do.
    """

    source = "definition; origin unknown"

    @property
    def sheet(self) -> Sheet:
        return Sheet(monotone=True, lipschitz=1.5, convex=True)

    @leaning(below_half_more)
    def f(self, x: Tensor) -> Tensor:
        near = x.clamp(-HUGE, HUGE)
        return x * (1 + near / (2 * (radius(near) + 1)))  # (r - 1) / 2 = x² / (2 (r + 1))

    @exact
    def df(self, x: Tensor) -> Tensor:
        near = x.clamp(-HUGE, HUGE)
        return 1 + near / (2 * radius(near))

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return 0.5 * (1 / radius(x)).pow(3)


@register("asinh")
@dataclass(frozen=True)
class Asinh(Entry):
    """``f(x) = log(x + sqrt(x² + 1))``.

    Range: all reals; odd; rises everywhere, as a logarithm far out; slope ``1 / sqrt(1 + x²)``.
    Hazards: not flat by the definition of any bound, yet the slope falls without end.
    """

    source = "definition: inverse of the hyperbolic sine"

    @property
    def sheet(self) -> Sheet:
        return Sheet(monotone=True, lipschitz=1.0, parity="odd")

    @exact
    def f(self, x: Tensor) -> Tensor:
        side = torch.copysign(torch.ones_like(x), x.detach())  # abs and copysign have slope 0 at 0
        a = side * x
        far = torch.log(a.clamp(min=1.0)) + math.log(2)
        near = a.clamp(max=HUGE)
        close = torch.log1p(near + near * (near / (1 + radius(near))))
        return side * keep_nan(x, torch.where(a < 1e9, close, far))

    @exact
    def df(self, x: Tensor) -> Tensor:
        return 1 / radius(x)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        near = x.clamp(-HUGE, HUGE)
        inverse = 1 / radius(near)
        return -(near * inverse) * inverse.square()
