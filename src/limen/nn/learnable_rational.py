"""A quotient of two learned polynomials: the Padé activation unit."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from limen import activations
from limen.activations import Activation
from limen.activations.learnable_fits import fitted_quotient, shape_named
from limen.activations.learnable_rational import quotient
from limen.nn.checks import check_count
from limen.nn.learnable_channels import Place, along, check_channels, learned, means, refill
from limen.nn.precision import widened

__all__ = ["PAU"]


class PAU(nn.Module):
    """``f(x) = P(x) / Q(x)`` with ``P = sum_j numerator[j] x^j`` and ``Q = 1 + |sum_k denominator[k - 1] x^k|``.

    It begins as the least-squares fit of degrees 5 and 4 to a named shape, and large inputs do not overflow. It makes
    many passes over its input, which ``torch.compile`` makes one.

    Args:
        init: the name of an elementwise function, or an entry, that it is fitted to between ``±5``. An entry ``PAU`` is
            taken as it is, with its degrees.
        num_parameters: 1, or the number of channels.
        axis: of the channels.
        device: of the parameters.
        dtype: of the parameters.

    Attributes:
        numerator: ``[num_parameters, 6]``.
        denominator: ``[num_parameters, 4]``.

    Source: Molina, Schramowski & Kersting 2020, arXiv:1907.06732.
    """

    def __init__(
        self,
        init: str | Activation = "leaky_relu",
        num_parameters: int = 1,
        *,
        axis: int = 1,
        device: Place = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_count("PAU", "num_parameters", num_parameters)
        shape = shape_named("PAU", init)
        self.first = shape if isinstance(shape, activations.PAU) else activations.PAU(*fitted_quotient(shape))
        self.num_parameters, self.axis = num_parameters, axis
        self.numerator = learned(self.first.numerator, num_parameters, device, dtype)
        self.denominator = learned(self.first.denominator, num_parameters, device, dtype)

    def reset_parameters(self) -> None:
        """Begin again as it was made."""
        refill(self.numerator, self.first.numerator)
        refill(self.denominator, self.first.denominator)

    @classmethod
    def of(cls, entry: activations.PAU) -> PAU:
        """A module that begins as an entry."""
        return cls(entry)

    @property
    def entry(self) -> activations.PAU:
        """The entry of this moment, with the means over the channels."""
        rows = ((self.numerator, self.first.numerator), (self.denominator, self.first.denominator))
        return activations.PAU(*(tuple(means(parameter, first)) for parameter, first in rows))

    def forward(self, input: Tensor) -> Tensor:
        """The function of each element, with the coefficients of its channel."""
        check_channels("pau", input, self.num_parameters, self.axis)
        x, *rows = widened(input, self.numerator, self.denominator)
        numerator, denominator = ([along(one, x, self.axis) for one in row.unbind(-1)] for row in rows)
        return quotient(x, numerator, denominator).to(input.dtype)

    def extra_repr(self) -> str:
        """What it was made with."""
        degrees = len(self.first.numerator) - 1, len(self.first.denominator)
        return f"degrees={degrees[0]}/{degrees[1]}, num_parameters={self.num_parameters}, axis={self.axis}"
