# ruff: noqa: D102 - the interface says what each method is
"""Gated units: one half of the features times a gate that the other half opens."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from limen.activations.base import register
from limen.activations.gated import GELUTanh, SiLU
from limen.activations.interface import Activation, check_number
from limen.activations.kinds import Combination, CombinationSheet, check_inputs
from limen.activations.learnable_gates import Swish
from limen.activations.normal import GELU
from limen.activations.rectified import Identity, ReLU
from limen.activations.rounding import in_doubles
from limen.activations.sigmoidal import Sigmoid
from limen.errors import InvalidValue

__all__ = ["GEGLU", "GLU", "BilinearGLU", "GatedUnit", "ReGLU", "SwiGLU"]


class GatedUnit(Combination):
    """``f(a, b) = a g(b)``: a unit states its gate ``g``, and all else follows from it."""

    @property
    @abstractmethod
    def gate(self) -> Activation:
        """``g``."""

    @property
    def parts(self) -> int:
        return 2

    def f(self, *inputs: Tensor) -> Tensor:
        check_inputs(self, inputs)
        return in_doubles(self._value, *inputs)

    def df(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        check_inputs(self, inputs)
        return in_doubles(self.gate.f, inputs[1]), in_doubles(self._to_gate, *inputs)

    def _value(self, a: Tensor, b: Tensor) -> Tensor:
        return a * self.gate.f(b)

    def _to_gate(self, a: Tensor, b: Tensor) -> Tensor:
        return a * self.gate.df(b)


@register("glu")
@dataclass(frozen=True)
class GLU(GatedUnit):
    """``f(a, b) = a / (1 + exp(-b))``; the gated linear unit.

    Range: all numbers; slope ``s(b)`` in ``a`` and ``a s(b) s(-b)`` in ``b`` with the logistic function ``s``.
    Hazards: a gate far from 0 on either side learns nothing. torch's slope in ``b`` is 0 from ``b = 16.64`` in single
    precision, where it should be ``6e-8 a``.
    """

    source = "Dauphin et al. 2017, arXiv:1612.08083, Eq. 1"

    @property
    def sheet(self) -> CombinationSheet:
        return CombinationSheet(year=2016)

    @property
    def gate(self) -> Activation:
        return Sigmoid()


@register("bilinear")
@dataclass(frozen=True)
class BilinearGLU(GatedUnit):
    """``f(a, b) = a b``; a gated unit without a function in its gate.

    Range: all numbers; slope ``b`` in ``a`` and ``a`` in ``b``.
    Hazards: grows with the square of its inputs, so in half precision it overflows from inputs of 256. With both inputs
    zero it learns nothing. Not ``torch.nn.Bilinear``, which multiplies its inputs by weights of its own.
    """

    source = "Shazeer 2020, arXiv:2002.05202, Sec. 2, after Mnih & Hinton 2007, ICML"

    @property
    def sheet(self) -> CombinationSheet:
        return CombinationSheet(year=2020, homogeneous=2, symmetric=True)

    @property
    def gate(self) -> Activation:
        return Identity()


@register("reglu")
@dataclass(frozen=True)
class ReGLU(GatedUnit):
    """``f(a, b) = a b`` for ``b > 0``, else 0.

    Range: all numbers; slope ``b`` in ``a`` and ``a`` in ``b`` for ``b > 0``, both 0 elsewhere.
    Hazards: a unit whose gate is never positive is dead on both sides. Grows with the square of its inputs.
    """

    source = "Shazeer 2020, arXiv:2002.05202, Sec. 2"

    @property
    def sheet(self) -> CombinationSheet:
        return CombinationSheet(year=2020, smooth=False, homogeneous=2)

    @property
    def gate(self) -> Activation:
        return ReLU()


@register("geglu")
@dataclass(frozen=True)
class GEGLU(GatedUnit):
    """``f(a, b) = a gelu(b)``.

    Range: all numbers; slope ``gelu(b)`` in ``a`` and ``a gelu'(b)`` in ``b``.
    Hazards: ``approximate`` must be that of the checkpoint: ``none`` and ``tanh`` differ by up to 0.0005 a. Grows with
    the square of its inputs.

    Attributes:
        approximate: ``none`` for the gate ``gelu``, ``tanh`` for ``gelu_tanh``, as in ``torch.nn.GELU``.
    """

    approximate: Literal["none", "tanh"] = "none"
    source = "Shazeer 2020, arXiv:2002.05202, Sec. 2"

    def __post_init__(self) -> None:
        if self.approximate not in ("none", "tanh"):
            raise InvalidValue(f"geglu(approximate={self.approximate!r}): expected 'none' or 'tanh'.")

    @property
    def sheet(self) -> CombinationSheet:
        return CombinationSheet(year=2020)

    @property
    def gate(self) -> Activation:
        return GELUTanh() if self.approximate == "tanh" else GELU()


@register("swiglu")
@dataclass(frozen=True)
class SwiGLU(GatedUnit):
    """``f(a, b) = a b / (1 + exp(-beta b))``.

    Range: all numbers; slope ``b s(beta b)`` in ``a`` and ``a (s(beta b) + beta b s'(beta b))`` in ``b`` with the
    logistic function ``s``.
    Hazards: needs a third matrix of weights: two thirds of the hidden width keep the number of weights, as
    ``limen.nn.gated_width`` says. Grows with the square of its inputs.
    """

    beta: float = 1.0
    source = "Shazeer 2020, arXiv:2002.05202, Sec. 2"

    def __post_init__(self) -> None:
        check_number(self, "beta", above=0)

    @property
    def sheet(self) -> CombinationSheet:
        return CombinationSheet(year=2020)

    @property
    def gate(self) -> Activation:
        return SiLU() if self.beta == 1 else Swish(self.beta)
