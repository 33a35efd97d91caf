# ruff: noqa: D102 - the interface says what each method is
"""Functions that level off on both sides."""

from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations import logistic
from limen.activations.base import Activation, check_number, register
from limen.activations.pieces import inside, zero
from limen.errors import InvalidValue

__all__ = ["Hardsigmoid", "Hardtanh", "Sigmoid", "Softsign", "Tanh"]


@register("sigmoid")
@dataclass(frozen=True)
class Sigmoid(Activation):
    """``f(x) = 1 / (1 + exp(-x))``.

    Range: (0, 1); rises everywhere; steepest at 0 with slope 1/4.
    Hazards: flat on both sides, and every layer at least quarters the gradient. The slope as ``y (1 - y)`` is 0 from
    x = 16.7 in single precision and 6.3 in bfloat16; here it is ``s(x) s(-x)``.
    """

    source = "Verhulst 1838; Rumelhart, Hinton & Williams 1986, Nature 323"

    @property
    def kinks(self) -> tuple[float, ...]:
        return ()

    @property
    def monotone(self) -> bool:
        return True

    def f(self, x: Tensor) -> Tensor:
        return logistic.value(x)

    def df(self, x: Tensor) -> Tensor:
        return logistic.slope(x)

    def d2f(self, x: Tensor) -> Tensor:
        return logistic.curvature(x)


@register("tanh")
@dataclass(frozen=True)
class Tanh(Activation):
    """``f(x) = tanh(x)``.

    Range: (-1, 1); odd; rises everywhere; steepest at 0 with slope 1.
    Hazards: flat on both sides. The slope as ``1 - y²`` is 0 from |x| = 9.1 in single precision and 3.5 in bfloat16;
    here it is ``4 s(2x) s(-2x)``.
    """

    source = "LeCun et al. 1998, Efficient BackProp, Sec. 4.4"

    @property
    def kinks(self) -> tuple[float, ...]:
        return ()

    @property
    def monotone(self) -> bool:
        return True

    def f(self, x: Tensor) -> Tensor:
        return torch.tanh(x)

    def df(self, x: Tensor) -> Tensor:
        return 4 * logistic.slope(2 * x)

    def d2f(self, x: Tensor) -> Tensor:
        return -2 * torch.tanh(x) * self.df(x)


@register("softsign")
@dataclass(frozen=True)
class Softsign(Activation):
    """``f(x) = x / (1 + |x|)``.

    Range: (-1, 1); odd; rises everywhere; slope ``1 / (1 + |x|)²``, 1 at 0, falling much slower than that of tanh.
    Hazards: torch's operator gives NaN at both infinities and a slope of 0 from |x| = 9.2e18 in single precision.
    """

    source = "Bergstra et al. 2009, Quadratic Polynomials Learn Better Image Features"

    @property
    def kinks(self) -> tuple[float, ...]:
        return ()

    @property
    def monotone(self) -> bool:
        return True

    def f(self, x: Tensor) -> Tensor:
        return torch.where(x.isinf(), torch.sign(x), x / (1 + x.abs()))

    def df(self, x: Tensor) -> Tensor:
        return (1 / (1 + x.abs())).square()

    def d2f(self, x: Tensor) -> Tensor:
        return -2 * torch.sign(x) * (1 / (1 + x.abs())).pow(3)


@register("hardtanh")
@dataclass(frozen=True)
class Hardtanh(Activation):
    """``f(x) = min(max(x, min_val), max_val)``.

    Range: [min_val, max_val]; never falls; slope 1 strictly between the two, else 0.
    Hazards: exactly flat on both sides: no gradient at all comes back from there.
    """

    min_val: float = -1.0
    max_val: float = 1.0
    source = "Collobert 2004, Large Scale Machine Learning"

    def __post_init__(self) -> None:
        check_number(self, "min_val")
        check_number(self, "max_val")
        if self.min_val >= self.max_val:
            raise InvalidValue(
                f"hardtanh(min_val={self.min_val!r}, max_val={self.max_val!r}): expected min_val < max_val."
            )

    @property
    def kinks(self) -> tuple[float, ...]:
        return (float(self.min_val), float(self.max_val))

    @property
    def monotone(self) -> bool:
        return True

    def f(self, x: Tensor) -> Tensor:
        return x.clamp(self.min_val, self.max_val)

    def df(self, x: Tensor) -> Tensor:
        return inside(x, self.min_val, self.max_val)

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("hardsigmoid")
@dataclass(frozen=True)
class Hardsigmoid(Activation):
    """``f(x) = min(max(x + 3, 0), 6) / 6``.

    Range: [0, 1]; never falls; slope 1/6 strictly between -3 and 3, else 0.
    Hazards: exactly flat on both sides. Keras 2 means ``0.2 x + 0.5`` by this name. torch has no second derivative.
    """

    source = "Courbariaux et al. 2015, arXiv:1511.00363; Howard et al. 2019, arXiv:1905.02244"

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-3.0, 3.0)

    @property
    def monotone(self) -> bool:
        return True

    def f(self, x: Tensor) -> Tensor:
        return (x + 3).clamp(0.0, 6.0) / 6

    def df(self, x: Tensor) -> Tensor:
        return inside(x, -3.0, 3.0) / 6

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)
