# ruff: noqa: D102 - the interface says what each method is
"""A straight piece between two flat ones."""

from dataclasses import dataclass

from torch import Tensor

from limen.activations.base import register
from limen.activations.interface import Entry, check_number
from limen.activations.pieces import inside, zero
from limen.activations.rounding import exact
from limen.activations.sheet import Sheet
from limen.errors import InvalidValue

__all__ = ["Hardsigmoid", "HardsigmoidKeras2", "Hardtanh", "SparseSigmoid"]


@register("hardtanh")
@dataclass(frozen=True)
class Hardtanh(Entry):
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
    def sheet(self) -> Sheet:
        ends = (float(self.min_val), float(self.max_val))
        return Sheet(
            range=ends,
            limits=ends,
            monotone=True,
            lipschitz=1.0,
            saved="mask",
            year=2004,
            kinks=ends,
            parity="odd" if ends[0] == -ends[1] else None,
        )

    def f(self, x: Tensor) -> Tensor:
        return x.clamp(self.min_val, self.max_val)

    def df(self, x: Tensor) -> Tensor:
        return inside(x, self.min_val, self.max_val)

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("hardsigmoid")
@dataclass(frozen=True)
class Hardsigmoid(Entry):
    """``f(x) = min(max(x + 3, 0), 6) / 6``.

    Range: [0, 1]; never falls; slope 1/6 strictly between -3 and 3, else 0.
    Hazards: exactly flat on both sides. torch, JAX and Keras 3 mean this one, Keras 2 ``0.2 x + 0.5`` between its
    bounds: ``hardsigmoid_keras2``. torch has no second derivative.
    """

    source = "Howard et al. 2019, arXiv:1905.02244, Sec. 5.2; the name: Courbariaux et al. 2015, arXiv:1511.00363"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(0.0, 1.0),
            limits=(0.0, 1.0),
            monotone=True,
            lipschitz=1 / 6,
            saved="mask",
            year=2015,
            kinks=(-3.0, 3.0),
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        return (x + 3).clamp(0.0, 6.0) / 6

    @exact
    def df(self, x: Tensor) -> Tensor:
        return inside(x, -3.0, 3.0) / 6

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("hardsigmoid_keras2")
@dataclass(frozen=True)
class HardsigmoidKeras2(Entry):
    """``f(x) = min(max(x + 2.5, 0), 5) / 5``, which is ``0.2 x + 0.5`` between its bounds.

    Range: [0, 1]; never falls; slope 1/5 strictly between -2.5 and 2.5, else 0.
    Hazards: exactly flat on both sides. Weights trained with it, in Theano and Keras up to 2, differ by up to 1/12
    with the ``hardsigmoid`` of today's frameworks.
    """

    source = "Theano, tensor.nnet.hard_sigmoid; Keras 1 and 2, activations.hard_sigmoid"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(0.0, 1.0),
            limits=(0.0, 1.0),
            monotone=True,
            lipschitz=0.2,
            saved="mask",
            year=2015,
            kinks=(-2.5, 2.5),
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        return (x + 2.5).clamp(0.0, 5.0) / 5

    @exact
    def df(self, x: Tensor) -> Tensor:
        return inside(x, -2.5, 2.5) / 5

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)


@register("sparse_sigmoid")
@dataclass(frozen=True)
class SparseSigmoid(Entry):
    """``f(x) = min(max(x + 1, 0), 2) / 2``.

    Range: [0, 1]; never falls; slope 1/2 strictly between -1 and 1, else 0; it is the slope of ``sparse_plus``.
    Hazards: exactly flat on both sides. The sparsemax of two classes, not a cheaper ``sigmoid``: it is twice as steep.
    """

    source = "Martins & Astudillo 2016, arXiv:1602.02068, Sec. 2.3"

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(0.0, 1.0),
            limits=(0.0, 1.0),
            monotone=True,
            lipschitz=0.5,
            saved="mask",
            year=2016,
            kinks=(-1.0, 1.0),
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        return (x + 1).clamp(0.0, 2.0) / 2

    def df(self, x: Tensor) -> Tensor:
        return inside(x, -1.0, 1.0) / 2

    def d2f(self, x: Tensor) -> Tensor:
        return zero(x)
