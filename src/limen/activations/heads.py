# ruff: noqa: D102 - the interface says what each method is
"""Heads made of exponentials: softmax, its logarithm, its mirror image and its random relative, and ``exp`` itself."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from limen.activations.base import register
from limen.activations.interface import check_number
from limen.activations.kinds import Head, HeadSheet, check_axis
from limen.activations.rounding import in_doubles

__all__ = ["Exp", "FormulaHead", "GumbelSoftmax", "LogSoftmax", "Softmax", "Softmin", "below_the_top", "pull", "slopes"]


class FormulaHead(Head):
    """A head that states its formulas; ``f``, ``jacobian`` and ``vjp`` are these in double precision, rounded once."""

    @abstractmethod
    def value(self, x: Tensor, dim: int) -> Tensor:
        """``f`` in the type of ``x``."""

    @abstractmethod
    def pull(self, y: Tensor, grad: Tensor, dim: int) -> Tensor:
        """``vjp`` from the output."""

    @abstractmethod
    def slopes(self, y: Tensor) -> Tensor:
        """``jacobian`` along the last axis from the output."""

    def f(self, x: Tensor, dim: int = -1) -> Tensor:
        check_axis(self.name, x, dim)
        return in_doubles(partial(self.value, dim=dim), x) if x.numel() else x.clone()

    def jacobian(self, x: Tensor, dim: int = -1) -> Tensor:
        check_axis(self.name, x, dim)
        last = x.movedim(dim, -1)
        return in_doubles(self._slopes_at, last) if x.numel() else last[..., None].expand(*last.shape, last.shape[-1])

    def vjp(self, x: Tensor, grad: Tensor, dim: int = -1) -> Tensor:
        check_axis(self.name, x, dim)
        return in_doubles(partial(self._pull_at, dim=dim), x, grad) if x.numel() else grad.clone()

    def _slopes_at(self, x: Tensor) -> Tensor:
        return self.slopes(self.value(x, -1))

    def _pull_at(self, x: Tensor, grad: Tensor, dim: int) -> Tensor:
        return self.pull(self.value(x, dim), grad, dim)


def below_the_top(x: Tensor, dim: int) -> Tensor:
    """``x`` less its largest value, without ``inf - inf``: 0 for all that are +inf, -inf where all are -inf."""
    top = x.gather(dim, x.argmax(dim, keepdim=True))  # one element, also for autograd
    finite = x - top.clamp(min=torch.finfo(x.dtype).min)
    return torch.where(top == torch.inf, torch.where(x == top, 0.0, -torch.inf), finite)


def one_of_the_top(x: Tensor, dim: int) -> Tensor:
    """True at the first of the largest values along the axis, False elsewhere."""
    places = torch.arange(x.shape[dim], device=x.device).view(-1, *[1] * ((x.dim() - 1) - dim % x.dim()))
    return places == x.argmax(dim, keepdim=True)


def nonzero(total: Tensor) -> Tensor:
    """A divisor: 1 where a sum is 0, as that of an axis on which all is -inf."""
    return torch.where(total == 0, 1.0, total)


def pull(weights: Tensor, grad: Tensor, dim: int) -> Tensor:
    """``grad`` times the matrix ``diag(q) - q qᵀ / sum(q)`` with ``q`` the ``weights`` along the axis.

    The gradient at the heaviest weight is taken off all first: the rest of a weight that is nearly 1 is then never a
    difference, and the result adds up to 0.
    """
    kept = torch.where(weights == 0, 0.0, grad)  # where nothing passes, not even an infinity does
    top = kept.gather(dim, weights.argmax(dim, keepdim=True))
    apart = torch.where(weights == 0, 0.0, grad - top)
    return weights * (apart - (weights * apart).sum(dim, keepdim=True) / nonzero(weights.sum(dim, keepdim=True)))


def slopes(weights: Tensor) -> Tensor:
    """The matrix ``diag(q) - q qᵀ / sum(q)`` of weights along the last axis: ``[..., n, n]``."""
    shares = weights / nonzero(weights.sum(-1, keepdim=True))
    return with_rows_to_zero(-weights[..., :, None] * shares[..., None, :])


def with_rows_to_zero(matrix: Tensor) -> Tensor:
    """A matrix with the diagonal that makes each of its rows add up to 0."""
    rest = matrix - torch.diag_embed(matrix.diagonal(dim1=-2, dim2=-1))
    return rest - torch.diag_embed(rest.sum(-1))


def softmax(x: Tensor, dim: int, temperature: float = 1.0) -> Tensor:
    """Along an axis; zeros where all is -inf, equal shares among several +inf."""
    powers = torch.exp(below_the_top(x, dim) / temperature)
    return powers / nonzero(powers.sum(dim, keepdim=True))


@register("softmax")
@dataclass(frozen=True)
class Softmax(FormulaHead):
    """``f(x) = exp(x / T) / sum(exp(x / T))`` along an axis; ``T`` is ``temperature``.

    Range: (0, 1), adding up to 1; Jacobian ``(diag(p) - p pᵀ) / T`` with ``p = f(x)``. Where all inputs are -inf, as in
    a row of attention that is masked throughout, the outputs are 0 and pass no gradient; several +inf share alike.
    Hazards: before a cross-entropy it is a softmax twice, which learns slowly and never surely. In a hidden layer it
    ties all units together. torch gives NaN for rows with +inf and for rows that are -inf throughout.
    """

    temperature: float = 1.0
    source = "Bridle 1990, Probabilistic interpretation of feedforward classification network outputs"

    def __post_init__(self) -> None:
        check_number(self, "temperature", above=0)

    @property
    def sheet(self) -> HeadSheet:
        return HeadSheet(lipschitz=0.5 / self.temperature, year=1990)

    def value(self, x: Tensor, dim: int) -> Tensor:
        return softmax(x, dim, self.temperature)

    def pull(self, y: Tensor, grad: Tensor, dim: int) -> Tensor:
        return pull(y, grad, dim) / self.temperature

    def slopes(self, y: Tensor) -> Tensor:
        return slopes(y) / self.temperature


@register("softmin")
@dataclass(frozen=True)
class Softmin(FormulaHead):
    """``f(x) = exp(-x) / sum(exp(-x))`` along an axis: the softmax of ``-x``.

    Range: (0, 1), adding up to 1; Jacobian ``p pᵀ - diag(p)`` with ``p = f(x)``. Where all inputs are +inf the outputs
    are 0; several -inf share alike.
    Hazards: those of ``softmax``.
    """

    source = "definition: softmax of the negated inputs; Bridle 1990"

    @property
    def sheet(self) -> HeadSheet:
        return HeadSheet(lipschitz=0.5, year=1990)

    def value(self, x: Tensor, dim: int) -> Tensor:
        return softmax(-x, dim)

    def pull(self, y: Tensor, grad: Tensor, dim: int) -> Tensor:
        return -pull(y, grad, dim)

    def slopes(self, y: Tensor) -> Tensor:
        return -slopes(y)


@register("log_softmax")
@dataclass(frozen=True)
class LogSoftmax(FormulaHead):
    """``f(x) = x - log(sum(exp(x)))`` along an axis.

    Range: (-inf, 0); Jacobian ``1 - pᵀ`` in each row, with ``p = exp(f(x))``. Where all inputs are -inf, so are the
    outputs, and they pass no gradient; several +inf share alike.
    Hazards: torch rounds the largest output to 0 from a gap of 16.7 in single precision, and with it the gradient of a
    cross-entropy; here it is ``-log1p`` of the others, and the gradients of a row add up to 0.
    """

    source = "Bridle 1990; the logarithm by Goodfellow, Bengio & Courville 2016, Deep Learning, Sec. 6.2.2.3"

    @property
    def sheet(self) -> HeadSheet:
        return HeadSheet(range=(-math.inf, 0.0), lipschitz=math.inf, year=1990, total=None)

    def value(self, x: Tensor, dim: int) -> Tensor:
        below = below_the_top(x, dim)
        others = torch.where(one_of_the_top(x, dim), 0.0, torch.exp(below)).sum(dim, keepdim=True)
        return below - torch.log1p(others)

    def pull(self, y: Tensor, grad: Tensor, dim: int) -> Tensor:
        top = one_of_the_top(y, dim)
        nothing = y.amax(dim, keepdim=True) == -torch.inf
        rest = torch.where(top | nothing, 0.0, grad - torch.exp(y) * grad.sum(dim, keepdim=True))
        return torch.where(top, -rest.sum(dim, keepdim=True), rest)

    def slopes(self, y: Tensor) -> Tensor:
        return with_rows_to_zero(-torch.exp(y)[..., None, :].expand(*y.shape, y.shape[-1]))


@register("exp")
@dataclass(frozen=True)
class Exp(FormulaHead):
    """``f(x) = exp(x)`` of each input by itself: rates from their logarithms.

    Range: (0, inf); rises everywhere; its own slope, so the Jacobian is ``diag(f(x))``.
    Hazards: only for outputs; in a hidden layer it explodes. Overflows from 88.7 in single and from 11.1 in half
    precision. A loss that takes the score itself, as ``torch.nn.PoissonNLLLoss`` does, wants a model without it.
    """

    source = "McCullagh & Nelder 1989, Generalized Linear Models, Ch. 6: the inverse of the logarithmic link"

    @property
    def sheet(self) -> HeadSheet:
        return HeadSheet(range=(0.0, math.inf), lipschitz=math.inf, year=1989, total=None, shift_invariant=False)

    def value(self, x: Tensor, dim: int) -> Tensor:
        return torch.exp(x)

    def pull(self, y: Tensor, grad: Tensor, dim: int) -> Tensor:
        return y * grad

    def slopes(self, y: Tensor) -> Tensor:
        return torch.diag_embed(y)


@register("gumbel_softmax")
@dataclass(frozen=True)
class GumbelSoftmax(Head):
    """``f(x) = softmax((x + g) / T)`` along an axis, with ``g`` drawn anew: ``-log(-log(u))`` of uniform ``u``.

    Range: (0, 1), adding up to 1; with ``hard`` a 1 at the largest and 0 elsewhere, with the gradient of the soft
    one. ``jacobian`` and ``vjp`` are those of ``softmax``, at the ``x + g`` that ``perturbed`` gives.
    Hazards: a small ``T`` makes gradients rare and large, a large one makes samples that are no choices. The gradient
    of ``hard`` is biased. Draws at every call, in evaluation too.

    Attributes:
        temperature: ``T``, > 0.
        hard: whether samples are choices.
    """

    temperature: float = 1.0
    hard: bool = False
    source = "Jang, Gu & Poole 2017, arXiv:1611.01144; Maddison, Mnih & Teh 2017, arXiv:1611.00712"

    def __post_init__(self) -> None:
        check_number(self, "temperature", above=0)

    @property
    def sheet(self) -> HeadSheet:
        return HeadSheet(lipschitz=0.5 / self.temperature, year=2016)

    def perturbed(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """``x + g``; the same draws as those of ``torch.nn.functional.gumbel_softmax``."""
        return (
            x
            - torch.empty_like(x, memory_format=torch.legacy_contiguous_format).exponential_(generator=generator).log()
        )

    @property
    def soft(self) -> Softmax:
        """What is applied to the perturbed scores."""
        return Softmax(self.temperature)

    def chosen(self, soft: Tensor, dim: int) -> Tensor:
        """Soft samples as they are, or where ``hard`` the choices, with their gradient."""
        if not self.hard:
            return soft
        largest = (one_of_the_top(soft, dim) & (soft > 0)).to(soft.dtype)
        return torch.where(soft.isnan(), soft, largest) + (soft - soft.detach())

    def f(self, x: Tensor, dim: int = -1, *, generator: torch.Generator | None = None) -> Tensor:
        check_axis(self.name, x, dim)
        return self.chosen(self.soft.f(self.perturbed(x, generator), dim), dim)

    def jacobian(self, x: Tensor, dim: int = -1) -> Tensor:
        return self.soft.jacobian(x, dim)

    def vjp(self, x: Tensor, grad: Tensor, dim: int = -1) -> Tensor:
        return self.soft.vjp(x, grad, dim)
