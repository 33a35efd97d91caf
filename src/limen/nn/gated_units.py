"""Gated units as layers: they split one axis in two, and multiply one half by a gate that the other half opens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn
from torch.autograd import Function

from limen import activations
from limen.activations import Combination
from limen.errors import InvalidValue
from limen.nn.applying import check_input
from limen.nn.operators import activate

__all__ = ["GEGLU", "GLU", "BilinearGLU", "GatedUnit", "ReGLU", "SwiGLU"]


class GatedUnit(nn.Module, ABC):
    """``a g(b)`` of the two halves ``a`` and ``b`` of an axis: half as many features as the input has.

    Args:
        dim: the axis that is split.
        gate_last: True for the second half as the gate, as in ``torch.nn.GLU``; False for the first, as checkpoints
            have it that pack a gate before what it lets through.
        exact: the product too is computed in double precision and rounded once, and the backward pass keeps the input
            alone. Otherwise the gate is as fast as its own module is, and shown to a watch as one.
    """

    def __init__(self, dim: int = -1, *, gate_last: bool = True, exact: bool = False) -> None:
        super().__init__()
        self.dim = dim
        self.gate_last = gate_last
        self.exact = exact

    @property
    @abstractmethod
    def entry(self) -> Combination:
        """What it applies, with its parameters."""

    @abstractmethod
    def gate(self, b: Tensor) -> Tensor:
        """``g(b)``."""

    def forward(self, input: Tensor) -> Tensor:
        """``[..., 2 n, ...]`` to ``[..., n, ...]`` along the axis.

        Raises:
            WrongType: the input is no tensor of floating-point numbers (also a ``TypeError``).
            InvalidValue: the axis does not exist or has an odd size (also a ``ValueError``).
        """
        a, b = self._halves(input)
        return Exactly.apply(self.entry, a, b) if self.exact else a * self.gate(b)

    def _halves(self, input: Tensor) -> tuple[Tensor, Tensor]:
        name = type(self).__name__
        check_input(name, input)
        if not -input.dim() <= self.dim < input.dim():
            raise InvalidValue(
                f"{name}(dim={self.dim}): found a tensor of shape {list(input.shape)}, without that axis."
            )
        size = input.shape[self.dim]
        if size % 2:
            raise InvalidValue(
                f"{name}(dim={self.dim}): found an axis of odd size {size}, in a tensor of shape {list(input.shape)}. "
                "It splits the axis in two: let the layer before it have twice the features that are wanted."
            )
        first, second = input.chunk(2, self.dim)
        return (first, second) if self.gate_last else (second, first)

    def extra_repr(self) -> str:
        """The axis, and what is not as by default."""
        parameters = [f"{name}={value!r}" for name, value in vars(self.entry).items()]
        marks = ["gate_last=False"] * (not self.gate_last) + ["exact=True"] * self.exact
        return ", ".join([f"dim={self.dim}", *parameters, *marks])


class Exactly(Function):
    """A combination with the slopes of its entry."""

    generate_vmap_rule = True

    @staticmethod
    def forward(entry: Combination, *inputs: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return entry.f(*inputs)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.entry = inputs[0]
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return None, *(grad * slope for slope in ctx.entry.df(*ctx.saved_tensors))


class GLU(GatedUnit):
    """``torch.nn.GLU``: half of the features times the sigmoid of the others; its slopes also far out."""

    @property
    def entry(self) -> Combination:
        """What it applies."""
        return activations.GLU()

    def gate(self, b: Tensor) -> Tensor:
        """The sigmoid."""
        return activate(b, "sigmoid", (), False)


class BilinearGLU(GatedUnit):
    """Half of the features times the others. ``torch.nn.Bilinear`` is another thing: it has weights of its own."""

    @property
    def entry(self) -> Combination:
        """What it applies."""
        return activations.BilinearGLU()

    def gate(self, b: Tensor) -> Tensor:
        """The gate as it is."""
        return b


class ReGLU(GatedUnit):
    """Half of the features times the ReLU of the others."""

    @property
    def entry(self) -> Combination:
        """What it applies."""
        return activations.ReGLU()

    def gate(self, b: Tensor) -> Tensor:
        """The ReLU."""
        return activate(b, "relu", (), False)


class GEGLU(GatedUnit):
    """Half of the features times the GELU of the others.

    Args:
        dim: the axis that is split.
        approximate: ``none``, or ``tanh`` for ``gelu_tanh``; that of the checkpoint.
        gate_last: whether the second half is the gate.
        exact: as for all gated units.
    """

    def __init__(
        self, dim: int = -1, approximate: str = "none", *, gate_last: bool = True, exact: bool = False
    ) -> None:
        super().__init__(dim, gate_last=gate_last, exact=exact)
        self._entry = activations.get("geglu", kind="gated", approximate=approximate)
        self._function = "gelu" if approximate == "none" else "gelu_tanh"

    @property
    def entry(self) -> Combination:
        """What it applies."""
        return self._entry

    def gate(self, b: Tensor) -> Tensor:
        """GELU, exact or by tanh."""
        return activate(b, self._function, (), False)


class SwiGLU(GatedUnit):
    """Half of the features times the swish of the others, as in LLaMA.

    Args:
        dim: the axis that is split.
        beta: of ``swish(b) = b / (1 + exp(-beta b))``; > 0, and 1 for SiLU.
        gate_last: whether the second half is the gate. Checkpoints that pack gate and value in one matrix often begin
            with the gate.
        exact: as for all gated units.
    """

    def __init__(self, dim: int = -1, beta: float = 1.0, *, gate_last: bool = True, exact: bool = False) -> None:
        super().__init__(dim, gate_last=gate_last, exact=exact)
        self.beta = beta
        self._entry = activations.get("swiglu", kind="gated", beta=beta)

    @property
    def entry(self) -> Combination:
        """What it applies."""
        return self._entry

    def gate(self, b: Tensor) -> Tensor:
        """Swish."""
        if self.beta == 1:
            return activate(b, "silu", (), False)
        return activate(b * self.beta, "silu", (), False) / self.beta
