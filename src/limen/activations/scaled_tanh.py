# ruff: noqa: D102 - the interface says what each method is
"""A function that is made for outputs: a number between two limits."""

from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations import logistic
from limen.activations.base import register
from limen.activations.interface import Entry, check_number
from limen.activations.rounding import exact
from limen.activations.sheet import Sheet
from limen.errors import InvalidValue

__all__ = ["ScaledTanh"]


@register("scaled_tanh")
@dataclass(frozen=True)
class ScaledTanh(Entry):
    """``f(x) = low + (high - low) (1 + tanh(x)) / 2``.

    Range: (low, high); rises everywhere; steepest at 0 with slope ``(high - low) / 2``.
    Hazards: flat on both sides, and targets at the limits themselves pull the scores without end: give limits a little
    wider than the targets. Digits are kept towards both limits, also where one of them is 0.
    """

    low: float = -1.0
    high: float = 1.0
    source = "LeCun et al. 1998, Efficient BackProp, Sec. 4.5"

    def __post_init__(self) -> None:
        check_number(self, "low")
        check_number(self, "high")
        if not self.low < self.high:
            raise InvalidValue(f"scaled_tanh(low={self.low}, high={self.high}): expected low < high.")

    @property
    def half(self) -> float:
        """Half of the width of the range."""
        return self.high / 2 - self.low / 2

    @property
    def sheet(self) -> Sheet:
        return Sheet(
            range=(self.low, self.high),
            limits=(self.low, self.high),
            monotone=True,
            lipschitz=self.half,
            year=1998,
            parity="odd" if self.low == -self.high else None,
        )

    @exact
    def f(self, x: Tensor) -> Tensor:
        centre = self.high / 2 + self.low / 2
        near = self.half * torch.tanh(x)
        rest = 2 * self.half * logistic.value(-2 * x.abs())
        far = torch.where(x > 0, self.high - rest, self.low + rest)
        return torch.where(x.abs() < 0.5, centre + near if centre else near, far)  # near alone keeps the sign of 0

    @exact
    def df(self, x: Tensor) -> Tensor:
        return 4 * self.half * logistic.slope(2 * x)

    @exact
    def d2f(self, x: Tensor) -> Tensor:
        return -8 * self.half * torch.tanh(x) * logistic.slope(2 * x)
