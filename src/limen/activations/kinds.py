"""The kinds of function beside the elementwise ones: several inputs to one output, and heads of a whole axis."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from limen.activations.interface import Activation
from limen.activations.refusals import check_floating
from limen.errors import InvalidValue

__all__ = [
    "KINDS",
    "Combination",
    "CombinationSheet",
    "Function",
    "Head",
    "HeadSheet",
    "Kind",
    "check_axis",
    "check_inputs",
]

Kind = Literal["elementwise", "gated", "head"]


@dataclass(frozen=True, kw_only=True)
class CombinationSheet:
    """The properties of a function of several inputs.

    Attributes:
        range: infimum and supremum of the values.
        lipschitz: the largest Euclidean norm of the slopes of one element; infinite where they grow without bound.
        year: of ``source``; None where the function is older than its use here.
        smooth: False where a slope jumps.
        homogeneous: the ``k`` for which all inputs times ``c > 0`` give ``c^k`` times the output; None without one.
        symmetric: True where the order of the inputs does not matter.
        saved: what a backward pass must keep: all ``inputs``, or which of them was the ``choice``.
    """

    range: tuple[float, float] = (-math.inf, math.inf)
    lipschitz: float = math.inf
    year: int | None = None
    smooth: bool = True
    homogeneous: int | None = None
    symmetric: bool = False
    saved: Literal["inputs", "choice"] = "inputs"

    def saved_bytes(self, parts: int = 2, dtype: torch.dtype = torch.float32) -> float:
        """Bytes for each element of the output, of that many inputs of that type; a choice takes a byte.

        >>> CombinationSheet().saved_bytes()
        8.0
        """
        return float(parts * dtype.itemsize) if self.saved == "inputs" else 1.0


class Combination(ABC):
    """Several tensors of one shape to one tensor of that shape, each element by itself: gated units, Maxout.

    Entries are frozen dataclasses whose fields are the parameters, with a docstring as that of an elementwise entry.
    Shape, dtype and device are kept, and NaN in an input that counts is NaN in the output.

    Attributes:
        name: its key in the catalogue, set by ``register``.
        source: where the formula comes from.
    """

    name: ClassVar[str]
    source: ClassVar[str]

    @property
    @abstractmethod
    def parts(self) -> int:
        """How many inputs there are; a layer splits its input into as many."""

    @property
    @abstractmethod
    def sheet(self) -> CombinationSheet:
        """The properties of the function with these parameters."""

    @abstractmethod
    def f(self, *inputs: Tensor) -> Tensor:
        """Value of ``parts`` tensors of one shape, floating point."""

    @abstractmethod
    def df(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Slopes, one for each input."""


@dataclass(frozen=True, kw_only=True)
class HeadSheet:
    """The properties of a function of a whole axis.

    Attributes:
        range: infimum and supremum of the values.
        lipschitz: the largest spectral norm of the Jacobian matrix, or its supremum; infinite where no number holds for
            every length of the axis.
        year: of ``source``; None where the function is older than its use here.
        total: what the values along the axis add up to; None where that is not fixed.
        sparse: True where some values are exactly 0 for inputs that are not far apart.
        smooth: False where the Jacobian matrix jumps.
        shift_invariant: True where a number added to all inputs changes nothing.
        saved: what a backward pass must keep: the output alone.
    """

    range: tuple[float, float] = (0.0, 1.0)
    lipschitz: float
    year: int | None = None
    total: float | None = 1.0
    sparse: bool = False
    smooth: bool = True
    shift_invariant: bool = True
    saved: Literal["output"] = "output"

    def saved_bytes(self, dtype: torch.dtype = torch.float32) -> float:
        """Bytes for each element of that type.

        >>> HeadSheet(lipschitz=0.5).saved_bytes(torch.bfloat16)
        2.0
        """
        return float(dtype.itemsize)


class Head(ABC):
    """A function of a whole axis, such as softmax: each output depends on all inputs along it.

    Entries are frozen dataclasses whose fields are the parameters, with a docstring as that of an elementwise entry.
    Shape, dtype and device are kept, and one NaN along the axis makes all outputs along it NaN.

    Attributes:
        name: its key in the catalogue, set by ``register``.
        source: where the formula comes from.
    """

    name: ClassVar[str]
    source: ClassVar[str]

    @property
    @abstractmethod
    def sheet(self) -> HeadSheet:
        """The properties of the function with these parameters."""

    @abstractmethod
    def f(self, x: Tensor, dim: int = -1) -> Tensor:
        """Value along an axis, any shape, floating point."""

    @abstractmethod
    def jacobian(self, x: Tensor, dim: int = -1) -> Tensor:
        """``[..., n, n]``: slope of output ``i`` by input ``j`` at ``[..., i, j]``; ``dim`` is moved to the end."""

    @abstractmethod
    def vjp(self, x: Tensor, grad: Tensor, dim: int = -1) -> Tensor:
        """``grad``, the gradient of the outputs, times the Jacobian matrix: the gradient of the inputs."""


def check_inputs(entry: Combination, inputs: tuple[Tensor, ...]) -> None:
    """Refuse inputs that are not as many as the function has parts, or not of one shape and floating-point type.

    Raises:
        WrongType: one is not of floating-point numbers (also a ``TypeError``).
        InvalidValue: says the entry, what it takes and what it was given.
    """
    for one in inputs:
        check_floating(entry.name, one)
    alike = {(one.shape, one.dtype, one.device) for one in inputs}
    if len(inputs) != entry.parts or len(alike) != 1:
        given = ", ".join(f"{list(one.shape)} {one.dtype} on {one.device}" for one in inputs)
        raise InvalidValue(
            f"{entry.name} takes {entry.parts} tensors of one shape, type and device, found {given or 'none'}. "
            "Split one tensor by x.chunk, or use its module in limen.nn, which does."
        )


def check_axis(name: str, x: Tensor, dim: int) -> None:
    """Refuse a tensor that is not of floating-point numbers, or without that axis.

    Raises:
        WrongType: the tensor is not of floating-point numbers (also a ``TypeError``).
        InvalidValue: it has no such axis.
    """
    check_floating(name, x)
    if not -x.dim() <= dim < x.dim():
        raise InvalidValue(f"{name}(dim={dim}): found a tensor of shape {list(x.shape)}, without that axis.")


Function = Activation | Combination | Head
"""What the catalogue holds."""

KINDS: dict[Kind, type[Activation] | type[Combination] | type[Head]] = {
    "elementwise": Activation,
    "gated": Combination,
    "head": Head,
}
"""Each kind, and the class that its entries are of."""
