# ruff: noqa: D102 - the interface says what each method is
"""Heads that give some inputs no share at all: sparsemax, and entmax between it and softmax."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations.base import register
from limen.activations.heads import FormulaHead, below_the_top, nonzero, pull, slopes, softmax
from limen.activations.interface import check_number
from limen.activations.kinds import HeadSheet

__all__ = ["Entmax", "Sparsemax"]


def power(x: Tensor, bend: float) -> Tensor:
    """``(1 + bend x)₊ ^ (1 / bend)`` of ``x <= 0``, which tends to ``exp(x)`` as ``bend`` tends to 0."""
    inner = bend * x
    off = inner <= -1
    near = torch.where(off, 0.0, inner)
    if bend == 1:
        return torch.where(off, 0.0, 1 + near)
    if bend == 0.5:
        return torch.where(off, 0.0, (1 + near).square())
    return torch.where(off, 0.0, torch.exp(torch.log1p(near) / bend))


def escort(p: Tensor, alpha: float) -> Tensor:
    """``p^(2 - alpha)`` on the support, which the Jacobian matrix is made of; kept where its square is finite."""
    if alpha == 2:
        return torch.where(p.isnan(), p, (p > 0).to(p.dtype))
    weights = torch.where(p == 0, 1.0, p).pow(2 - alpha)
    return torch.where(p == 0, 0.0, weights.clamp(max=math.sqrt(torch.finfo(p.dtype).max)))


def shares(x: Tensor, alpha: float, dim: int) -> Tensor:
    """Entmax along an axis: ``power(z - v)`` with ``z = x - max(x)`` and the ``v`` for which they add up to 1.

    ``v`` is found without autograd, and improved by one step of Newton's with it, which has the right derivative.
    """
    if alpha == 1:
        return softmax(x, dim)
    bend, z = alpha - 1, below_the_top(x, dim)
    if bend > 1:
        return few_shares(z, bend, dim)
    with torch.no_grad():
        found = {1.0: by_sorting, 0.5: by_sorting_roots}.get(bend, by_halving)(z.detach(), bend, dim)
        first = power(z.detach() - found, bend)
        fall = nonzero(escort(first, alpha).sum(dim, keepdim=True))
    excess = power(z - found, bend).sum(dim, keepdim=True) - 1
    return power(z - found - excess / fall, bend)


def ordered(z: Tensor, least: float, dim: int) -> tuple[Tensor, Tensor]:
    """The inputs in descending order, those that can have no share set to ``least``, and their ordinal numbers."""
    ranked = z.clamp(min=least).sort(dim, descending=True).values
    count = torch.arange(1, z.shape[dim] + 1, dtype=z.dtype, device=z.device)
    return ranked, count.view(-1, *[1] * ((z.dim() - 1) - dim % z.dim()))


def by_sorting(z: Tensor, bend: float, dim: int) -> Tensor:
    """``v`` of ``alpha = 2``: shares are ``1 + z - v`` for those ``k`` that ``1 + k z_k`` is above the sum of."""
    ranked, count = ordered(z, -1.0, dim)
    total = ranked.cumsum(dim)
    size = (1 + count * ranked > total).sum(dim, keepdim=True).clamp(min=1)
    return 1 + (total.gather(dim, size - 1) - 1) / size


def by_sorting_roots(z: Tensor, bend: float, dim: int) -> Tensor:
    """``v`` of ``alpha = 1.5``: shares are ``(z / 2 - t)²``, a quadratic equation for each size of the support."""
    ranked, count = ordered(z / 2, -1.0, dim)
    mean = ranked.cumsum(dim) / count
    spread = ranked.square().cumsum(dim) - count * mean.square()
    threshold = mean - ((1 - spread) / count).clamp(min=0).sqrt()
    size = (threshold <= ranked).sum(dim, keepdim=True).clamp(min=1)
    return 2 * (1 + threshold.gather(dim, size - 1))


def by_halving(z: Tensor, bend: float, dim: int) -> Tensor:
    """``v`` of any ``alpha > 1``: between 0, where the largest alone has share 1, and where ``n`` equal ones have."""
    low = torch.zeros_like(z.amax(dim, keepdim=True))
    high = low - math.expm1(-bend * math.log(z.shape[dim])) / bend
    for _ in range(10 - int(math.log2(torch.finfo(z.dtype).eps))):  # below the last place of log(n)
        middle = (low + high) / 2
        above = power(z - middle, bend).sum(dim, keepdim=True) > 1
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    return (low + high) / 2


def few_shares(z: Tensor, bend: float, dim: int) -> Tensor:
    """``shares`` of ``alpha > 2``, from the least that is not 0: so high a root of a difference has no digits."""
    scaled = bend * z.clamp(min=-1.0)
    above = torch.where(z < -1, -1.0, scaled - scaled.gather(dim, last_with_a_share(scaled.detach(), bend, dim)))
    with torch.no_grad():
        low = torch.zeros_like(above.narrow(dim, 0, 1))
        high = low + 1
        for _ in range(10 - int(math.log2(torch.finfo(z.dtype).eps))):
            middle = (low + high) / 2
            within = over(above.detach(), middle, bend).sum(dim, keepdim=True) < 1
            low, high = torch.where(within, middle, low), torch.where(within, high, middle)
        found = (low + high) / 2
        first = over(above.detach(), found, bend)
        fall = torch.where(first == 0, 0.0, found / nonzero(first)).pow(bend - 1).sum(dim, keepdim=True)
    excess = over(above, found, bend).sum(dim, keepdim=True) - 1
    return over(above, found - excess / nonzero(fall), bend)


def last_with_a_share(scaled: Tensor, bend: float, dim: int) -> Tensor:
    """The place of the least input that is not cut off: those above it have less than 1 where it has nothing."""
    ranked, place = scaled.clamp(min=-1.0).sort(dim, descending=True)
    low, high = (torch.full_like(place.narrow(dim, 0, 1), end) for end in (0, scaled.shape[dim] - 1))
    for _ in range((scaled.shape[dim] - 1).bit_length()):
        middle = (low + high + 1) // 2
        within = (ranked - ranked.gather(dim, middle)).clamp(min=0).pow(1 / bend).sum(dim, keepdim=True) < 1
        low, high = torch.where(within, middle, low), torch.where(within, high, middle - 1)
    return place.gather(dim, low)


def over(above: Tensor, least: Tensor, bend: float) -> Tensor:
    """The shares where the least is this, of inputs so far ``above`` that which has it, and 0 of those below."""
    far = torch.where(above <= 0, 1.0, above)
    steep = least.detach().pow(1 - bend).clamp(max=math.sqrt(torch.finfo(above.dtype).max)) / bend
    equal = least + torch.where(above == 0, above, 0.0) * steep  # whose power may be too small for the type
    return torch.where(above < 0, 0.0, torch.where(above == 0, equal, (least.pow(bend) + far).pow(1 / bend)))


@register("sparsemax")
@dataclass(frozen=True)
class Sparsemax(FormulaHead):
    """``f(x) = max(x - t, 0)`` along an axis, with the ``t`` for which they add up to 1.

    Range: [0, 1], the nearest point of the simplex; Jacobian ``diag(S) - S Sᵀ / |S|`` with the indicator ``S`` of what
    is not 0. One input that is 1 above the others has all. Where all inputs are -inf the outputs are 0; several +inf
    share alike.
    Hazards: an input without a share gets no gradient: not before ``torch.nn.NLLLoss``, whose logarithm is -inf there.
    """

    source = "Martins & Astudillo 2016, arXiv:1602.02068, Alg. 1"

    @property
    def sheet(self) -> HeadSheet:
        return HeadSheet(lipschitz=1.0, year=2016, sparse=True, smooth=False)

    def value(self, x: Tensor, dim: int) -> Tensor:
        return shares(x, 2.0, dim)

    def pull(self, y: Tensor, grad: Tensor, dim: int) -> Tensor:
        return pull(escort(y, 2.0), grad, dim)

    def slopes(self, y: Tensor) -> Tensor:
        return slopes(escort(y, 2.0))


@register("entmax")
@dataclass(frozen=True)
class Entmax(FormulaHead):
    """``f(x) = max((alpha - 1) x - t, 0) ^ (1 / (alpha - 1))`` along an axis, where ``t`` makes them add up to 1.

    Range: [0, 1], adding up to 1; Jacobian ``diag(q) - q qᵀ / sum(q)`` with ``q = p^(2 - alpha)`` where ``p = f(x)`` is
    not 0. ``alpha = 1`` is softmax, 2 is sparsemax; 1.5 is solved exactly by sorting, all others by bisection to the
    last place. Where all inputs are -inf the outputs are 0; several +inf share alike.
    Hazards: those of ``sparsemax`` for any ``alpha > 1``. Above 2 slopes grow without bound at the edge of the support.

    Attributes:
        alpha: >= 1; the larger, the sparser.
    """

    alpha: float = 1.5
    source = "Peters, Niculae & Martins 2019, arXiv:1905.05702"

    def __post_init__(self) -> None:
        check_number(self, "alpha", least=1)

    @property
    def sheet(self) -> HeadSheet:
        steepest = 2 ** (self.alpha - 2) if self.alpha <= 2 else math.inf
        return HeadSheet(lipschitz=steepest, year=2019, sparse=self.alpha > 1, smooth=self.alpha < 2)

    def value(self, x: Tensor, dim: int) -> Tensor:
        return shares(x, float(self.alpha), dim)

    def pull(self, y: Tensor, grad: Tensor, dim: int) -> Tensor:
        return pull(escort(y, self.alpha), grad, dim)

    def slopes(self, y: Tensor) -> Tensor:
        return slopes(escort(y, self.alpha))
