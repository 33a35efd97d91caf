"""Straight lines between learned values."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from limen import activations
from limen.activations import Activation
from limen.activations.learnable_fits import sampled, shape_named
from limen.errors import InvalidValue
from limen.nn.checks import check_count, check_numbers
from limen.nn.learnable_channels import Place, check_channels, learned, means, refill
from limen.nn.learnable_grid import ends_of, grid_of, place_on, table_at
from limen.nn.precision import widened

__all__ = ["LinearSpline"]


class LinearSpline(nn.Module):
    """Straight lines between learned values at an even grid; the first and the last line go on beyond it.

    Args:
        init: the name of an elementwise function, or an entry, whose values it takes at first. An entry
            ``LinearSpline`` is taken as it is, with its grid.
        num_parameters: 1, or the number of channels.
        knots: how many values, 2 or more; odd for a knot at the middle.
        low: the first place of the grid.
        high: its last.
        axis: of the channels.
        device: of the coefficients.
        dtype: of the coefficients.

    Attributes:
        coefficients: ``[num_parameters, knots]``, the values at the grid.
        low: a buffer.
        high: a buffer.

    Source: Bohra et al. 2020, IEEE Open Journal of Signal Processing 1 (deep splines).
    """

    low: Tensor
    high: Tensor

    def __init__(
        self,
        init: str | Activation = "prelu",
        num_parameters: int = 1,
        *,
        knots: int = 13,
        low: float = -3.0,
        high: float = 3.0,
        axis: int = 1,
        device: Place = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_count("LinearSpline", "num_parameters", num_parameters)
        check_count("LinearSpline", "knots", knots, 2)
        check_numbers("LinearSpline", low=low, high=high)
        shape = shape_named("LinearSpline", init)
        known = isinstance(shape, activations.LinearSpline)
        self.first = shape if known else sampled(shape, knots=knots, low=float(low), high=float(high))
        self.num_parameters, self.axis = num_parameters, axis
        self.coefficients = learned(self.first.coefficients, num_parameters, device, dtype)
        for name, end in grid_of(self.first, device, dtype).items():
            self.register_buffer(name, end)

    def reset_parameters(self) -> None:
        """Begin again as it was made."""
        for name in ("coefficients", "low", "high"):
            refill(getattr(self, name), getattr(self.first, name))

    @classmethod
    def of(cls, entry: activations.LinearSpline) -> LinearSpline:
        """A module that begins as an entry."""
        return cls(entry)

    @property
    def entry(self) -> activations.LinearSpline:
        """The entry of this moment, with the means over the channels."""
        coefficients = means(self.coefficients, self.first.coefficients)
        return activations.LinearSpline(tuple(coefficients), *ends_of(self.low, self.high, self.first))

    def forward(self, input: Tensor) -> Tensor:
        """The function of each element, with the coefficients of its channel."""
        check_channels("linear_spline", input, self.num_parameters, self.axis)
        x, table, low, high = widened(input, self.coefficients, self.low, self.high)
        left, u = place_on(x, low, high, table.shape[1] - 1)
        before, after = table_at(table, left, self.axis), table_at(table, left + 1, self.axis)
        return ((u - left) * (after - before) + before).to(input.dtype)

    def penalty(self) -> Tensor:
        """How much the slopes change from piece to piece, of all channels: ``TV(2)``, to be added with a weight.

        It is the total variation of the slope, so it favours few kinks: with enough of it most are gone, and
        ``simplified`` takes out those that are left of rounding.
        """
        step = (self.high - self.low) / (self.coefficients.shape[1] - 1)
        return (self.coefficients.diff(n=2, dim=1) / step).abs().sum()

    def simplified(self, tolerance: float) -> LinearSpline:
        """A new module with fewer kinks, that differs from this one by at most ``tolerance`` anywhere.

        Each straight line is drawn as far as it can go; knots that are passed over are put on it. The outermost pieces
        stay, so it is the same beyond the grid.

        Args:
            tolerance: in units of the output, finite and >= 0.

        Raises:
            InvalidValue: the tolerance is none.
        """
        check_numbers("LinearSpline.simplified", tolerance=tolerance)
        if tolerance < 0:
            raise InvalidValue(f"LinearSpline.simplified(tolerance={tolerance!r}): expected a number >= 0.")
        first = activations.LinearSpline(self.first.coefficients, *ends_of(self.low, self.high, self.first))
        device, dtype = self.coefficients.device, self.coefficients.dtype
        twin = type(self)(first, self.num_parameters, axis=self.axis, device=device, dtype=dtype)
        with torch.no_grad():
            for row, new in zip(self.coefficients, twin.coefficients, strict=True):
                new.copy_(torch.from_numpy(_straightened(row.double().numpy(force=True), tolerance)))
        return twin

    def extra_repr(self) -> str:
        """What it was made with."""
        return f"knots={len(self.first.coefficients)}, num_parameters={self.num_parameters}, axis={self.axis}"


def _straightened(values: np.ndarray, tolerance: float) -> np.ndarray:
    """Values at an even grid put on as few straight lines as can be, from left to right."""
    last = len(values) - 2
    start, found = 1, values.copy()
    while start < last:
        for end in range(last, start, -1):
            line = np.linspace(values[start], values[end], end - start + 1)
            if end == start + 1 or np.abs(line - values[start : end + 1]).max() <= tolerance:
                found[start : end + 1] = line
                start = end
                break
    return found
