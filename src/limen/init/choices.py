"""What the caller of ``init_`` may choose, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from limen.errors import InvalidValue, UnknownName

__all__ = ["Choices", "Distribution", "Keep", "Mode"]

Mode = Literal["variance", "critical", "orthogonal", "data"]
Keep = Literal["forward", "backward", "both"]
Distribution = Literal["normal", "uniform", "orthogonal"]


@dataclass(frozen=True)
class Choices:
    """The options of ``init_``; see there for what they mean.

    >>> Choices(mode="critcal")
    Traceback (most recent call last):
    limen.errors.UnknownName: No mode is named 'critcal'. Did you mean 'critical'?
    """

    mode: Mode = "variance"
    keep: Keep = "forward"
    distribution: Distribution | None = None
    bias: float = 0.0
    bias_variance: float | None = None
    residual: bool = True
    tolerance: float = 0.02

    def __post_init__(self) -> None:
        for kind, value, known in (
            ("mode", self.mode, get_args(Mode)),
            ("way to keep a scale", self.keep, get_args(Keep)),
            ("distribution of weights", self.distribution or "normal", get_args(Distribution)),
        ):
            if value not in known:
                raise UnknownName.of(kind, str(value), known)
        if self.keep != "forward" and self.mode in ("critical", "data"):
            raise InvalidValue(
                f"init_(mode={self.mode!r}, keep={self.keep!r}): this mode says by itself what is kept. "
                "Use mode='variance' or 'orthogonal' with it, or leave keep out."
            )
        if self.bias_variance is not None and self.mode != "critical":
            raise InvalidValue(
                f"init_(mode={self.mode!r}, bias_variance={self.bias_variance!r}): only mode='critical' draws biases. "
                "A constant is bias=…."
            )
        _check("bias", self.bias, -math.inf, "a finite number, the constant that hidden biases are set to")
        if self.bias_variance is not None:
            _check("bias_variance", self.bias_variance, 0.0, "a finite number >= 0, the variance of hidden biases")
        _check("tolerance", self.tolerance, 1e-6, "a number >= 1e-6, how far from 1 a measured variance may be")

    @property
    def drawn(self) -> Distribution:
        """How weights are drawn."""
        return self.distribution or ("orthogonal" if self.mode in ("orthogonal", "data") else "normal")


def _check(name: str, value: object, least: float, expected: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < least:
        raise InvalidValue(f"init_({name}={value!r}): expected {expected}.")
