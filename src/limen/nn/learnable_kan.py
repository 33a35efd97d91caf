"""The cubic splines of Kolmogorov-Arnold networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from limen import activations
from limen.activations import Activation
from limen.activations.learnable_fits import fitted_bells, fitted_spline, shape_named
from limen.errors import InvalidValue
from limen.nn.checks import check_count, check_numbers
from limen.nn.learnable_channels import Place, along, check_channels, learned, means, refill
from limen.nn.learnable_grid import ends_of, grid_of, place_on, table_at
from limen.nn.precision import widened

__all__ = ["KANSpline"]


class KANSpline(nn.Module):
    """``f(x) = base_weight silu(x) + spline_weight sum_k coefficients[k] B_k(x)`` with cubic B-splines, all learned.

    Beyond the grid the spline falls to 0 within three intervals, twice smoothly, and ``base_weight silu(x)`` is left:
    an input out there changes no coefficient. ``update_grid`` moves the grid to where the inputs are.

    Args:
        init: the name of an elementwise function, or an entry, that it is fitted to on the grid, with both weights 1;
            ``silu`` makes all coefficients 0. An entry ``KANSpline`` is taken as it is, with its grid.
        num_parameters: 1, or the number of channels. They share one grid.
        intervals: of the grid; there are three coefficients more.
        low: the first place of the grid.
        high: its last.
        axis: of the channels.
        device: of the parameters.
        dtype: of the parameters.

    Attributes:
        base_weight: ``[num_parameters]``.
        spline_weight: ``[num_parameters]``.
        coefficients: ``[num_parameters, intervals + 3]``.
        low: a buffer.
        high: a buffer.

    Source: Liu et al. 2024, arXiv:2404.19756, Sec. 2.2.
    """

    low: Tensor
    high: Tensor

    def __init__(
        self,
        init: str | Activation = "silu",
        num_parameters: int = 1,
        *,
        intervals: int = 5,
        low: float = -1.0,
        high: float = 1.0,
        axis: int = 1,
        device: Place = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_count("KANSpline", "num_parameters", num_parameters)
        check_count("KANSpline", "intervals", intervals)
        check_numbers("KANSpline", low=low, high=high)
        activations.KANSpline(low=low, high=high)  # which refuses a grid that is none
        shape = shape_named("KANSpline", init)
        known = isinstance(shape, activations.KANSpline)
        self.first = shape if known else fitted_spline(shape, count=intervals + 3, low=float(low), high=float(high))
        self.num_parameters, self.axis = num_parameters, axis
        self.base_weight = learned(self.first.base_weight, num_parameters, device, dtype)
        self.spline_weight = learned(self.first.spline_weight, num_parameters, device, dtype)
        self.coefficients = learned(self.first.coefficients, num_parameters, device, dtype)
        for name, end in grid_of(self.first, device, dtype).items():
            self.register_buffer(name, end)

    def reset_parameters(self) -> None:
        """Begin again as it was made."""
        for name in ("base_weight", "spline_weight", "coefficients", "low", "high"):
            refill(getattr(self, name), getattr(self.first, name))

    @classmethod
    def of(cls, entry: activations.KANSpline) -> KANSpline:
        """A module that begins as an entry."""
        return cls(entry)

    @property
    def entry(self) -> activations.KANSpline:
        """The entry of this moment, with the means over the channels."""
        coefficients = means(self.coefficients, self.first.coefficients)
        base, spline = means(self.base_weight, self.first.base_weight), means(self.spline_weight, 1.0)
        return activations.KANSpline(tuple(coefficients), *ends_of(self.low, self.high, self.first), *base, *spline)

    def forward(self, input: Tensor) -> Tensor:
        """The function of each element, with the numbers of its channel."""
        check_channels("kan_spline", input, self.num_parameters, self.axis)
        x, base, weight = widened(
            input, *(along(one, input, self.axis) for one in (self.base_weight, self.spline_weight))
        )
        return (base * nn.functional.silu(x) + weight * self._spline(x)).to(input.dtype)

    def _spline(self, x: Tensor) -> Tensor:
        """The cubic spline alone, from the four B-splines that are not 0 at an input."""
        _, table, low, high = widened(x, self.coefficients, self.low, self.high)
        intervals = table.shape[1] - 3
        left, u = place_on(x, low, high, intervals, beyond=3)
        t = (u - left).clamp(0.0, 1.0)
        table, first = nn.functional.pad(table, (3, 3)), left + 3
        rest = 1 - t
        shares = (rest**3, 3 * t**3 - 6 * t**2 + 4, 3 * rest**3 - 6 * rest**2 + 4, t**3)
        terms = [share * table_at(table, first + k, self.axis) for k, share in enumerate(shares)]
        return (terms[0] + terms[1] + terms[2] + terms[3]) / 6

    def penalty(self) -> Tensor:
        """The sum of the squared second differences of the coefficients, to be added to the loss with a weight.

        It keeps neighbouring pieces alike, as in the P-splines of Eilers & Marx 1996, Statistical Science 11.
        """
        return self.coefficients.diff(n=2, dim=1).square().sum()

    @torch.no_grad()
    def update_grid(self, input: Tensor, *, margin: float = 0.01) -> None:
        """Lay the grid over these inputs, and fit the coefficients to what the spline was there.

        The function stays what it was as well as the new grid can show it: a wider one has wider intervals. Moments
        that an optimiser keeps of the coefficients are those of the old grid.

        Args:
            input: what the module is applied to, of any shape; at least two different finite numbers.
            margin: what to leave on both sides, as a share of their spread.

        Raises:
            InvalidValue: fewer than two different finite numbers, or a margin that is none.
        """
        check_numbers("KANSpline.update_grid", margin=margin)
        seen = input.detach().double()
        seen = seen[seen.isfinite()]
        if not len(seen) or float(seen.min()) == float(seen.max()) or margin < 0:
            raise InvalidValue(
                f"KANSpline.update_grid(input of {len(seen)} finite numbers, margin={margin!r}): expected two "
                "different finite numbers or more, and a margin >= 0."
            )
        spread = float(seen.max() - seen.min())
        low, high = float(seen.min()) - margin * spread, float(seen.max()) + margin * spread
        channels, count = self.coefficients.shape
        x = torch.linspace(low, high, 100 * count, dtype=torch.float64, device=seen.device)
        before = self._spline(x.expand(channels, -1).movedim(0, self.axis)).movedim(self.axis, 0)
        found = fitted_bells(before.numpy(force=True), x.numpy(force=True), count=count, low=low, high=high)
        self.coefficients.copy_(torch.from_numpy(found))
        self.low.fill_(low)
        self.high.fill_(high)

    def extra_repr(self) -> str:
        """What it was made with."""
        intervals = len(self.first.coefficients) - 3
        return f"intervals={intervals}, num_parameters={self.num_parameters}, axis={self.axis}"
