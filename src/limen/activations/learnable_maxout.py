# ruff: noqa: D102 - the interface says what each method is
"""The largest of several linear maps, of which the maps are what is learned."""

from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from limen.activations.base import register
from limen.activations.kinds import Combination, CombinationSheet, check_inputs
from limen.errors import InvalidValue

__all__ = ["Maxout"]


@register("maxout")
@dataclass(frozen=True)
class Maxout(Combination):
    """``f(a, b) = max(a, b)``, likewise of more ``pieces``, each a linear map ``w x + b`` with its own weights.

    Range: all numbers; convex; slope 1 in the largest input, the first one if several are, and 0 in the others.
    Hazards: ``pieces`` times the weights of a layer. A piece that is never the largest gets no gradient.
    """

    pieces: int = 2
    source = "Goodfellow et al. 2013, arXiv:1302.4389"

    def __post_init__(self) -> None:
        if isinstance(self.pieces, bool) or not isinstance(self.pieces, int) or self.pieces < 2:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValue(f"maxout(pieces={self.pieces!r}): expected a whole number >= 2.")

    @property
    def parts(self) -> int:
        return self.pieces

    @property
    def sheet(self) -> CombinationSheet:
        return CombinationSheet(lipschitz=1.0, year=2013, smooth=False, homogeneous=1, symmetric=True, saved="choice")

    def f(self, *inputs: Tensor) -> Tensor:
        check_inputs(self, inputs)
        return torch.stack(inputs).max(0).values  # of equals, the gradient goes to the first

    def df(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        check_inputs(self, inputs)
        chosen = torch.stack(inputs).max(0).indices
        lost = reduce(torch.logical_or, (one.isnan() for one in inputs))
        return tuple(
            torch.where(lost, torch.nan, (chosen == part).to(one.dtype)).to(one.dtype)
            for part, one in enumerate(inputs)
        )
