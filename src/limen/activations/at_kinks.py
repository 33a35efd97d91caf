# ruff: noqa: D102 - the interface says what each method is
"""A function of the catalogue with another slope at its kinks than torch's operator returns."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from limen.activations.interface import Activation
from limen.errors import InvalidValue

__all__ = ["AtKinks", "at_kinks"]

SIDES = ("left", "right", "mean")


@dataclass(frozen=True)
class AtKinks(Activation):
    """``base``, but with the slope ``slope`` at its kinks; the same anywhere else.

    Attributes:
        base: an entry of the catalogue, or a user's own.
        slope: ``left`` or ``right`` of each kink, the ``mean`` of the two, or a number between the two at one of them.
            Any slope between is a subgradient where ``base`` is convex.
    """

    base: Activation
    slope: float | str

    def __post_init__(self) -> None:
        if self.slope in SIDES:
            return
        sides = [self._beside(kink, self.base.df) for kink in self.kinks]
        number = isinstance(self.slope, int | float) and not isinstance(self.slope, bool)
        if number and any(min(pair) <= self.slope <= max(pair) for pair in sides):  # type: ignore[operator]
            return
        known = " or ".join(f"between {min(pair):g} and {max(pair):g}" for pair in dict.fromkeys(sides))
        raise InvalidValue(
            f"{self.base.name}(slope_at_kink={self.slope!r}): expected {', '.join(map(repr, SIDES))}"
            f"{f', or a number {known}' if known else '; it has no kink, so no number'}."
        )

    @property
    def name(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """That of the base."""
        return self.base.name

    @property
    def source(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """That of the base."""
        return self.base.source

    @property
    def kinks(self) -> tuple[float, ...]:
        return self.base.kinks

    @property
    def monotone(self) -> bool:
        return self.base.monotone

    def f(self, x: Tensor) -> Tensor:
        return self.base.f(x)

    def df(self, x: Tensor) -> Tensor:
        slope = self.base.df(x)
        for kink in self.kinks:
            slope = torch.where(x == kink, self._chosen(self._beside(kink, self.base.df)), slope)
        return slope

    def d2f(self, x: Tensor) -> Tensor:
        curvature = self.base.d2f(x)
        for kink in self.kinks:
            left, right = self._beside(kink, self.base.d2f)
            curvature = torch.where(x == kink, {"left": left, "right": right}.get(str(self.slope), 0.0), curvature)
        return curvature

    def _chosen(self, sides: tuple[float, float]) -> float:
        """The slope at a kink with these slopes beside it; a number that is not between them gives the nearer one."""
        left, right = sides
        if isinstance(self.slope, str):
            return {"left": left, "right": right, "mean": (left + right) / 2}[self.slope]
        return min(max(float(self.slope), min(sides)), max(sides))

    def _beside(self, kink: float, function: Callable[[Tensor], Tensor]) -> tuple[float, float]:
        """What a function is just left and just right of a kink."""
        places = [math.nextafter(kink, -math.inf), math.nextafter(kink, math.inf)]
        with torch.no_grad():
            left, right = function(torch.tensor(places, dtype=torch.float64, device="cpu")).tolist()
        return left, right


def at_kinks(activation: Activation, slope: float | str) -> Activation:
    """The activation with another slope at its kinks: where torch's own operators disagree with each other.

    Args:
        activation: an entry of the catalogue.
        slope: ``torch`` for what torch's operator of that name returns, which is the entry itself; ``left``, ``right``
            or ``mean`` of the slopes on both sides; or a number between them.

    Raises:
        InvalidValue: a number that is not between the slopes at any kink, or another word.

    >>> from limen.activations import ReLU
    >>> at_kinks(ReLU(), 0.5).df(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return activation if slope == "torch" else AtKinks(activation, slope)
