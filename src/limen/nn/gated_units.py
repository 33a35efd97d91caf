"""Gated units as layers: they split one axis in two, and multiply one half by a gate that the other half opens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

from torch import Tensor, nn

from limen import activations
from limen.activations import Identity
from limen.activations.gated_units import GatedUnit
from limen.activations.kinds import check_axis
from limen.errors import InvalidValue
from limen.nn.applying import apply
from limen.nn.checks import check_input
from limen.nn.entries import call_of

__all__ = ["GEGLU", "GLU", "BilinearGLU", "Gated", "ReGLU", "SwiGLU"]


class Gated(nn.Module, ABC):
    """``a g(b)`` of the two halves ``a`` and ``b`` of an axis: half as many features as the input has.

    A watch sees the gate as the activation that it is.

    Args:
        entry: the gated unit.
        dim: the axis that is split.
        gate_last: True for the second half as the gate, as in ``torch.nn.GLU``; False for the first, as checkpoints
            have it that pack a gate before what it lets through.
        exact: a correctly rounded gate instead of a fast one. The product is rounded once more, so values are within
            1.5 units of the last place; ``entry.f`` is within half of one.
    """

    @abstractmethod
    def __init__(self, entry: GatedUnit, dim: int, *, gate_last: bool, exact: bool) -> None:
        super().__init__()
        self.dim = dim
        self.gate_last = gate_last
        self.exact = exact
        self._entry = entry
        self._gate = None if isinstance(entry.gate, Identity) else call_of(entry.gate)

    @property
    def entry(self) -> GatedUnit:
        """What it applies, with its parameters."""
        return self._entry

    def forward(self, input: Tensor) -> Tensor:
        """``[..., 2 n, ...]`` to ``[..., n, ...]`` along the axis.

        Raises:
            WrongType: the input is no tensor of floating-point numbers (also a ``TypeError``).
            InvalidValue: the axis does not exist or has an odd size (also a ``ValueError``).
        """
        a, b = self._halves(input)
        return a * (b if self._gate is None else apply(self._gate, b, exact=self.exact))

    def _halves(self, input: Tensor) -> tuple[Tensor, Tensor]:
        name = type(self).__name__
        check_input(name, input)
        check_axis(name, input, self.dim)
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
        parameters = [f"{name}={value!r}" for name, value in vars(self._entry).items()]
        marks = ["gate_last=False"] * (not self.gate_last) + ["exact=True"] * self.exact
        return ", ".join([f"dim={self.dim}", *parameters, *marks])


class GLU(Gated):
    """``torch.nn.GLU``: half of the features times the sigmoid of the others; its slopes also far out.

    Args:
        dim: the axis that is split.
        gate_last: whether the second half is the gate.
        exact: a correctly rounded gate instead of a fast one.
    """

    def __init__(self, dim: int = -1, *, gate_last: bool = True, exact: bool = False) -> None:
        super().__init__(activations.GLU(), dim, gate_last=gate_last, exact=exact)


class BilinearGLU(Gated):
    """Half of the features times the others. ``torch.nn.Bilinear`` is another thing: it has weights of its own.

    Args:
        dim: the axis that is split.
        gate_last: as for the others, though it makes no difference.
        exact: likewise.
    """

    def __init__(self, dim: int = -1, *, gate_last: bool = True, exact: bool = False) -> None:
        super().__init__(activations.BilinearGLU(), dim, gate_last=gate_last, exact=exact)


class ReGLU(Gated):
    """Half of the features times the ReLU of the others.

    Args:
        dim: the axis that is split.
        gate_last: whether the second half is the gate.
        exact: makes no difference: the gate is exact as it is.
    """

    def __init__(self, dim: int = -1, *, gate_last: bool = True, exact: bool = False) -> None:
        super().__init__(activations.ReGLU(), dim, gate_last=gate_last, exact=exact)


class GEGLU(Gated):
    """Half of the features times the GELU of the others.

    Args:
        dim: the axis that is split.
        approximate: ``none``, or ``tanh`` for ``gelu_tanh``; that of the checkpoint.
        gate_last: whether the second half is the gate.
        exact: a correctly rounded gate instead of a fast one.
    """

    def __init__(
        self,
        dim: int = -1,
        approximate: Literal["none", "tanh"] = "none",
        *,
        gate_last: bool = True,
        exact: bool = False,
    ) -> None:
        super().__init__(activations.GEGLU(approximate), dim, gate_last=gate_last, exact=exact)


class SwiGLU(Gated):
    """Half of the features times the swish of the others, as in LLaMA.

    Args:
        dim: the axis that is split.
        beta: of ``swish(b) = b / (1 + exp(-beta b))``; > 0, and 1 for SiLU.
        gate_last: whether the second half is the gate. Checkpoints that pack gate and value in one matrix often begin
            with the gate.
        exact: a correctly rounded gate instead of a fast one.
    """

    def __init__(self, dim: int = -1, beta: float = 1.0, *, gate_last: bool = True, exact: bool = False) -> None:
        super().__init__(activations.SwiGLU(beta), dim, gate_last=gate_last, exact=exact)
