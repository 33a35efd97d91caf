"""Heads as layers: functions of a whole axis, with gradients that keep their digits and no NaN from infinities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function

from limen import activations
from limen.activations import Head
from limen.activations.heads import FormulaHead
from limen.activations.kinds import check_axis
from limen.nn.checks import check_input
from limen.nn.dispatcher import is_plain
from limen.nn.precision import widened

__all__ = ["Entmax", "Exp", "GumbelSoftmax", "LogSoftmax", "Softmax", "Softmin", "Sparsemax"]


class Formula(Function):
    """The formulas of an entry: the backward pass keeps the output, or where exact the input."""

    generate_vmap_rule = True

    @staticmethod
    def forward(entry: FormulaHead, x: Tensor, dim: int, exact: bool) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        if exact or not x.numel():
            return entry.f(x, dim)
        (wide,) = widened(x)
        return fast_value(entry, wide, dim).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.entry, x, ctx.dim, ctx.exact = inputs
        ctx.save_for_backward(x if ctx.exact else output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        (kept,) = ctx.saved_tensors
        if ctx.exact or not kept.numel():
            return None, ctx.entry.vjp(kept, grad, ctx.dim), None, None
        y, grad = widened(kept, grad)
        return None, fast_pull(ctx.entry, y, grad, ctx.dim).to(kept.dtype), None, None


def fast_value(entry: FormulaHead, x: Tensor, dim: int) -> Tensor:
    """The value, by torch's own kernels where there are any; +inf is then as the largest number."""
    match entry:
        case activations.Softmax(1.0):
            return native_softmax(x, dim)
        case activations.Softmin():
            return native_softmax(-x, dim)
        case activations.LogSoftmax():
            return log_softmax(x, dim)
        case _:
            return entry.value(x, dim)


def fast_pull(entry: FormulaHead, y: Tensor, grad: Tensor, dim: int) -> Tensor:
    """The gradient of the inputs, likewise."""
    match entry:
        case activations.Softmax(temperature):
            pulled = torch.ops.aten._softmax_backward_data(grad, y, dim, y.dtype)
            return pulled if temperature == 1 else pulled / temperature
        case activations.Softmin():
            return -torch.ops.aten._softmax_backward_data(grad, y, dim, y.dtype)
        case activations.LogSoftmax():
            return log_softmax_pull(y, grad, dim)
        case _:
            return entry.pull(y, grad, dim)


def native_softmax(x: Tensor, dim: int) -> Tensor:
    """The softmax of torch, which would be NaN where all is -inf, and where anything is +inf."""
    if may_look(x):
        y = torch.softmax(x, dim)
        if not torch.isnan(y.sum()):
            return y
    return torch.softmax(x.clamp(max=torch.finfo(x.dtype).max), dim).masked_fill(x == -torch.inf, 0.0)


def log_softmax(x: Tensor, dim: int) -> Tensor:
    """As its entry, in fewer passes."""
    most = torch.finfo(x.dtype).max
    top, place = x.max(dim, keepdim=True)
    finite = may_look(x) and bool(top.isfinite().all())
    below = x - top if finite else x.clamp(max=most) - top.clamp(-most, most)
    others = below.scatter(dim, place, -torch.inf).exp_().sum(dim, keepdim=True)
    return below.sub_(torch.log1p(others))


def log_softmax_pull(y: Tensor, grad: Tensor, dim: int) -> Tensor:
    """The gradient of torch, with that of the largest replaced by what makes them add up to 0."""
    top, place = y.max(dim, keepdim=True)
    rest = torch.ops.aten._log_softmax_backward_data(grad, y, dim, y.dtype).scatter(dim, place, 0.0)
    pulled = rest.scatter(dim, place, -rest.sum(dim, keepdim=True))
    return pulled if may_look(y) and bool((top > -torch.inf).all()) else pulled * (top > -torch.inf)


def may_look(x: Tensor) -> bool:
    """Whether to read a number of ``x`` costs nothing: it has numbers, here, and nobody records what is done."""
    return not (torch.compiler.is_compiling() or torch.jit.is_tracing()) and is_plain(x)


def applied(name: str, entry: FormulaHead, input: Tensor, dim: int, exact: bool) -> Tensor:
    """A head along an axis, with what it refuses."""
    check_input(name, input)
    check_axis(name, input, dim)
    return Formula.apply(entry, input, dim, exact)


class HeadModule(nn.Module, ABC):
    """A head along one axis.

    Args:
        dim: the axis.
        exact: computed in double precision and rounded once, and the backward pass keeps the input; otherwise it is
            computed in single precision, and the output is kept.
    """

    def __init__(self, dim: int = -1, *, exact: bool = False) -> None:
        super().__init__()
        self.dim = dim
        self.exact = exact

    @property
    @abstractmethod
    def entry(self) -> FormulaHead:
        """What it applies, with its parameters."""

    def forward(self, input: Tensor) -> Tensor:
        """The function along the axis: the shape and type of the input.

        Raises:
            WrongType: the input is no tensor of floating-point numbers (also a ``TypeError``).
            InvalidValue: the axis does not exist (also a ``ValueError``).
        """
        return applied(type(self).__name__, self.entry, input, self.dim, self.exact)

    def extra_repr(self) -> str:
        """The axis, and what is not as by default."""
        parameters = [f"{name}={value!r}" for name, value in vars(self.entry).items()]
        return ", ".join([f"dim={self.dim}", *parameters, *["exact=True"] * self.exact])


class Softmax(HeadModule):
    """``torch.nn.Softmax``, with a temperature, zeros for a row that is -inf throughout, and no NaN from +inf.

    Args:
        dim: the axis.
        temperature: the inputs are divided by it; > 0.
        exact: as for all heads.
    """

    def __init__(self, dim: int = -1, temperature: float = 1.0, *, exact: bool = False) -> None:
        super().__init__(dim, exact=exact)
        self._entry = activations.Softmax(temperature)

    @property
    def entry(self) -> FormulaHead:
        """What it applies."""
        return self._entry


class LogSoftmax(HeadModule):
    """``torch.nn.LogSoftmax``, with all digits of the largest; with ``torch.nn.NLLLoss`` gradients add up to 0."""

    @property
    def entry(self) -> FormulaHead:
        """What it applies."""
        return activations.LogSoftmax()


class Softmin(HeadModule):
    """``torch.nn.Softmin``, with no NaN from infinities."""

    @property
    def entry(self) -> FormulaHead:
        """What it applies."""
        return activations.Softmin()


class Sparsemax(HeadModule):
    """The nearest point of the simplex: shares of which some are exactly 0."""

    @property
    def entry(self) -> FormulaHead:
        """What it applies."""
        return activations.Sparsemax()


class Entmax(HeadModule):
    """Between softmax and sparsemax.

    Args:
        dim: the axis.
        alpha: 1 is softmax, 2 is sparsemax; 1.5 is the fastest of the others.
        exact: as for all heads.
    """

    def __init__(self, dim: int = -1, alpha: float = 1.5, *, exact: bool = False) -> None:
        super().__init__(dim, exact=exact)
        self._entry = activations.Entmax(alpha)

    @property
    def entry(self) -> FormulaHead:
        """What it applies."""
        return self._entry


class Exp(nn.Module):
    """``exp`` of each score: a rate from its logarithm. Not before a loss that takes scores."""

    @property
    def entry(self) -> Head:
        """What it applies."""
        return activations.Exp()

    def forward(self, input: Tensor) -> Tensor:
        """The shape and type of the input."""
        check_input("Exp", input)
        return torch.exp(input)


class GumbelSoftmax(nn.Module):
    """Random choices with a gradient: ``torch.nn.functional.gumbel_softmax``, which draws the same.

    Args:
        dim: the axis.
        temperature: the smaller, the nearer to choices; > 0.
        hard: give choices, with the gradient of the soft samples.
        generator: of the random numbers; None for torch's own.
    """

    def __init__(
        self,
        dim: int = -1,
        temperature: float = 1.0,
        *,
        hard: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.generator = generator
        self._entry = activations.GumbelSoftmax(temperature, hard)

    @property
    def entry(self) -> Head:
        """What it applies."""
        return self._entry

    def forward(self, input: Tensor) -> Tensor:
        """Samples of the shape and type of the input; drawn anew at every call, also in evaluation."""
        check_input("GumbelSoftmax", input)
        scores = self._entry.perturbed(input, self.generator)
        return self._entry.chosen(applied("GumbelSoftmax", self._entry.soft, scores, self.dim, False), self.dim)

    def extra_repr(self) -> str:
        """The axis and the parameters."""
        return f"dim={self.dim}, temperature={self._entry.temperature!r}, hard={self._entry.hard}"
